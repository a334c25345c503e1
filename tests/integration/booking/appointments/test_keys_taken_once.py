"""One key, one effect, in whatever quarter it was taken and where one begins (D41)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from booking.appointments.store import PostgresStore
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import Unavailable
from tests.integration.booking.appointments.partitions import QUARTER, connected, in_quarters, quarter, take
from tests.integration.booking.appointments.partitions import one as taken
from tests.support.booking.door import Door, booking
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration
BOUNDARY = datetime(2030, 4, 1, tzinfo=UTC)


class At(PostgresStore):
    """Booking's records in a transaction that began at a moment of machine time."""

    def __init__(self, connection: Connection, at: datetime) -> None:
        super().__init__(connection)
        self.at = at

    async def remember(self, taken: Any, at: datetime | None = None) -> None:
        """Remember as of that moment."""
        await super().remember(taken, self.at)


@pytest.mark.parametrize(
    ("first", "second"),
    [(-9.9, 0.0), (-0.001, 0.001), (-5, 4.9), (0.0, -9.9), (30, 59), (-20, -10), (59, 61), (86_400, 86_410)],
)
async def test_d41_one_key_taken_by_two_at_once_is_taken_once_also_where_a_quarter_begins(
    base: Installation, first: float, second: float
) -> None:
    """They are for two visits, so no row of a visit keeps them apart: neither sees the other's key."""
    pool = await base.pool("booking")
    async with pool.acquire() as one, pool.acquire() as other:
        early, late = one.transaction(), other.transaction()
        await early.start()
        await late.start()
        stores = (
            At(one, BOUNDARY + timedelta(seconds=first)),
            At(other, BOUNDARY + timedelta(seconds=second)),
        )
        for store in stores:
            assert await store.recorded_events([("local", "k")]) == {}
        await stores[0].remember(taken("k"))
        waiting = asyncio.create_task(stores[1].remember(taken("k")))
        await until(lambda: _waits(pool))
        await early.commit()
        with pytest.raises(Unavailable) as refused:
            await waiting
        await late.rollback()
    assert refused.value.code == "KEY_RACE"


async def test_a_key_that_is_kept_without_a_word_of_its_quarter_is_kept_in_this_one(admin: Connection) -> None:
    """As the release before does."""
    await admin.execute(
        "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings) "
        "VALUES ('local', 'k', '', 'applied', gen_random_uuid(), 1, '{}')"
    )
    assert await admin.fetchval("SELECT period FROM ingress") == await quarter(admin)


async def test_a_key_is_found_in_whatever_quarter_it_was_taken(base: Installation, admin: Connection) -> None:
    await in_quarters(admin, 4)
    for number in range(5):
        await take(admin, f"k{number}", number * QUARTER)
    pool = await base.pool("booking")
    async with pool.acquire() as connection, connection.transaction():
        found = await PostgresStore(connection).recorded_events([("local", f"k{number}") for number in range(6)])
    assert sorted(key for _, key in found) == [f"k{number}" for number in range(5)]


async def test_an_event_of_a_quarter_before_is_answered_as_it_was(door: Door, base: Installation) -> None:
    first = await door.post(booking("e1"))
    async with connected(base.admin_url) as admin:
        await admin.execute("UPDATE ingress SET period = '-infinity', recorded_at = now() - interval '399 days'")

    again = await door.post(booking("e1"))

    assert (again["result"], again["original_result"]) == ("repeat", "applied")
    assert again["appointment_id"] == first["appointment_id"]
    answer = await door.ask("GET", "/v1/inbound/e1")
    assert answer.json()["result"] == "applied"


async def _waits(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
