"""kill -9 and SIGSTOP of a lane at each point of a send: nothing is doubled, and what cannot be known is listed."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from schemas.appointments import Appointment, Status
from schemas.notifications import Channel
from tests.chaos.sending.database_proxy import ANSWER, CLAIM, At, DatabaseProxy
from tests.chaos.sending.lane_runs import MESSAGES, enter, in_state, kill_9, lane, recover, settle, taken, verdict
from tests.chaos.sending.table import Line
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

LANES = (Channel.SMS, Channel.EMAIL)


@asynccontextmanager
async def between(installation: Installation) -> AsyncIterator[DatabaseProxy]:
    """Put a proxy between the next lane and its database."""
    async with DatabaseProxy(installation.service_url("notifier")).running() as proxy:
        yield proxy


async def killed(
    notifier: RunningNotifier, proxy: DatabaseProxy, channel: Channel, words: bytes, at: At
) -> list[Appointment]:
    """Kill a lane with kill -9 while the transaction that says these words is stopped, and let another one go on."""
    visits = await enter(notifier, channel)
    await notifier.start(lanes=())
    await in_state(notifier, visits, "queued")
    proxy.stop(words, at)
    process = await lane(notifier, channel, NOTIFIER_DATABASE_URL=proxy.url)
    await proxy.reached.wait()
    if at is At.COMMITTED:
        await in_state(notifier, visits, "sending" if words is CLAIM else "accepted")
    await kill_9(process)
    proxy.go_on(lost=True)
    await recover(notifier, channel, visits)
    return visits


@pytest.mark.parametrize("channel", LANES)
async def test_killed_before_the_claims_commit_everything_is_sent_once(
    notifier: RunningNotifier, installation: Installation, channel: Channel, faults: list[Line]
) -> None:
    async with between(installation) as proxy:
        visits = await killed(notifier, proxy, channel, CLAIM, At.COMMIT)
    faults.append(await verdict(notifier, f"kill -9 before the claim's commit, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (MESSAGES, 0)


@pytest.mark.parametrize("channel", LANES)
async def test_killed_after_the_claims_commit_nothing_left_and_all_is_listed(
    notifier: RunningNotifier, installation: Installation, channel: Channel, faults: list[Line]
) -> None:
    async with between(installation) as proxy:
        visits = await killed(notifier, proxy, channel, CLAIM, At.COMMITTED)
    faults.append(await verdict(notifier, f"kill -9 after the claim's commit, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (0, MESSAGES)


@pytest.mark.parametrize("channel", LANES)
async def test_killed_during_the_call_all_is_listed_and_nothing_sent_again(
    notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel, "held")
    await notifier.start(lanes=())
    process = await lane(notifier, channel)
    await taken(notifier, MESSAGES)
    await kill_9(process)
    await recover(notifier, channel, visits)
    faults.append(await verdict(notifier, f"kill -9 during the call, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (MESSAGES, MESSAGES)


@pytest.mark.parametrize("channel", LANES)
async def test_killed_between_the_reply_and_its_commit_all_is_listed(
    notifier: RunningNotifier, installation: Installation, channel: Channel, faults: list[Line]
) -> None:
    async with between(installation) as proxy:
        visits = await killed(notifier, proxy, channel, ANSWER, At.COMMIT)
    faults.append(await verdict(notifier, f"kill -9 after the reply, before its commit, {channel}", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == MESSAGES
    assert faults[-1].unknown >= 1


@pytest.mark.parametrize("channel", LANES)
async def test_killed_before_the_second_transaction_begins_all_is_listed(
    notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    """The answers are at the lane; their rows are locked by somebody else while it is killed."""
    visits = await enter(notifier, channel, "held")
    await notifier.start(lanes=())
    process = await lane(notifier, channel)
    await taken(notifier, MESSAGES)
    async with notifier.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM notification WHERE state = 'sending' FOR UPDATE")
        notifier.carriers.let_go()
        await _somebody_waits(notifier)
        await kill_9(process)
    await recover(notifier, channel, visits)
    faults.append(await verdict(notifier, f"kill -9 before the second transaction, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (MESSAGES, MESSAGES)


async def _somebody_waits(notifier: RunningNotifier) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

    async def waits() -> bool:
        return bool(await notifier.pool.fetchval(query))

    await until(waits)


@pytest.mark.parametrize("channel", LANES)
async def test_frozen_past_its_lease_a_lane_wakes_and_settles_what_was_listed(
    notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel, "held")
    await notifier.start(lanes=())
    process = await lane(notifier, channel)
    await taken(notifier, MESSAGES)
    process.send_signal(signal.SIGSTOP)
    await notifier.let_leases_run_out()
    await lane(notifier, channel)
    await in_state(notifier, visits, "unknown")
    notifier.carriers.let_go()
    process.send_signal(signal.SIGCONT)
    await in_state(notifier, visits, "accepted")
    await settle(notifier, visits)
    faults.append(await verdict(notifier, f"SIGSTOP past the lease, SIGCONT, {channel}", visits))
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].unknown) == (MESSAGES, 0)


@pytest.mark.parametrize("channel", LANES)
async def test_frozen_with_a_line_of_claims_a_lane_wakes_and_begins_no_call_to_who_has_cancelled(
    notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel, "held", number=16)
    await notifier.start(lanes=())
    process = await lane(notifier, channel, NOTIFIER_SMS_SLOTS="4", NOTIFIER_EMAIL_SLOTS="4")
    await taken(notifier, 4)
    process.send_signal(signal.SIGSTOP)
    for visit in visits:
        await notifier.hold(visit.model_copy(update={"version": 2, "status": Status.CANCELLED}))
    await notifier.let_leases_run_out()
    await lane(notifier, channel)
    await in_state(notifier, visits, "unknown", "skipped")
    notifier.carriers.let_go()
    process.send_signal(signal.SIGCONT)
    await settle(notifier, visits)
    faults.append(await verdict(notifier, f"SIGSTOP with claims in line, all cancelled, SIGCONT, {channel}", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == 4  # under way before the cancellation


@pytest.mark.parametrize("channel", LANES)
async def test_a_claim_that_took_too_long_is_gated_again_and_hears_of_the_cancellation(
    notifier: RunningNotifier, installation: Installation, channel: Channel, faults: list[Line]
) -> None:
    """The claim's commit is answered more than 5 s after its gate; half of the visits are cancelled meanwhile."""
    async with between(installation) as proxy:
        visits = await enter(notifier, channel)
        await notifier.start(lanes=())
        await in_state(notifier, visits, "queued")
        proxy.stop(CLAIM, At.COMMITTED)
        await lane(notifier, channel, NOTIFIER_DATABASE_URL=proxy.url)
        await proxy.reached.wait()
        await in_state(notifier, visits, "sending")
        for visit in visits[::2]:
            await notifier.hold(visit.model_copy(update={"version": 2, "status": Status.CANCELLED}))
        await asyncio.sleep(5.2)  # the oldest a gate may be when its call begins
        proxy.go_on()
        await settle(notifier, visits)
    faults.append(
        await verdict(notifier, f"the claim's commit answered after 5.2 s, half cancelled, {channel}", visits)
    )
    assert faults[-1].sound
    assert (faults[-1].accepted, faults[-1].refused) == (MESSAGES // 2, MESSAGES // 2)
    assert sorted(notifier.carriers.asked) == sorted(one.to for one in notifier.carriers.taken)


@pytest.mark.parametrize("channel", LANES)
async def test_two_instances_of_a_lane_of_which_one_dies_double_nothing(
    notifier: RunningNotifier, channel: Channel, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel, number=200)
    notifier.carriers.answer_s = 0.1
    await notifier.start(lanes=())
    few = {"NOTIFIER_SMS_SLOTS": "4", "NOTIFIER_EMAIL_SLOTS": "4"}
    first, _ = await lane(notifier, channel, **few), await lane(notifier, channel, **few)
    await _both_send(notifier)
    await kill_9(first)
    await in_state(notifier, visits, "accepted", "sending", "unknown")
    await notifier.let_leases_run_out()
    await settle(notifier, visits)
    faults.append(await verdict(notifier, f"two instances, one killed while sending, {channel}", visits))
    assert faults[-1].sound
    assert faults[-1].unknown <= IN_FLIGHT
    assert faults[-1].accepted + faults[-1].unknown >= len(visits)


IN_FLIGHT = 16
"""Messages that one instance of four slots has claimed at most: those under way, and three times as many in line."""


async def _both_send(notifier: RunningNotifier) -> None:
    """Wait until more calls are under way than one instance has slots."""

    async def both() -> bool:
        return bool(await notifier.pool.fetchval("SELECT count(*) > 4 FROM notification WHERE state = 'sending'"))

    await until(both)
