"""A door that has enough to do says so; readers take nothing from those who book."""

import asyncio

import asyncpg
import pytest

from booking.door.domain import Client
from chassis.postgres.database import create_pool
from chassis.process.errors import Unavailable
from tests.integration.booking.policies.policy import PATH, WEEK
from tests.support.booking.door import OPERATOR_KEY, Door, booking, opened_on_kafka
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def test_whoever_finds_no_free_connection_gets_an_answer(base: Installation) -> None:
    pool = await create_pool(base.service_url("booking"), "booking", max_size=1, acquire_timeout_s=0.1)
    async with pool.acquire():
        with pytest.raises(Unavailable, match="no connection in 0"):
            await pool.fetchval("SELECT 1")
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_booking_is_taken_while_every_reader_waits(installation: Installation) -> None:
    async with opened_on_kafka(installation) as door:
        await door.post(booking("e1"))
        blocker = await asyncpg.connect(installation.admin_url)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE booking.appointment_history IN ACCESS EXCLUSIVE MODE")
            visit = await door.pool.fetchval("SELECT appointment_id FROM appointment")
            reads = [asyncio.create_task(door.ask("GET", f"/v1/appointments/{visit}")) for _ in range(40)]
            key = await door.client(Client("other", ("other",), may_register=True))
            body = {"given_name": "Ann"}

            taken = await asyncio.wait_for(door.ask("PUT", "/v1/patients/ann?source=other", body, key=key), 5)

            assert taken.status_code == 200
            assert not any(read.done() for read in reads)
        await blocker.close()
        assert {read.status_code for read in await asyncio.gather(*reads)} == {200}


async def test_dry_runs_have_a_bound_and_say_so_in_both_forms(door: Door, base: Installation) -> None:
    await door.post(booking("e1"))
    blocker = await base.pool("booking")
    plan = {**WEEK, "past_months": 1}
    async with blocker.acquire() as held, held.transaction():
        await held.execute("LOCK TABLE appointment IN ACCESS EXCLUSIVE MODE")
        running = [asyncio.create_task(door.ask("POST", f"{PATH}/plan", plan, key=OPERATOR_KEY)) for _ in range(2)]

        async def both_wait() -> bool:
            return bool(await held.fetchval("SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted"))

        await until(both_wait)
        refused = await door.ask("POST", f"{PATH}/plan", plan, key=OPERATOR_KEY)
        lines = await door.ask("POST", f"{PATH}/plan", plan, key=OPERATOR_KEY, accept="application/x-ndjson")

        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "BUSY", "1")
        assert lines.json()["problem"]["code"] == "BUSY"
    assert {answer.status_code for answer in await asyncio.gather(*running)} == {200}
    assert (await door.ask("POST", f"{PATH}/plan", plan, key=OPERATOR_KEY)).status_code == 200


async def test_a_database_that_is_busy_is_unavailable_and_not_an_error(base: Installation) -> None:
    pool = await create_pool(base.service_url("booking"), "booking", max_size=1, acquire_timeout_s=0.1)
    async with pool.acquire():
        with pytest.raises(Unavailable, match="DATABASE_UNAVAILABLE"):
            await pool.fetchval("SELECT 1")
    await pool.close()
