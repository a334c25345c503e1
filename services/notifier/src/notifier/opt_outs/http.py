"""The routes for those who stop or ask at the front desk.

Addresses come in bodies, never in a path or a query: those end up in the logs of proxies.
"""

from typing import Any

from fastapi import APIRouter, Depends

from chassis.api.app import refuses
from chassis.api.client_access import OPERATOR
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.opt_outs.bodies import AddressBody, OptOutBody, OptOutList
from notifier.opt_outs.store import Lifted, lift, opt_outs, stop
from notifier.values.addresses import Peppers


def routes(pool: Pool, clock: Clock, peppers: Peppers, operator: Any, lifted: Lifted) -> APIRouter:
    """Return the routes."""
    own = refuses({422: ("BAD_ADDRESS",)})
    router = APIRouter(prefix="/v1/opt-outs", tags=["opt-outs"], dependencies=[Depends(operator)], responses=own)

    @router.post("/look-up", summary="What an address wants no more")
    async def look_up_opt_outs(body: AddressBody) -> OptOutList:
        return await opt_outs(pool, body.kept(peppers))

    @router.post("/stop", summary="Stop messages to an address, for somebody who asked for it otherwise")
    async def stop_messages(body: OptOutBody) -> OptOutList:
        await stop(pool, body.kept(peppers), body.outside, body.categories, f"staff/{body.by or OPERATOR}", clock.now())
        return await opt_outs(pool, body.kept(peppers))

    @router.post("/lift", summary="Let messages to an address leave again, for somebody who asked for it")
    async def lift_opt_outs(body: OptOutBody) -> OptOutList:
        address, now = body.kept(peppers), clock.now()
        async with pool.transaction(isolation="read_committed") as connection:
            if await lift(connection, address, body.outside, body.categories, f"staff/{body.by or OPERATOR}", now):
                await lifted(connection, address, now)
        return await opt_outs(pool, body.kept(peppers))

    return router
