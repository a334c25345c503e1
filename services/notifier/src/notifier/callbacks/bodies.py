"""What carriers sent and nobody could read, as the operator sees it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chassis.api.query_fields import By
from notifier.receipts.domain import Carrier


class UnreadableView(BaseModel):
    """One that could not be read. `size`: its bytes, of which the first 64 KiB are kept.

    `replayed_at`, `replayed_by`: when it was read again and done, and who had that done.
    """

    unreadable_id: int
    carrier: Carrier
    reason: str
    size: int
    received_at: datetime
    replayed_at: datetime | None = None
    replayed_by: str | None = None


class ReplayBody(BaseModel):
    """Who does it, for the audit."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"


class ReplayView(BaseModel):
    """What was done. `repeat`: it had been done before, and nothing was done now."""

    unreadable_id: int
    replayed_at: datetime
    replayed_by: str
    repeat: bool


class UnreadablePage(BaseModel):
    """Newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[UnreadableView]
    next_before: int | None = None
