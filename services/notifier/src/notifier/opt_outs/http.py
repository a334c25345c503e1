"""The routes for those who stop or ask at the front desk.

Addresses come in bodies, never in a path or a query: those end up in the logs of proxies.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis.api.app import Problem
from chassis.api.query_fields import By
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.opt_outs import statements as sql
from notifier.opt_outs.store import found_by, lift, stop
from notifier.values.addresses import Address, Peppers, is_address
from notifier.values.kinds import Category
from schemas.notifications import Channel


class AddressBody(BaseModel):
    """An address: a mobile in E.164 or an email."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"address": "+447700900123"}})

    address: Annotated[str, StringConstraints(max_length=320, strip_whitespace=True)]

    def kept(self, peppers: Peppers) -> Address:
        """Return what it is kept under.

        Raises:
            Problem: 422 BAD_ADDRESS.
        """
        if not is_address(self.address.lower()):
            raise Problem(422, "BAD_ADDRESS", "address: a mobile in E.164 (+447700900123) or an email.")
        return peppers.of(self.address)


class OptOutBody(AddressBody):
    """What is to be stopped, or lifted, and who says so; all that is left out is meant."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"address": "ada@example.org", "by": "front desk"}}
    )

    channels: list[Channel] = Field(default=[Channel.EMAIL, Channel.SMS, Channel.WHATSAPP], max_length=4)
    categories: list[Category] = Field(default=list(Category), max_length=2)
    by: By = "operator"

    @property
    def outside(self) -> list[Channel]:
        """The channels named that have a carrier."""
        return sorted({channel for channel in self.channels if channel is not Channel.IN_APP})


class OptOutView(BaseModel):
    """One thing that an address wants no more."""

    channel: Channel
    category: Category
    since: datetime
    caused_by: str


class OptOutList(BaseModel):
    """All of it; empty: nothing is stopped."""

    items: list[OptOutView]


def routes(pool: Pool, clock: Clock, peppers: Peppers, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/opt-outs", tags=["opt-outs"], dependencies=[Depends(operator)])

    async def held(address: Address) -> OptOutList:
        rows = await pool.fetch(sql.OPT_OUTS, *found_by(address))
        return OptOutList(items=[OptOutView.model_validate(dict(row)) for row in rows])

    @router.post("/look-up", summary="What an address wants no more")
    async def look_up(body: AddressBody) -> OptOutList:
        return await held(body.kept(peppers))

    @router.post("/stop", summary="Stop messages to an address, for somebody who asked for it otherwise")
    async def stop_(body: OptOutBody) -> OptOutList:
        await stop(pool, body.kept(peppers), body.outside, body.categories, f"staff/{body.by}", clock.now())
        return await held(body.kept(peppers))

    @router.post("/lift", summary="Let messages to an address leave again, for somebody who asked for it")
    async def lift_(body: OptOutBody) -> OptOutList:
        await lift(pool, body.kept(peppers), body.outside, body.categories, f"staff/{body.by}", clock.now())
        return await held(body.kept(peppers))

    return router
