"""What a provider's inbox shows and takes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.api.query_fields import Line
from schemas.notifications import Kind


class DayVisit(BaseModel):
    """One line of a list of the day."""

    appointment_id: UUID
    time: str | None
    patient_name: str | None
    service_type: str | None
    link: str | None


class NoticeView(BaseModel):
    """One notice. `starts_at` is the clinic's local time with its offset; of a list of the day, its first visit's."""

    number: int
    notification_id: UUID
    kind: Kind
    appointment_id: UUID | None
    title: str
    body: str
    patient_name: str | None
    date: str
    time: str
    starts_at: datetime
    zone: str
    service_type: str | None
    link: str | None
    visits: list[DayVisit] | None
    created_at: datetime
    read_at: datetime | None


class InboxPage(BaseModel):
    """Notices in the order of their numbers; `next_after` is the `after` of the next page, null on the last."""

    items: list[NoticeView]
    next_after: int | None = None


class ReadMark(BaseModel):
    """When a notice was first read; null once it is marked as unread again."""

    number: int
    read_at: datetime | None


class Unread(BaseModel):
    """How many notices were not read yet."""

    unread: int


class ReadMarks(BaseModel):
    """How many notices were marked as read just now, and how many are still unread."""

    marked: int
    unread: int


class NewToken(BaseModel):
    """What a token is for, in the operator's words."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"label": "practice software, room 4"}})

    label: Line


class TokenView(BaseModel):
    """A token, but for itself. `revoked_at`: from then on it opens nothing."""

    token_id: UUID
    provider_id: UUID
    label: str
    issued_at: datetime
    revoked_at: datetime | None = None


class IssuedToken(TokenView):
    """A new token; shown this once."""

    token: str


class TokenList(BaseModel):
    """A provider's tokens, oldest first."""

    items: list[TokenView]
