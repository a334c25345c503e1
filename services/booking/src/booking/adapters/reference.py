"""`PUT /v1/providers|clinics`: reference data, safe to send again."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError

from booking.adapters import reference_store
from booking.adapters.store import PostgresStore
from booking.clinics.domain.clinic import ClinicState
from booking.door.auth import Caller
from booking.door.bodies import Id, Text, body_schema, problem, refusal_of
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.safety.domain import Cause
from booking.values import contacts, texts
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from booking.values.times import local_time, zone_of
from chassis.clock import Clock

log: structlog.stdlib.BoundLogger = structlog.get_logger()

Source = Annotated[str | None, Query(description="Left out: the client's only source.")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ProviderBody(_Body):
    """A clinician."""

    name: Text


class WindowBody(_Body):
    """Local hours in which patients may be messaged."""

    opens: StrictStr = "07:00"
    closes: StrictStr = "21:00"


class IdentifierBody(_Body):
    """One way in which a source names the clinic."""

    system: Id
    value: Id
    source: StrictStr | None = None


class ClinicBody(_Body):
    """A clinic."""

    name: Text
    zone: StrictStr
    languages: list[Text] = Field(default=["en"], min_length=1, max_length=20)
    country: StrictStr | None = None
    window: WindowBody = WindowBody()
    sensitive: StrictBool = Field(default=False, description="Left out: as it is; a new clinic is not.")
    identifiers: list[IdentifierBody] = Field(default=[], max_length=100)


_CLINIC = {
    "name": "Heart Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB",
    "window": {"opens": "07:00", "closes": "21:00"}, "sensitive": False,
    "identifiers": [{"system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "111111111"}],
}  # fmt: skip


def routes(transactions: Transactions, caller: Caller, default_country: str) -> APIRouter:
    """Return the routes of reference data."""
    router = APIRouter(prefix="/v1", tags=["reference data"])
    clock = transactions.clock

    async def put[B: BaseModel, T](
        request: Request, model: type[B], write: Callable[[PostgresStore, B], Awaitable[T]]
    ) -> T:
        body = await request.body()
        try:
            told = model.model_validate(strict_json(body))
            return await transactions.run(lambda connection: write(PostgresStore(connection), told))
        except ValidationError as error:
            refusal = refusal_of(error)
        except Refused as refused:
            refusal = refused
        transactions.counts.refused(refusal)
        raise problem(refusal)

    @router.put(
        "/providers/{source_id:path}",
        summary="Make a clinician known",
        openapi_extra=body_schema(ProviderBody, {"provider": {"name": "Dr. Ngozi Adeyemi"}}, "The clinician."),
    )
    async def put_provider(
        request: Request,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
    ) -> dict[str, Any]:
        """Make a clinician known, or change his name. Needs the right to manage clinics."""

        async def write(store: PostgresStore, body: ProviderBody) -> tuple[str, int, bool]:
            client.check_may_manage_clinics()
            identity = (client.source(source), texts.identifier(source_id, "source id"))
            name = texts.name(body.name, "name")
            return await reference_store.write_provider(store.connection, identity, name, clock.now())

        provider_id, version, changed = await put(request, ProviderBody, write)
        if changed:
            log.info("provider.changed", provider_id=provider_id, version=version, client=client.client_id)
        return {"provider_id": provider_id, "version": version}

    @router.put(
        "/clinics/{code}",
        summary="Enter a clinic",
        openapi_extra=body_schema(ClinicBody, {"clinic": _CLINIC}, "The clinic, whole."),
    )
    async def put_clinic(
        request: Request, code: Annotated[str, Path()], client: Annotated[Client, Depends(caller)]
    ) -> dict[str, Any]:
        """Enter or change a clinic; needs the right to manage clinics. Its code and its zone are for ever (D2)."""

        async def write(store: PostgresStore, body: ClinicBody) -> tuple[ClinicState, bool]:
            client.check_may_manage_clinics()
            told = clinic_of(code, body, clock, default_country)
            client.check_clinic(told.clinic_id)
            names = [(client.source(i.source), i.system, i.value) for i in body.identifiers]
            sensitive = body.sensitive if "sensitive" in body.model_fields_set else None
            cause = Cause(client.client_id, f"{client.client_id}/clinic")
            entry = reference_store.Entry(told, names, sensitive, cause)
            return await reference_store.write_clinic(store.connection, entry, clock.now())

        clinic, changed = await put(request, ClinicBody, write)
        if changed:
            log.info("clinic.changed", clinic_id=clinic.clinic_id, version=clinic.version, client=client.client_id)
        return {"clinic_id": clinic.clinic_id, "version": clinic.version}

    return router


def clinic_of(code: str, body: ClinicBody, clock: Clock, default_country: str) -> ClinicState:
    """Return the clinic that the body tells of.

    Raises:
        Refused: ILLEGAL_CLINIC_CODE, UNKNOWN_ZONE, UNKNOWN_COUNTRY, BAD_WINDOW, or a name is not acceptable.
    """
    opens = local_time(body.window.opens, "window.opens")
    closes = local_time(body.window.closes, "window.closes")
    if opens >= closes:
        raise Refused("BAD_WINDOW", "the window closes before it opens", "window")
    return ClinicState(
        clinic_id=clinic_code(code, "code"),
        version=0,
        name=texts.name(body.name, "name"),
        zone=zone_of(body.zone, "zone").key,
        country=contacts.country(body.country or default_country, "country"),
        created_at=clock.now(),
        languages=tuple(texts.name(language, "languages") for language in body.languages),
        window_opens=opens,
        window_closes=closes,
    )
