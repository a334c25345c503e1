"""`/v1/providers`: clinicians, told of whole or in part, safe to send again; and read."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from booking.door.auth import Caller
from booking.door.bodies import (
    BAD_BODY,
    BAD_FIELD,
    Body,
    Name,
    Source,
    Text,
    WarningView,
    body_schema,
    problem,
    views,
)
from booking.door.commands import run_told
from booking.door.domain import Client
from booking.door.merge_patch import ID, IfMatch, check_merge_patch, etag, merge_patch_schema
from booking.door.transactions import Transactions
from booking.providers.reads import find, page
from booking.providers.store import ProviderVersion, write_provider
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.warned import Warned
from chassis.api.app import refuses
from chassis.api.if_match import version_of
from chassis.postgres.database import Connection, Pool

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LONGEST_PAGE = 1_000


_CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_MANAGE_CLINICS", "FOREIGN_SOURCE"),
    412: ("VERSION_CHANGED",),
    422: (*BAD_FIELD, "PADDED_ID"),
    503: ("IDENTITY_RACE",),
}


_READ = {403: ("FOREIGN_SOURCE",), 422: ("SOURCE_REQUIRED", "PADDED_ID", "CONTROL_CHARACTER")}


class ProviderBody(Body):
    """A clinician."""

    name: Text


class ProviderPart(Body):
    """What changes of a clinician."""

    name: Text | None = Field(default=None, description="Left out: as it is.")


_HELD: dict[str, Any] = {"provider_id": "6f6de3a5-9c53-5c3e-8e0b-0f3a6b1f7d11", "version": 1}


class ProviderAnswer(BaseModel):
    """The clinician as he is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_HELD, "warnings": []}]})

    provider_id: UUID
    version: int = Field(description="The same as before if nothing changed; also the answer's ETag.")
    warnings: list[WarningView] = Field(description="Fields that were passed over.")


class ProviderView(BaseModel):
    """A clinician as he is held."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_HELD, "name": "Dr. Ngozi Adeyemi", "names": [{"source": "local", "id": "dr-204"}]}]
        }
    )

    provider_id: UUID
    version: int = Field(description="Also the answer's ETag.")
    name: str
    names: list[Name] = Field(description="What his source calls him.")


class ProviderPage(BaseModel):
    """Clinicians whom a source names, in the order of its ids."""

    items: list[ProviderView]
    next_after: str | None = Field(description="The next page's `after`; null on the last one.")


_EXAMPLE = {"provider": {"name": "Dr. Ngozi Adeyemi"}}


def routes(transactions: Transactions, caller: Caller, reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["reference data"])
    clock = transactions.clock

    @router.put(
        "/providers/{source_id:path}",
        summary="Make a clinician known",
        responses=refuses(_CODES),
        openapi_extra=body_schema(ProviderBody, _EXAMPLE, "The clinician."),
    )
    async def put_provider(
        request: Request,
        response: Response,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        if_match: IfMatch = None,
    ) -> ProviderAnswer:
        """Make a clinician known, or change his name. Needs the right to manage clinics."""
        wanted = version_of(if_match)

        async def write(connection: Connection, told: ProviderBody) -> ProviderVersion:
            client.check_may_manage_clinics()
            identity = (client.source(source), texts.identifier(source_id, "source id"))
            return await write_provider(connection, identity, texts.name(told.name, "name"), clock.now(), wanted)

        return _answer(*await run_told(transactions, request, ProviderBody, write), client, response)

    @router.patch(
        "/providers/{id:path}",
        summary="Change a clinician in part",
        responses=refuses({**_CODES, 404: ("UNKNOWN_PROVIDER",), 415: ("UNSUPPORTED_MEDIA_TYPE",)}),
        openapi_extra=merge_patch_schema(ProviderPart, _EXAMPLE, "What changes."),
    )
    async def patch_provider(
        request: Request,
        response: Response,
        id: Annotated[str, Path(description=ID)],  # the API's word
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        if_match: IfMatch = None,
    ) -> ProviderAnswer:
        """Change what is named, and nothing else (RFC 7396). Needs the right to manage clinics."""
        check_merge_patch(request)
        wanted = version_of(if_match)
        try:
            client.check_may_manage_clinics()
            held = await find(reads, client, id, source)
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None

        async def write(connection: Connection, told: ProviderPart) -> ProviderVersion:
            if "name" in told.model_fields_set and told.name is None:
                raise Refused("WRONG_TYPE", "a clinician has a name: it is changed, not taken away", "name")
            name = None if told.name is None else texts.name(told.name, "name")
            return await write_provider(connection, (held["source"], held["source_id"]), name, clock.now(), wanted)

        return _answer(*await run_told(transactions, request, ProviderPart, write), client, response)

    @router.get("/providers", summary="Clinicians whom a source names, by page", responses=refuses(_READ))
    async def get_providers(
        client: Annotated[Client, Depends(reader)],
        source: Source = None,
        after: Annotated[str, Query(max_length=200, description="`next_after` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> ProviderPage:
        """In the order of the source's ids; those whom visits name and nobody entered are left out."""
        try:
            whose, place = client.source(source), after and texts.identifier(after, "after")
        except Refused as refusal:
            raise problem(refusal) from None
        items, following = await page(reads, whose, place, limit)
        return ProviderPage(items=[ProviderView.model_validate(one) for one in items], next_after=following)

    @router.get("/providers/{id:path}", summary="A clinician", responses=refuses({**_READ, 404: ("UNKNOWN_PROVIDER",)}))
    async def get_provider(
        response: Response,
        id: Annotated[str, Path(description=ID)],  # the API's word
        client: Annotated[Client, Depends(reader)],
        source: Source = None,
    ) -> ProviderView:
        """The clinician as he is held."""
        try:
            held = await find(reads, client, id, source)
        except Refused as refusal:
            raise problem(refusal) from None
        response.headers["ETag"] = etag(held["version"])
        return ProviderView.model_validate(held)

    return router


def _answer(done: ProviderVersion, said: list[Warned], client: Client, response: Response) -> ProviderAnswer:
    if done.changed:
        log.info("provider.changed", provider_id=str(done.provider_id), version=done.version, client=client.client_id)
    response.headers["ETag"] = etag(done.version)
    return ProviderAnswer(provider_id=done.provider_id, version=done.version, warnings=views(said))
