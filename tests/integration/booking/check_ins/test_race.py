"""R34: a check-in and a withdrawal at once: one of both comes first, and the later one sees the earlier (0054)."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import asyncpg
import httpx2
import pytest

from chassis.process.clock import StillClock
from tests.support.booking.check_ins import check_in, consent, require_consent, staff, withdraw
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation
from tests.support.waiting import until

VISITS = 2_000
AT_ONCE = 40
"""Requests under way; the two about a visit come within so many of each other, in either order."""

_JUDGED = """
SELECT c.appointment_id, c.overridden, (
    SELECT state FROM clearance_history h
    WHERE h.appointment_id = c.appointment_id AND h.serial < c.serial AND h.result = 'applied'
    ORDER BY h.serial DESC LIMIT 1
) AS state
FROM check_in c
"""


class Upstream(Door):
    """A client that sends again, as it is, what was answered 503: 40 at once wait for 14 connections."""

    async def ask(self, *asked: Any, **named: Any) -> httpx2.Response:
        answers: list[httpx2.Response] = []

        async def is_answered() -> bool:
            answers[:] = [await Door.ask(self, *asked, **named)]
            return answers[0].status_code != httpx2.codes.SERVICE_UNAVAILABLE

        await until(is_answered)
        return answers[0]


async def deadlocks(base: Installation) -> int:
    """Return how many PostgreSQL ended in this database; of connections that are closed, which have told by then."""
    connection = await asyncpg.connect(base.admin_url)
    try:
        return int(
            await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    finally:
        await connection.close()


async def booked(door: Door) -> list[str]:
    ids: list[str] = []
    for first in range(0, VISITS, 1_000):
        bodies = [
            booking(f"e{n}", f"v{n}", patient={"id": f"p{n}"}, start="2027-03-12T10:00:00Z", end=None)
            for n in range(first, first + 1_000)
        ]
        ids += [one["appointment_id"] for one in (await door.post(bodies))["results"]]
    return ids


@pytest.mark.timeout(300)
async def test_r34_of_2000_check_ins_against_2000_withdrawals_none_is_let_in_who_lacked(base: Installation) -> None:
    async with opened(base, StillClock(datetime(2027, 3, 12, 9, 50, tzinfo=UTC))) as opened_door:
        door = Upstream(**vars(opened_door))
        key = await staff(door)
        await require_consent(door, key)
        ids, places, chance = await booked(door), asyncio.Semaphore(AT_ONCE), random.Random(7)

        async def signed(number: int, visit: str) -> None:
            async with places:
                await consent(door, key, visit, f"c-{number}")

        await asyncio.gather(*(signed(n, visit) for n, visit in enumerate(ids)))
        answers = Counter[int]()

        async def let_in(number: int, visit: str) -> None:
            async with places:
                answers[(await check_in(door, visit, event_id=f"in-{number}")).status_code] += 1

        async def withdrawn_now(number: int, visit: str) -> None:
            async with places:
                await withdraw(door, key, visit, f"out-{number}")

        asked = [(n + chance.uniform(0, AT_ONCE), one, n) for n in range(VISITS) for one in (let_in, withdrawn_now)]
        await asyncio.gather(*(one(n, ids[n]) for _, one, n in sorted(asked, key=itemgetter(0))))

        rows = await door.pool.fetch(_JUDGED)
        withdrawn = await door.pool.fetchval("SELECT count(*) FROM clearance WHERE state = 'withdrawn'")
        violations = [row["appointment_id"] for row in rows if row["state"] != "cleared" and not row["overridden"]]
        told = f"{answers[200]} let in, {answers[409]} refused, {len(violations)} violations"
        print(f"\n{VISITS} check-ins against {withdrawn} withdrawals: {told}")  # noqa: T201  # with -s
        assert set(answers) == {200, 409}
        assert (answers[200], answers[200] + answers[409], withdrawn) == (len(rows), VISITS, VISITS)
        assert violations == []
    assert await deadlocks(base) == 0  # each would have been a 503, and hidden by the repeats
