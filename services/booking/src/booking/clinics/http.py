"""`/v1/clinics`: clinics, told of whole or in part, safe to send again; and read."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from booking.clinics.bodies import ClinicBody, ClinicPart, clinic_of, details_of
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.reads import one, page
from booking.clinics.store import Entry, locked_clinic, write_clinic
from booking.clinics.views import ClinicAnswer, ClinicPage, ClinicView
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem, views
from booking.door.commands import run_told
from booking.door.domain import Client
from booking.door.merge_patch import IfMatch, check_merge_patch, etag, merge_patch_schema
from booking.door.transactions import Transactions
from booking.safety.domain import Cause
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from booking.values.warned import Warned
from chassis.api.app import Problem, refuses
from chassis.api.if_match import version_of
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LONGEST_PAGE = 1_000

Code = Annotated[str, Path(description="The clinic's code.")]

_CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_MANAGE_CLINICS", "FOREIGN_CLINIC", "FOREIGN_SOURCE"),
    409: ("CLINIC_ZONE_FIXED", "IDENTIFIER_TAKEN"),
    412: ("VERSION_CHANGED",),
    422: (*BAD_FIELD, "ILLEGAL_CLINIC_CODE", "UNKNOWN_ZONE", "UNKNOWN_COUNTRY", "BAD_WINDOW", "BAD_PHONE", "BAD_URL"),
}
_UNKNOWN = {403: ("FOREIGN_CLINIC",), 404: ("UNKNOWN_CLINIC",), 422: ("ILLEGAL_CLINIC_CODE",)}
_CLINIC = {
    "name": "Heart Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB",
    "window": {"opens": "07:00", "closes": "21:00"}, "sensitive": False,
    "identifiers": [{"system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "111111111"}],
    "phone": "020 7946 0018", "address": "1 Long Street, London N1 9GU",
    "directions_url": "https://maps.example.org/heart-clinic", "preparation": "Please bring a list of your medicines.",
    "services": {"MRI": {"address": "Basement, 1 Long Street, London N1 9GU", "preparation": "No metal.\nBe early."}},
}  # fmt: skip


def routes(
    transactions: Transactions,
    caller: Caller,
    reads: Pool,
    reader: Caller,
    default_country: str | None,
    entered: Callable[[], Awaitable[None]],
) -> APIRouter:
    """Return the routes.

    Args:
        entered: Called when there is a clinic more.
    """
    router = APIRouter(prefix="/v1", tags=["reference data"])
    clock = transactions.clock

    @router.put(
        "/clinics/{code}",
        summary="Enter a clinic",
        responses=refuses(_CODES),
        openapi_extra=body_schema(ClinicBody, {"clinic": _CLINIC}, "The clinic, whole."),
    )
    async def put_clinic(
        request: Request,
        response: Response,
        code: Code,
        client: Annotated[Client, Depends(caller)],
        if_match: IfMatch = None,
    ) -> ClinicAnswer:
        """Enter or change a clinic; needs the right to manage clinics. Its code and its zone are for ever (D2).

        What of `phone`, `address`, `directions_url` and `preparation` is left out stays as it is, and what is null is
        taken away (D51); the same of each of `services`, where null takes away all that it has of its own.
        """
        wanted = version_of(if_match)

        async def write(connection: Connection, body: ClinicBody) -> tuple[ClinicState, bool]:
            client.check_may_manage_clinics()
            entry = _entry(code, body, client, clock, default_country)
            return await write_clinic(connection, entry, clock.now(), wanted)

        done, said = await run_told(transactions, request, ClinicBody, write)
        if done[0].version == 1:
            await entered()
        return _answer(done, said, client, response)

    @router.patch(
        "/clinics/{code}",
        summary="Change a clinic in part",
        responses=refuses({**_CODES, 404: ("UNKNOWN_CLINIC",), 415: ("UNSUPPORTED_MEDIA_TYPE",)}),
        openapi_extra=merge_patch_schema(
            ClinicPart,
            {"phone": {"phone": "020 7946 0019"}, "no directions": {"directions_url": None}},
            "What changes; null goes.",
        ),
    )
    async def patch_clinic(
        request: Request,
        response: Response,
        code: Code,
        client: Annotated[Client, Depends(caller)],
        if_match: IfMatch = None,
    ) -> ClinicAnswer:
        """Change what is named, and nothing else (RFC 7396); needs the right to manage clinics.

        Identifiers that are named come to those that are there.
        """
        check_merge_patch(request)
        wanted = version_of(if_match)

        async def write(connection: Connection, part: ClinicPart) -> tuple[ClinicState, bool]:
            client.check_may_manage_clinics()
            client.check_clinic(clinic_code(code, "code"))
            held = await locked_clinic(connection, code)
            if held is None:
                raise _unknown()
            country = default_country if "country" in part.model_fields_set else held.country
            entry = _entry(code, part.whole(held), client, clock, country)
            return await write_clinic(connection, entry, clock.now(), wanted)

        return _answer(*await run_told(transactions, request, ClinicPart, write), client, response)

    @router.get("/clinics", summary="Clinics, by page")
    async def get_clinics(
        client: Annotated[Client, Depends(reader)],
        after: Annotated[str, Query(max_length=10, pattern="^[A-Z0-9]*$", description="`next_after` of before.")] = "",
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> ClinicPage:
        """Those that the key sees, in the order of their codes."""
        items = [ClinicView.model_validate(one) for one in await page(reads, client, after, limit)]
        return ClinicPage(items=items, next_after=next_place(items, limit, attrgetter("clinic_id")))

    @router.get("/clinics/{code}", summary="A clinic", responses=refuses(_UNKNOWN))
    async def get_clinic(response: Response, code: Code, client: Annotated[Client, Depends(reader)]) -> ClinicView:
        """The clinic as it is held, with how it is reached."""
        try:
            client.check_clinic(clinic_code(code, "code"))
        except Refused as refusal:
            raise problem(refusal) from None
        held = await one(reads, client, code)
        if held is None:
            raise _unknown()
        response.headers["ETag"] = etag(held["version"])
        return ClinicView.model_validate(held)

    return router


def _entry(code: str, body: ClinicBody, client: Client, clock: Clock, default_country: str | None) -> Entry:
    told = clinic_of(code, body, clock, default_country)
    client.check_clinic(told.clinic_id)
    names = [(client.source(i.source), i.system, i.value) for i in body.identifiers]
    sensitive = body.sensitive if "sensitive" in body.model_fields_set else None
    cause = Cause(client.client_id, f"{client.client_id}/clinic")
    return Entry(told, names, sensitive, cause, details_of(body, told.country))


def _answer(done: tuple[ClinicState, bool], said: list[Warned], client: Client, response: Response) -> ClinicAnswer:
    clinic, changed = done
    if changed:
        log.info("clinic.changed", clinic_id=clinic.clinic_id, version=clinic.version, client=client.client_id)
    response.headers["ETag"] = etag(clinic.version)
    return ClinicAnswer(clinic_id=clinic.clinic_id, version=clinic.version, warnings=views(said))


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_CLINIC", "No clinic has this code; PUT /v1/clinics/{code} enters it.")
