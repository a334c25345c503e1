"""Rights, asked with the key itself (decision 0048): whose it is, and which visits and patients its holder sees."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from booking.asking.bodies import SeenAnswer, SeenBody, WhoView, WritablePatient
from booking.asking.store import kept, seen
from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import ALL, OPERATOR, Client
from booking.patients.store import clinics_visited
from booking.safety.store import is_named_by, patient_named
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import Problem, refuses
from chassis.postgres.database import Pool


def routes(pool: Pool, reader: Caller, fresh: Caller) -> APIRouter:
    """Return the routes.

    Args:
        fresh: As `reader`, and looks the key up anew: what is answered here is remembered elsewhere.
    """
    router = APIRouter(prefix="/v1", tags=["rights"])

    @router.get("/client", summary="Whose key this is, and what it may do")
    async def get_client(client: Annotated[Client, Depends(fresh)]) -> WhoView:
        """As it is in this moment: the answer to a revoked key is 401."""
        return WhoView(
            client_id=client.client_id, sources=list(client.sources), clinics=list(client.clinics),
            default_clinic=client.default_clinic, may_register=client.may_register,
            may_set_policy=client.may_set_policy, may_manage_clinics=client.may_manage_clinics,
            may_clear=client.may_clear, may_override_clearance=client.may_override_clearance,
        )  # fmt: skip

    @router.post("/appointments/seen", summary="Which of these visits the holder of the key sees")
    async def find_seen_appointments(body: SeenBody, client: Annotated[Client, Depends(reader)]) -> SeenAnswer:
        """Of its sources and clinics, by where each visit stands now. The others are left out, as unknown ones are."""
        return SeenAnswer(items=await seen(pool, client, body.ids))

    @router.get(
        "/client/patient",
        summary="A patient, if the holder of the key may write him",
        responses=refuses(
            {
                403: ("MAY_NOT_REGISTER", "FOREIGN_SOURCE", "FOREIGN_PATIENT"),
                404: ("UNKNOWN_PATIENT",),
                422: ("ONE_SUBJECT", "SOURCE_REQUIRED"),
            }
        ),
    )
    async def get_client_patient(
        client: Annotated[Client, Depends(reader)],
        patient: Annotated[UUID | None, Query(description="The patient's id here.")] = None,
        source: Annotated[str | None, Query(description="With `id`. Left out: the client's only source.")] = None,
        id: Annotated[str | None, Query(description="What the source calls the patient.")] = None,  # the API's word
    ) -> WritablePatient:
        """By `patient`, or by `id` with its `source`. A client needs the right to register, and to write him."""
        if (patient is None) == (id is None):
            raise Problem(422, "ONE_SUBJECT", "Name one: patient, or id with its source.")
        try:
            if client is not OPERATOR:
                client.check_may_register()
            named = None if id is None else (client.source(source), texts.identifier(id, "id"))
            return WritablePatient(patient_id=await _writable(pool, client, patient, named))
        except Refused as refusal:
            raise problem(refusal) from None

    return router


async def _writable(pool: Pool, client: Client, patient_id: UUID | None, named: tuple[str, str] | None) -> UUID:
    """Return the patient.

    Raises:
        Problem: 404, the same for one who does not exist and for one whom the client's sources do not name.
        Refused: FOREIGN_PATIENT.
    """
    found = await patient_named(pool, *named) if named is not None else None
    if patient_id is not None:
        found = await kept(pool, patient_id)
        if found and not client.sees_source(ALL) and not await is_named_by(pool, found, client.sources):
            found = None
    if found is None:
        raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none of this client's sources.")
    if client.is_limited:
        client.check_may_write(await clinics_visited(pool, found), "patient")
    return found
