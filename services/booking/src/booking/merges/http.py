"""`POST /v1/patients/{id}/merge`: two files that turned out to be one person's (D44)."""

from typing import Annotated, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field, StrictStr

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Id, Order, Text, body_schema, problem, read
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.merges.handle import Merge, Merged, merge_patients
from booking.merges.store import PostgresMergeStore
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import refuses

log: structlog.stdlib.BoundLogger = structlog.get_logger()


_CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_REGISTER", "FOREIGN_SOURCE", "FOREIGN_PATIENT"),
    409: ("SAME_PATIENT", "NOT_REGISTERED", "MERGED_AWAY"),
    422: (*BAD_FIELD, "UNKNOWN_FIELD", "PADDED_ID", "UNKNOWN_PATIENT"),
    503: ("KEY_RACE",),
}


class IntoBody(Order):
    """The patient that is kept."""

    id: Id
    source: StrictStr | None = None


class MergeBody(Order):
    """Into whom, and why."""

    into: IntoBody
    reason: Text | None = None


class MergeAnswer(BaseModel):
    """Both files, of which one is kept."""

    patient_id: UUID
    main_file: str | None
    merged_into: UUID
    main_file_kept: str
    appointments: int = Field(description="Visits ahead that are his now.")
    result: Literal["merged", "repeat"]


def routes(transactions: Transactions, caller: Caller) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["reference data"])
    example = {"into": {"id": "p-1"}, "reason": "registered twice"}

    @router.post(
        "/patients/{source_id:path}/merge",
        summary="Merge a patient into another",
        responses=refuses(_CODES),
        openapi_extra=body_schema(MergeBody, {"merge": example}, "The patient that is kept."),
    )
    async def merge_patient(
        request: Request,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Annotated[str | None, Query(description="Left out: the client's only source.")] = None,
    ) -> MergeAnswer:
        """Link both files; every name of the one means the other from now on, and the visits ahead are his.

        Needs the right to register. The same again changes nothing but takes visits along that came meanwhile.
        """
        body = await request.body()
        try:
            client.check_may_register()
            told = read(MergeBody, strict_json(body))
            wish = Merge(
                (client.source(source), texts.identifier(source_id, "source id")),
                (client.source(told.into.source or source), texts.identifier(told.into.id, "into.id")),
                client,
                None if told.reason is None else texts.name(told.reason, "reason"),
            )
            now = transactions.clock.now()
            done = await transactions.run(lambda connection: merge_patients(PostgresMergeStore(connection), wish, now))
        except Refused as refused:
            refusal = refused
        else:
            ids = {"patient_id": str(done.patient.patient_id), "into": str(done.kept.patient_id)}
            log.info("patients.merged", **ids, appointments=done.appointments, repeat=done.repeat)
            return _answer(done)
        transactions.counts.refused(refusal)
        raise problem(refusal)

    return router


def _answer(done: Merged) -> MergeAnswer:
    return MergeAnswer(
        patient_id=done.patient.patient_id,
        main_file=done.patient.main_file,
        merged_into=done.kept.patient_id,
        main_file_kept=done.kept.main_file,
        appointments=done.appointments,
        result="repeat" if done.repeat else "merged",
    )
