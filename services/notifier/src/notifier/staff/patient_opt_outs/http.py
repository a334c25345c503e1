"""Stop, lift and look up by the patient instead of by his address, which whoever sent him need not have at hand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from chassis.api.app import Problem, refuses
from chassis.api.client_access import OF_PATIENT, ClientAccess
from chassis.api.patient_access import OfPatient, Whose, by_name, by_our_id
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from notifier.opt_outs.bodies import WhatBody
from notifier.opt_outs.store import Lifted
from notifier.staff.patient_opt_outs.bodies import PatientOptOuts
from notifier.staff.patient_opt_outs.store import Known, known_addresses, lift_at, shown, stop_at
from notifier.values.addresses import Peppers

PATHS = ("/v1/patients/{patient_id}/opt-outs", "/v1/patients/opt-outs")
OPEN_TO_CLIENTS = (
    *(("GET", path) for path in PATHS),
    *(("POST", f"{path}/{act}") for path in PATHS for act in ("stop", "lift")),
)
"""Of patients whom the client may write (decision 0048)."""


def routes(pool: Pool, clock: Clock, peppers: Peppers, access: ClientAccess, lifted: Lifted) -> APIRouter:
    """Return the routes, by our id of the patient and by what a source calls him."""
    router = APIRouter(tags=["opt-outs"])
    for path, by, whose in zip(PATHS, ("", "_by_name"), (by_our_id(access), by_name(access)), strict=True):
        router.include_router(_routes(path, by, pool, clock, peppers, whose, lifted))
    return router


def _routes(
    path: str, by_what: str, pool: Pool, clock: Clock, peppers: Peppers, whose: Whose, lifted: Lifted
) -> APIRouter:
    router = APIRouter(prefix=path, responses=refuses(OF_PATIENT))

    async def known(connection: Connection, of: OfPatient) -> tuple[UUID, Known]:
        found = await known_addresses(connection, peppers, of.patient_id)
        if found is None:
            raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none of this client's sources.")
        return found

    @router.get(
        "",
        name=f"get_patient_opt_outs{by_what}",
        summary="What may not leave to a patient's addresses, and who said so",
    )
    async def look_up(of: Annotated[OfPatient, Depends(whose)]) -> PatientOptOuts:
        async with pool.acquire() as connection:
            found = await known(connection, of)
        return await shown(pool, *found, _client(of))

    @router.post(
        "/stop",
        name=f"stop_patient_messages{by_what}",
        summary="Stop messages to a patient's addresses, on all channels or those named",
    )
    async def stop(of: Annotated[OfPatient, Depends(whose)], body: WhatBody) -> PatientOptOuts:
        """It holds for the addresses, and so for everybody at them; again changes nothing."""
        async with pool.transaction(isolation="read_committed") as connection:
            found = await known(connection, of)
            await stop_at(connection, found[1], body, _cause(of, body), clock.now())
        return await shown(pool, *found, _client(of))

    @router.post(
        "/lift",
        name=f"lift_patient_opt_outs{by_what}",
        summary="Let messages leave again, on all channels or those named",
        responses=refuses({403: (*OF_PATIENT[403], "STOPPED_BY_OTHERS")}),
    )
    async def lift(of: Annotated[OfPatient, Depends(whose)], body: WhatBody) -> PatientOptOuts:
        """`{"channels": ["sms"]}` lifts SMS and leaves WhatsApp and email as they are.

        A client lifts what it stopped itself. 403 STOPPED_BY_OTHERS: something named was stopped by the reader, a
        carrier, staff or another client, and nothing is lifted.
        """
        async with pool.transaction(isolation="read_committed") as connection:
            found = await known(connection, of)
            await lift_at(connection, found[1], body, _cause(of, body), clock.now(), lifted, _client(of))
        return await shown(pool, *found, _client(of))

    return router


def _client(of: OfPatient) -> str | None:
    return None if of.asker.client_id is None else f"client/{of.asker.client_id}"


def _cause(of: OfPatient, body: WhatBody) -> str:
    return f"{'staff' if of.asker.is_operator else 'client'}/{of.asker.by(body.by)}"
