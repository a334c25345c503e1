"""Clearances of many visits at once: a dry run over all that are ahead, and whoever comes second sees the first."""

import asyncio
import sys
import time
from typing import Any
from uuid import UUID

import pytest

from booking.clearances.store import standing
from chassis.postgres.database import Connection
from tests.integration.booking.clearances.words import MRI, NOW, PAY, POLICY, consent, required, said, visit
from tests.support.booking.door import OPERATOR_KEY, Door
from tests.support.waiting import until

VISITS = 100_000

AHEAD = """
INSERT INTO appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode, patient_id,
                         clinic_id, service_type, starts_at, schedule_gen)
SELECT uuidv7(), 'local', 1, 'booked', $1::timestamptz, $1, false, 'live', uuidv7(), 'EYE',
       CASE n % 3 WHEN 0 THEN 'MRI' ELSE 'Check' END, $1::timestamptz + n * interval '1 minute', 1
FROM generate_series(1, $2::int) n
"""
CLEARED = """
INSERT INTO clearance (appointment_id, kind, form, version, state, form_version, expires_at, payer_class, client,
                       recorded_at, patient_id)
SELECT appointment_id, kind, form, 1, 'cleared', CASE kind WHEN 'consent' THEN '2' END,
       CASE WHEN random() < 0.1 THEN starts_at - interval '1 day' END, CASE kind WHEN 'financial' THEN 'self-pay' END,
       'desk', $1, patient_id
FROM appointment, (VALUES ('consent', 'mri'), ('financial', '')) AS given (kind, form)
WHERE service_type = 'MRI' OR kind = 'financial'
"""


@pytest.mark.timeout(120)
async def test_a_dry_run_looks_at_every_visit_ahead_and_says_how_long_it_took(
    door: Door, admin: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    await admin.execute(AHEAD, NOW, VISITS)
    await admin.execute(CLEARED, NOW)
    began = time.monotonic()
    body = {"requires": [MRI, PAY]}
    told = (await door.ask("POST", f"{POLICY}/dry-run", body, key=OPERATOR_KEY)).json()
    took = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(
            f"\n{told['looked_at']} visits looked at in {took:.1f} s: {told['blocked']} blocked, {told['lacks']}\n"
        )
    counted = {(one["kind"], one["code"]): one["visits"] for one in told["lacks"]}
    assert (told["looked_at"], counted["consent", "MISSING"]) == (VISITS, VISITS - VISITS // 3)


class Counting:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.asked = 0

    async def fetch(self, *asked: Any) -> Any:
        self.asked += 1
        return await self._connection.fetch(*asked)


async def test_how_many_visits_stand_is_asked_in_three_statements(door: Door, key: str) -> None:
    paths = [await visit(door, f"v{number}") for number in range(5)]
    ids = [UUID(path.rpartition("/")[2]) for path in paths]

    async def stand() -> tuple[int, list[bool]]:
        async with door.pool.acquire() as connection:
            counting: Any = Counting(connection)
            found = await standing(counting, ids, NOW)
            return counting.asked, [found[one].is_cleared for one in ids]

    assert await stand() == (1, [True] * 5)
    await required(door, MRI)
    await said(door, paths[0], consent(), key)
    assert await stand() == (3, [True, False, False, False, False])


async def test_a_word_waits_for_whoever_has_the_visits_lock(door: Door, key: str) -> None:
    path = await visit(door)
    async with door.pool.transaction() as connection:
        await connection.execute("SELECT 1 FROM appointment FOR UPDATE")
        waiting = asyncio.create_task(said(door, path, consent(), key))
        blocked = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        await until(lambda: door.pool.fetchval(blocked), "the word waits", within_s=20)
        assert not waiting.done()
        assert await connection.fetchval("SELECT count(*) FROM clearance") == 0
    assert (await waiting)["result"] == "applied"


async def test_of_many_who_say_the_same_at_once_one_is_first(door: Door, key: str) -> None:
    path = await visit(door)
    answers = await asyncio.gather(*(said(door, path, consent(), key) for _ in range(8)))
    assert sorted(one["result"] for one in answers) == ["applied", *["repeat"] * 7]
    assert await door.pool.fetchval("SELECT count(*) FROM clearance_history") == 1
