"""Lists of reminders, soonest first, page by page (R11).

The order is (scheduled_for, reminder_id), which the indexes have; a page begins after a place in that order, so
that reminders which come or go meanwhile neither repeat nor hide another.
"""

from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from chassis.api.client_access import Asker
from chassis.api.page_cursor import Cursor
from chassis.api.query_fields import Moment
from chassis.postgres.database import Pool
from chassis.process.errors import AttendError
from schemas.model import ClinicId
from schemas.notifications import DELIVERY
from schemas.reminders import Reason, ReminderStatus

_HISTORY = """
SELECT status, reason, handed_over_at, notification_id, delivery_state, at, caused_by
FROM reminder_history WHERE reminder_id = $1 ORDER BY id
"""

_VISIT = "SELECT appointment_id FROM reminder WHERE reminder_id = $1"


class Entry(BaseModel):
    """What a reminder was from an instant on, and what led to it."""

    status: ReminderStatus
    reason: Reason | None
    handed_over_at: datetime | None
    notification_id: UUID | None
    delivery_state: str | None = Field(description=DELIVERY)
    at: datetime
    caused_by: str


class History(BaseModel):
    """Everything a reminder ever was, oldest first."""

    items: list[Entry]


async def history_of(pool: Pool, reminder_id: UUID) -> History:
    """Return the history of a reminder; it is empty for one that is not known."""
    rows = await pool.fetch(_HISTORY, reminder_id)
    return History(items=[Entry.model_validate(dict(row)) for row in rows])


async def visit_of(pool: Pool, reminder_id: UUID) -> UUID | None:
    """Return the appointment of a reminder; None for one that is not known."""
    found: UUID | None = await pool.fetchval(_VISIT, reminder_id)
    return found


PAGE = 100
LONGEST_PAGE = 1000


class ReminderView(BaseModel):
    """A reminder as it is now. Null where only a part of its story has come yet."""

    reminder_id: UUID
    appointment_id: UUID
    schedule_gen: int
    rule: str | None
    patient_id: UUID | None
    clinic_id: str | None
    status: ReminderStatus
    reason: Reason | None
    scheduled_for: datetime | None
    not_after: datetime | None
    handed_over_at: datetime | None
    sent_at: datetime | None
    notification_id: UUID | None
    delivery_state: str | None = Field(description=DELIVERY)
    changed_at: datetime
    caused_by: str


_COLUMNS = ", ".join(ReminderView.model_fields)
_ORDER = "ORDER BY scheduled_for, reminder_id"


class ReminderPage(BaseModel):
    """One page, soonest first; `next_after` is the `after` of the next, null on the last."""

    items: list[ReminderView]
    next_after: str | None = None


class Filters(BaseModel):
    """What to look for: at least one of appointment (or `id` with its source), patient and clinic; all must hold."""

    appointment: UUID | None = None
    source: str | None = Field(None, max_length=200, description="With `id`. Left out: the client's only source.")
    id: str | None = Field(None, max_length=200, description="What the source calls the appointment.")
    patient: UUID | None = None
    clinic: ClinicId | None = None
    from_: Moment | None = Field(None, alias="from", description="Scheduled at or after; ISO 8601 with offset.")
    to: Moment | None = Field(None, description="Scheduled before; ISO 8601 with offset.")
    status: ReminderStatus | None = None
    after: str | None = Field(None, max_length=200, description="`next_after` of the page before, as it is.")
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE


class NoFilter(AttendError):
    """A list of everybody's reminders was asked for."""

    def __init__(self) -> None:
        super().__init__("NO_FILTER", "give at least one of appointment or id with its source, patient, clinic")


class BadRange(AttendError):
    """A range of time that ends before it begins."""

    def __init__(self) -> None:
        super().__init__("BAD_RANGE", "`to` must be later than `from`")


async def find(pool: Pool, filters: Filters) -> ReminderPage:
    """Return one page of reminders."""
    statement, arguments = query(filters)
    rows = await pool.fetch(statement, *arguments)
    items = [ReminderView.model_validate(dict(row)) for row in rows[: filters.limit]]
    more = len(rows) > filters.limit
    return ReminderPage(items=items, next_after=_place(items[-1]).text() if more else None)


async def find_own(pool: Pool, filters: Filters, asker: Asker) -> ReminderPage:
    """Return one page of a client's reminders."""
    if not asker.may_list(filters.patient, filters.clinic, NoFilter()):
        return ReminderPage(items=[])

    async def read(after: str | None, rows: int) -> tuple[list[ReminderView], str | None]:
        page = await find(pool, filters.model_copy(update={"after": after, "limit": rows}))
        return page.items, page.next_after

    items, more = await asker.own_page(read, filters.after, filters.limit, attrgetter("appointment_id"))
    return ReminderPage(items=items, next_after=_place(items[-1]).text() if more else None)


def query(filters: Filters) -> tuple[str, list[Any]]:
    """Return the statement of a page, one row longer to see whether there are more, and its arguments."""
    if filters.appointment is None and filters.patient is None and filters.clinic is None:
        raise NoFilter
    if filters.from_ is not None and filters.to is not None and filters.to <= filters.from_:
        raise BadRange
    conditions: list[str] = []
    arguments: list[Any] = []
    for given, condition in (
        (filters.appointment, "appointment_id = ${}"),
        (filters.patient, "patient_id = ${}"),
        (filters.clinic, "clinic_id = ${}"),
        (filters.from_, "scheduled_for >= ${}"),
        (filters.to, "scheduled_for < ${}"),
    ):
        if given is not None:
            arguments.append(given)
            conditions.append(condition.format(len(arguments)))
    if filters.status is not None:
        conditions.append(f"status = '{filters.status.value}'")  # a constant of ours: the planner may use its index
    if filters.after is not None:
        place = Cursor.read(filters.after, dated=False)
        arguments += [place.id] if place.at is None else [place.at, place.id]
        conditions.append(_beyond(place, len(arguments), dated=_dated(filters)))
    statement = f"SELECT {_COLUMNS} FROM reminder WHERE {' AND '.join(conditions)} {_ORDER} LIMIT {filters.limit + 1}"  # noqa: S608  # of constants and $n
    return statement, arguments


def _dated(filters: Filters) -> bool:
    """Say whether every record in question has its time: patient, clinic and time come together, by a plan."""
    return (filters.patient or filters.clinic or filters.from_ or filters.to) is not None


def _beyond(place: Cursor, last: int, *, dated: bool) -> str:
    if place.at is None:
        return f"scheduled_for IS NULL AND reminder_id > ${last}"
    beyond = f"(scheduled_for, reminder_id) > (${last - 1}, ${last})"
    return beyond if dated else f"({beyond} OR scheduled_for IS NULL)"


def _place(item: ReminderView) -> Cursor:
    return Cursor(item.scheduled_for, item.reminder_id)
