"""Pages of sub-files, and how many wait for a main file (R9, D5)."""

from datetime import datetime
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from chassis.api.client_access import Asker
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool
from chassis.process.errors import AttendError
from records.adapters import sql
from schemas.model import ClinicId
from schemas.subfiles import SubFileStatus

PAGE = 100
LONGEST_PAGE = 1000


class SubFileView(BaseModel):
    """A sub-file as it is now."""

    sub_file_id: UUID
    version: int
    status: SubFileStatus
    number: str | None
    patient_id: UUID
    clinic_id: str
    provider_id: UUID | None
    appointment_id: UUID
    created_at: datetime


class SubFilePage(BaseModel):
    """One page; `next_after` is the `after` of the next, null on the last."""

    items: list[SubFileView]
    next_after: UUID | None = None


class Filters(BaseModel):
    """What to look for; at least one of patient, appointment (or `id` with its source), clinic and status."""

    patient: UUID | None = None
    appointment: UUID | None = None
    source: str | None = Field(None, max_length=200, description="With `id`. Left out: the client's only source.")
    id: str | None = Field(None, max_length=200, description="What the source calls the appointment.")
    clinic: ClinicId | None = None
    status: SubFileStatus | None = None
    after: UUID | None = None
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE


class NoFilter(AttendError):
    """A list of everybody's files was asked for."""

    def __init__(self, further: str = ", status") -> None:
        super().__init__(
            "NO_FILTER", f"give at least one of patient, appointment (or id with its source), clinic{further}"
        )


async def find(pool: Pool, filters: Filters) -> SubFilePage:
    """Return one page of sub-files in the order of their ids.

    An appointment's sub-file is the one of its patient at its clinic, whichever visit opened it.
    """
    names = ("patient", "appointment", "clinic", "status", "after")
    asked = {name: value for name in names if (value := getattr(filters, name)) is not None}
    if not asked.keys() - {"after"}:
        raise NoFilter
    rows = await pool.fetch(sql.find(*asked), *asked.values(), filters.limit)
    items = [SubFileView.model_validate(dict(row)) for row in rows]
    return SubFilePage(items=items, next_after=next_place(items, filters.limit, attrgetter("sub_file_id")))


async def find_own(pool: Pool, filters: Filters, asker: Asker) -> SubFilePage:
    """Return one page of the sub-files that were opened by a client's visits."""
    if not asker.may_list(filters.patient, filters.clinic, NoFilter(further="")):
        return SubFilePage(items=[])

    async def read(after: UUID | None, rows: int) -> tuple[list[SubFileView], UUID | None]:
        page = await find(pool, filters.model_copy(update={"after": after, "limit": rows}))
        return page.items, page.next_after

    items, more = await asker.own_page(read, filters.after, filters.limit, attrgetter("appointment_id"))
    return SubFilePage(items=items, next_after=items[-1].sub_file_id if more else None)


async def count_parked(pool: Pool) -> int:
    """Return how many sub-files wait for their patient's main file (D5)."""
    return int(await pool.fetchval(sql.COUNT_PARKED))
