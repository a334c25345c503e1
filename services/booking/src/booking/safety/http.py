"""`GET /v1/safety-changes`: who changed a flag on which safety hangs, from what to what, when and by what (D51)."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import ALL, Client
from booking.safety.store import changes_of_clinic, changes_of_patient, is_named_by, patient_named
from booking.values import texts
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from chassis.api.app import Problem, answers, refuses
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool

LONGEST_PAGE = 1_000

_CODES = {
    403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC", "FOREIGN_PATIENT"),
    404: ("UNKNOWN_PATIENT",),
    422: ("ONE_SUBJECT", "SOURCE_REQUIRED", "ILLEGAL_CLINIC_CODE"),
}


class FlagChangeView(BaseModel):
    """One change of a flag on which safety hangs."""

    change_id: int
    kind: Literal["patient", "clinic"]
    subject: str = Field(description="The patient's id, or the clinic's code.")
    flag: str
    was: bool
    becomes: bool
    changed_at: datetime
    changed_by: str
    caused_by: str


class FlagChangePage(BaseModel):
    """Changes, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[FlagChangeView]
    next_before: int | None


type Visited = Callable[[Pool, UUID], Awaitable[Collection[str]]]


def routes(pool: Pool, caller: Caller, visited: Visited) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["reading"])

    @router.get(
        "/safety-changes",
        summary="Who changed a patient's or a clinic's safety flags, newest first",
        responses={**answers(FlagChangePage), **refuses(_CODES)},
    )
    async def get_safety_changes(
        client: Annotated[Client, Depends(caller)],
        patient: Annotated[UUID | None, Query(description="The patient's id here.")] = None,
        source: Annotated[str | None, Query(description="With `id`. Left out: the client's only source.")] = None,
        id: Annotated[str | None, Query(description="What the source calls the patient.")] = None,  # the API's word
        clinic: Annotated[str | None, Query(description="A clinic's code.")] = None,
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_before` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> dict[str, Any]:
        """Of one subject: `patient`, or `id` with its `source`, or `clinic`. Files merged into his are in a patient's.

        A client reads of whom it may write: of patients whom its sources name and whose clinics it sees, all of them.
        """
        if sum(one is not None for one in (patient, id, clinic)) != 1:
            raise Problem(422, "ONE_SUBJECT", "Name one: patient, or id with its source, or clinic.")
        try:
            if clinic is not None:
                client.check_clinic(clinic_code(clinic, "clinic"))
                rows = await changes_of_clinic(pool, clinic, before, limit)
            else:
                named = None if id is None else (client.source(source), texts.identifier(id, "id"))
                whose = await _patient(pool, client, visited, patient, named)
                rows = await changes_of_patient(pool, whose, before, limit)
        except Refused as refusal:
            raise problem(refusal) from None
        return {"items": rows, "next_before": next_place(rows, limit, itemgetter("change_id"))}

    return router


async def _patient(
    pool: Pool, client: Client, visited: Visited, patient_id: UUID | None, named: tuple[str, str] | None
) -> UUID:
    """Return the patient, if the client may know of him.

    Raises:
        Problem: 404, the same for one who does not exist and for one whom the client's sources do not name.
    """
    if named is not None:
        patient_id = await patient_named(pool, *named)
    elif not client.sees_source(ALL) and not await is_named_by(pool, patient_id, client.sources):
        patient_id = None
    if patient_id is None:
        raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none of this client's sources.")
    if client.is_limited:
        client.check_may_write(await visited(pool, patient_id), "patient")
    return patient_id
