"""What the fault runs of lanes share: messages that wait for a lane, lanes as processes, and the quiet after them."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.appointments import Appointment
from schemas.notifications import Channel
from tests.chaos.sending.table import Line, line
from tests.support.notifier.running import CLINIC, RunningNotifier
from tests.support.waiting import until

MESSAGES = 12
"""Of one fault: fewer than a lane has slots, so that all meet it."""

EVERY_STATE = ("queued", "sending", "accepted", "failed", "skipped", "unknown")
QUIETLY = {"ATTEND_LOG_LEVEL": "warning", "NOTIFIER_EMAIL_SLOTS": "16"}
ONLY_BY: dict[Channel, dict[str, Any]] = {
    Channel.SMS: {"email": None},
    Channel.WHATSAPP: {"email": None},
    Channel.EMAIL: {"mobile": None},
}


async def enter(
    notifier: RunningNotifier, channel: Channel, *answers: int | str, number: int = MESSAGES, clinic: str = CLINIC
) -> list[Appointment]:
    """Commit so many visits of patients reachable on one channel alone, and hand a reminder over for each."""
    visits = []
    for _ in range(number):
        patient = await notifier.patient(**ONLY_BY[channel])
        address = await notifier.address(patient, "email" if channel is Channel.EMAIL else "mobile")
        notifier.carriers.script(address, *answers)
        if channel is Channel.WHATSAPP:
            await notifier.pool.execute(
                "INSERT INTO preference VALUES ($1, 1, true, false, false, $2)", patient, notifier.now
            )
        visits.append(notifier.visit(patient, clinic=clinic))
        await notifier.hold(visits[-1])
        await notifier.due(visits[-1])
    return visits


def ids(visits: Sequence[Appointment]) -> list[UUID]:
    """Return the appointments' ids."""
    return [visit.appointment_id for visit in visits]


async def in_state(notifier: RunningNotifier, visits: Sequence[Appointment], *states: str) -> None:
    """Wait until the reminders of all these visits are in one of these states."""

    async def there() -> bool:
        query = """
            SELECT count(*) FROM notification
            WHERE kind = 'reminder' AND appointment_id = ANY($1::uuid[]) AND state = ANY($2::text[])"""
        return bool(await notifier.pool.fetchval(query, ids(visits), list(states)) == len(visits))

    try:
        await until(there)
    except AssertionError:
        raise AssertionError(f"not all {states}: {await _standing(notifier, visits)}") from None


async def _standing(notifier: RunningNotifier, visits: Sequence[Appointment]) -> list[tuple[Any, ...]]:
    """Return how many messages stand where, for a failing test to say."""
    query = """
        SELECT lane, state, reason, attempts, next_attempt_at, count(*) FROM notification
        WHERE appointment_id = ANY($1::uuid[]) GROUP BY 1, 2, 3, 4, 5 ORDER BY 6"""
    return [tuple(row) for row in await notifier.pool.fetch(query, ids(visits))]


async def taken(notifier: RunningNotifier, number: int) -> None:
    """Wait until the carriers have accepted so many messages."""

    async def there() -> bool:
        return len(notifier.carriers.taken) >= number

    await until(there)


async def lane(notifier: RunningNotifier, channel: Channel, **changes: str) -> Process:
    """Run a lane as a process of its own."""
    return await notifier.process("lane", channel.value, **{**QUIETLY, **changes})


async def kill_9(process: Process) -> None:
    """End a process as a power cut does."""
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def recover(notifier: RunningNotifier, channel: Channel, visits: Sequence[Appointment], **changes: str) -> None:
    """Let every lease run out and every backoff pass, and let a fresh lane finish what can be finished."""
    await notifier.let_leases_run_out()
    await lane(notifier, channel, **changes)
    await settle(notifier, visits)


async def settle(notifier: RunningNotifier, visits: Sequence[Appointment], hours: int = 2) -> None:
    """Let domain time pass in steps until nothing of these visits is worked on, and some time more."""
    await in_state(notifier, visits, *EVERY_STATE)
    for _ in range(hours * 12):
        if await _closed(notifier, visits):
            break
        notifier.step(timedelta(minutes=5))
        await _looked_at(notifier)
    await in_state(notifier, visits, "accepted", "failed", "skipped", "unknown")
    notifier.step(timedelta(hours=1))
    await _looked_at(notifier)


async def _closed(notifier: RunningNotifier, visits: Sequence[Appointment]) -> bool:
    query = """
        SELECT count(*) FROM notification
        WHERE kind = 'reminder' AND appointment_id = ANY($1::uuid[]) AND state NOT IN ('queued', 'sending')"""
    return bool(await notifier.pool.fetchval(query, ids(visits)) == len(visits))


async def _looked_at(notifier: RunningNotifier) -> None:
    """Wait until no message is due that a running lane would not have taken by now, and no account rests.

    A rest after a 429 is machine time: with domain time alone passing, deadlines would come before the next call.
    """

    async def nothing_due() -> bool:
        query = """
            SELECT NOT EXISTS (SELECT FROM notification
                               WHERE state = 'sending' OR (state = 'queued' AND next_attempt_at <= $1))
               AND NOT EXISTS (SELECT FROM account_rate WHERE paused_until > clock_timestamp())"""
        return bool(await notifier.pool.fetchval(query, notifier.now))

    await until(nothing_due)
    await asyncio.sleep(0.3)  # longer than a lane's poll: what it would wrongly take, it would have taken


async def verdict(notifier: RunningNotifier, fault: str, visits: Sequence[Appointment]) -> Line:
    """Return the fault's line of the table."""
    return await line(fault, notifier.pool, ids(visits), notifier.carriers.taken)
