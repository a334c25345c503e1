"""PostgreSQL stopped and killed while lanes send: what was accepted is written down when it is back, nothing twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.process.errors import Unavailable
from schemas.appointments import Appointment
from schemas.notifications import Channel
from stack.postgres import Postgres
from tests.chaos.sending.lane_runs import MESSAGES, enter, ids, lane, taken, verdict
from tests.chaos.sending.table import Line
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

CHANNELS = (Channel.SMS, Channel.EMAIL)


@pytest.fixture
async def notifier(own_installation: Installation, tmp_path: Path) -> AsyncIterator[RunningNotifier]:
    """Give a notifier whose database can be stopped."""
    async with carriers() as made, RunningNotifier.open(own_installation, made, tmp_path) as opened:
        yield opened


async def ended(notifier: RunningNotifier, visits: list[Appointment]) -> None:
    """Wait until every message has an outcome, however long the database is away."""
    query = """
        SELECT count(*) FROM notification
        WHERE appointment_id = ANY($1::uuid[]) AND state NOT IN ('queued', 'sending')"""

    async def there() -> bool:
        try:
            return bool(await notifier.pool.fetchval(query, ids(visits)) == len(visits))
        except Unavailable:
            return False

    await until(there)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_stopped_during_the_calls_the_answers_wait_for_it_and_are_written_down(
    own_postgres: Postgres, notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel, "held")
    await notifier.start(lanes=())
    await lane(notifier, channel)
    await taken(notifier, MESSAGES)
    await asyncio.to_thread(own_postgres.stop)
    notifier.carriers.let_go()
    await asyncio.to_thread(own_postgres.start)
    await ended(notifier, visits)
    faults.append(await verdict(notifier, f"PostgreSQL restarted during the calls, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (MESSAGES, 0)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_killed_again_and_again_under_load_nothing_is_doubled_and_what_cannot_be_known_is_listed(
    own_postgres: Postgres, notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    """A claim that was cut at its commit may have landed: its messages are listed when their lease has run out."""
    visits = await enter(notifier, channel, number=300)
    notifier.carriers.answer_s = 0.05
    hasty = {"NOTIFIER_CARRIER_TIMEOUT_S": "2", "NOTIFIER_LEASE_S": "9", "NOTIFIER_SMS_SLOTS": "8"}
    await notifier.start(lanes=())
    for _ in range(2):
        await lane(notifier, channel, **{**hasty, "NOTIFIER_EMAIL_SLOTS": "8"})
    for times in range(1, 4):
        await taken(notifier, 60 * times)
        await asyncio.to_thread(own_postgres.kill)
        await asyncio.to_thread(own_postgres.start)
    await ended(notifier, visits)
    faults.append(await verdict(notifier, f"PostgreSQL killed three times, two instances, {channel}", visits))
    assert faults[-1].sound
    assert faults[-1].accepted + faults[-1].unknown >= len(visits)
