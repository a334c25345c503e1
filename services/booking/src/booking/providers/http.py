"""`PUT /v1/providers`: clinicians, safe to send again."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Body, Source, Text, body_schema
from booking.door.commands import run_command
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.providers.store import write_provider
from booking.values import texts
from chassis.api.app import refuses
from chassis.postgres.database import Connection

log: structlog.stdlib.BoundLogger = structlog.get_logger()


_CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_MANAGE_CLINICS", "FOREIGN_SOURCE"),
    422: (*BAD_FIELD, "PADDED_ID"),
    503: ("IDENTITY_RACE",),
}


class ProviderBody(Body):
    """A clinician."""

    name: Text


class ProviderAnswer(BaseModel):
    """The clinician as he is now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"provider_id": "6f6de3a5-9c53-5c3e-8e0b-0f3a6b1f7d11", "version": 1}]}
    )

    provider_id: UUID
    version: int = Field(description="The same as before if nothing changed.")


def routes(transactions: Transactions, caller: Caller) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["reference data"])
    clock = transactions.clock

    @router.put(
        "/providers/{source_id:path}",
        summary="Make a clinician known",
        responses=refuses(_CODES),
        openapi_extra=body_schema(ProviderBody, {"provider": {"name": "Dr. Ngozi Adeyemi"}}, "The clinician."),
    )
    async def put_provider(
        request: Request,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
    ) -> ProviderAnswer:
        """Make a clinician known, or change his name. Needs the right to manage clinics."""

        async def write(connection: Connection, body: ProviderBody) -> tuple[str, int, bool]:
            client.check_may_manage_clinics()
            identity = (client.source(source), texts.identifier(source_id, "source id"))
            name = texts.name(body.name, "name")
            return await write_provider(connection, identity, name, clock.now())

        provider_id, version, changed = await run_command(transactions, request, ProviderBody, write)
        if changed:
            log.info("provider.changed", provider_id=provider_id, version=version, client=client.client_id)
        return ProviderAnswer(provider_id=UUID(provider_id), version=version)

    return router
