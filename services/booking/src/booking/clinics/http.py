"""`PUT /v1/clinics`: clinics, safe to send again."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Request

from booking.clinics.bodies import ClinicAnswer, ClinicBody, clinic_of, details_of
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.store import Entry, write_clinic
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema
from booking.door.commands import run_command
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.safety.domain import Cause
from chassis.api.app import refuses
from chassis.postgres.database import Connection

log: structlog.stdlib.BoundLogger = structlog.get_logger()


_CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_MANAGE_CLINICS", "FOREIGN_CLINIC", "FOREIGN_SOURCE"),
    409: ("CLINIC_ZONE_FIXED", "IDENTIFIER_TAKEN"),
    422: (*BAD_FIELD, "ILLEGAL_CLINIC_CODE", "UNKNOWN_ZONE", "UNKNOWN_COUNTRY", "BAD_WINDOW", "BAD_PHONE", "BAD_URL"),
}
_CLINIC = {
    "name": "Heart Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB",
    "window": {"opens": "07:00", "closes": "21:00"}, "sensitive": False,
    "identifiers": [{"system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "111111111"}],
    "phone": "020 7946 0018", "address": "1 Long Street, London N1 9GU",
    "directions_url": "https://maps.example.org/heart-clinic", "preparation": "Please bring a list of your medicines.",
    "services": {"MRI": {"address": "Basement, 1 Long Street, London N1 9GU", "preparation": "No metal.\nBe early."}},
}  # fmt: skip


def routes(transactions: Transactions, caller: Caller, default_country: str | None) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["reference data"])
    clock = transactions.clock

    @router.put(
        "/clinics/{code}",
        summary="Enter a clinic",
        responses=refuses(_CODES),
        openapi_extra=body_schema(ClinicBody, {"clinic": _CLINIC}, "The clinic, whole."),
    )
    async def put_clinic(
        request: Request, code: Annotated[str, Path()], client: Annotated[Client, Depends(caller)]
    ) -> ClinicAnswer:
        """Enter or change a clinic; needs the right to manage clinics. Its code and its zone are for ever (D2).

        What of `phone`, `address`, `directions_url` and `preparation` is left out stays as it is, and what is null is
        taken away (D51); the same of each of `services`, where null takes away all that it has of its own.
        """

        async def write(connection: Connection, body: ClinicBody) -> tuple[ClinicState, bool]:
            client.check_may_manage_clinics()
            told = clinic_of(code, body, clock, default_country)
            client.check_clinic(told.clinic_id)
            names = [(client.source(i.source), i.system, i.value) for i in body.identifiers]
            sensitive = body.sensitive if "sensitive" in body.model_fields_set else None
            cause = Cause(client.client_id, f"{client.client_id}/clinic")
            entry = Entry(told, names, sensitive, cause, details_of(body, told.country))
            return await write_clinic(connection, entry, clock.now())

        clinic, changed = await run_command(transactions, request, ClinicBody, write)
        if changed:
            log.info("clinic.changed", clinic_id=clinic.clinic_id, version=clinic.version, client=client.client_id)
        return ClinicAnswer(clinic_id=clinic.clinic_id, version=clinic.version)

    return router
