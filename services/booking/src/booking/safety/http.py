"""`GET /v1/safety-changes`: who changed a flag on which safety hangs, from what to what, when and by what (D51)."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query

from booking.appointments import statements
from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import ALL, Client
from booking.values import texts
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from chassis.database import unavailable
from chassis.http import Problem

LONGEST_PAGE = 1_000

_NAMED = "SELECT patient_id FROM patient_alias WHERE source = $1 AND source_id = $2"
_IS_NAMED_BY = "SELECT EXISTS (SELECT FROM patient_alias WHERE patient_id = $1 AND source = ANY ($2::text[]))"
_COLUMNS = "change_id, kind, subject, flag, was, becomes, changed_at, changed_by, caused_by"
_NEWEST = "AND ($2::bigint IS NULL OR change_id < $2) ORDER BY change_id DESC LIMIT $3"
_OF_PATIENT = f"""
WITH RECURSIVE file AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT m.patient_id FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT {_COLUMNS} FROM safety_change
WHERE kind = 'patient' AND subject IN (SELECT patient_id::text FROM file) {_NEWEST}"""  # noqa: S608  # constants
_OF_CLINIC = f"SELECT {_COLUMNS} FROM safety_change WHERE kind = 'clinic' AND subject = $1 {_NEWEST}"  # noqa: S608


def routes(pool: asyncpg.Pool, caller: Caller) -> APIRouter:
    """Return the route.

    Args:
        pool: Connections for what only reads.
        caller: The dependency that gives who reads: a client or the operator.
    """
    router = APIRouter(prefix="/v1", tags=["reading"])

    @router.get("/safety-changes", summary="Who changed a patient's or a clinic's safety flags, newest first")
    async def safety_changes(
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
                rows = await _rows(pool, _OF_CLINIC, clinic, before, limit)
            else:
                named = None if id is None else (client.source(source), texts.identifier(id, "id"))
                rows = await _rows(pool, _OF_PATIENT, await _patient(pool, client, patient, named), before, limit)
        except Refused as refusal:
            raise problem(refusal) from None
        return {"items": rows, "next_before": rows[-1]["change_id"] if len(rows) == limit else None}

    return router


async def _patient(pool: asyncpg.Pool, client: Client, patient_id: UUID | None, named: tuple[str, str] | None) -> UUID:
    """Return the patient, if the client may know of him.

    Raises:
        Refused: FOREIGN_PATIENT.
        Problem: 404, the same for one who does not exist and for one whom the client's sources do not name.
    """
    with unavailable():
        if named is not None:
            patient_id = await pool.fetchval(_NAMED, *named)
        elif not client.sees_source(ALL) and not await pool.fetchval(_IS_NAMED_BY, patient_id, client.sources):
            patient_id = None
        if patient_id is None:
            raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none of this client's sources.")
        if client.is_limited:
            visited = await pool.fetch(statements.VISITED, [patient_id])
            client.check_may_write(visited[0]["clinics"] if visited else (), "patient")
    return patient_id


async def _rows(
    pool: asyncpg.Pool, query: str, subject: UUID | str, before: int | None, limit: int
) -> list[dict[str, Any]]:
    with unavailable():
        return [dict(row) for row in await pool.fetch(query, subject, before, limit)]
