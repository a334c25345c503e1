"""Cancellations racing sends: every visit is cancelled while its messages leave, and nobody knows who is first."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

import asyncpg

from schemas.appointments import Appointment
from tests.chaos.sending.upstream import Upstream, settled
from tests.chaos.sending.watched_gate import CALLS
from tests.support.carriers.log import Taken
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

RACING = ("confirmation", "reminder")
RACERS = 12
SPREAD = 60
"""How far before or behind the front of the sends a visit is cancelled, in visits."""

G5_S = 10.0
"""How long after a cancellation a call that was authorised before may still arrive."""


@dataclass(frozen=True)
class Call:
    """One call as the ledger and the watch of the gate know it.

    Attributes:
        saw_the_last: Whether its gate saw booking's last commit about the visit; None: it was never gated.
    """

    attempt_id: str
    appointment_id: UUID
    gated_version: int
    saw_the_last: bool | None


@dataclass(frozen=True)
class Verdict:
    """What a race came to."""

    cancellations: int
    sent_before: int
    cancelled_first: int
    still_arrived: int
    latest_s: float
    violations: list[str]

    def __str__(self) -> str:
        """Return the counts in one line."""
        return (
            f"{self.cancellations} cancellations answered; messages accepted before the answer: {self.sent_before}, "
            f"after it but authorised before: {self.still_arrived} (the latest {self.latest_s:.3f} s after, "
            f"G5 allows {G5_S:.0f}), cancelled before the gate: {self.cancelled_first}; "
            f"violations: {len(self.violations)}"
        )


async def run_race(notifier: RunningNotifier, upstream: Upstream, seed: int) -> None:
    """Hand a reminder over for each visit, start the lanes, and cancel every visit near the front of the sends."""
    number = len(upstream.visits)
    for n, appointment in enumerate(upstream.visits):
        await notifier.due(reminded(notifier, appointment), not_after=MONDAY + timedelta(days=1, minutes=n))

    async def entered() -> bool:
        query = "SELECT count(*) = $1 FROM notification WHERE kind = ANY($2::text[])"
        return bool(await notifier.pool.fetchval(query, 2 * number, list(RACING)))

    await until(entered)
    lanes = [
        await notifier.process("lane", lane, NOTIFIER_SMS_SLOTS="4", ATTEND_LOG_LEVEL="warning")
        for lane in ("sms", "email")
    ]
    place = {f"+4420718{n:05d}": n for n in range(number)} | {f"ada{n}@example.org": n for n in range(number)}

    async def done() -> bool:
        return await settled(notifier.pool, RACING, 2 * number)

    await near_the_front(notifier.carriers.taken, place, Random(seed), upstream.cancel, done)
    await until(done)
    for lane in lanes:
        lane.terminate()
        await lane.wait()


def reminded(notifier: RunningNotifier, appointment: UUID) -> Appointment:
    """Return as much of the visit as a `reminder.due` names."""
    return notifier.visit(appointment).model_copy(update={"appointment_id": appointment})


async def near_the_front(
    log: list[Taken],
    place: Mapping[str, int],
    random: Random,
    act: Callable[[int], Awaitable[None]],
    over: Callable[[], Awaitable[bool]],
) -> None:
    """Act on each message when the sends have come about as far as it.

    Args:
        log: The carriers' acceptance log, as it grows.
        place: Address → place of the message in the order of the sends.
        random: How far before or behind the front.
        act: What is done to the n-th.
        over: Whether nothing is left to send.
    """
    front, read = 0, 0
    waiting = sorted((n + random.randint(-SPREAD, SPREAD), n) for n in set(place.values()))
    slots = asyncio.Semaphore(RACERS)

    async def one(n: int) -> None:
        async with slots:
            await act(n)

    async with asyncio.TaskGroup() as group, asyncio.timeout(240):
        while waiting:
            front = max([front, *(place[taken.to] for taken in log[read:])])
            read = len(log)
            last = read > 0 and await over()
            while waiting and (waiting[0][0] <= front or last):
                group.create_task(one(waiting.pop(0)[1]))
            await asyncio.sleep(0.005)


async def judge(pool: asyncpg.Connection, upstream: Upstream, accepted: list[Taken]) -> Verdict:
    """Compare booking's commits with the carriers' log, through the ledger."""
    rows = await pool.fetch(CALLS)
    calls = {row["attempt_id"]: Call(row[0], row[1], row["gated_version"], row["saw_the_last"]) for row in rows}
    violations = [
        line for call in calls.values() for line in _unlawful(call, upstream.cancelled[call.appointment_id][0])
    ]
    after: list[float] = []
    for message in accepted:
        call = calls.get(message.reference)
        if call is None:
            violations.append(f"accepted without an attempt: {message.reference}")
            continue
        after.append(message.at - upstream.cancelled[call.appointment_id][1])
    violations += [f"arrived {late:.1f} s after the cancellation" for late in after if late > G5_S]
    skipped = await pool.fetchval(
        "SELECT count(*) FROM notifier.notification WHERE state = 'skipped' AND kind = ANY($1::text[])"
        " AND (reason = 'APPOINTMENT_CANCELLED' OR reason = 'ALREADY_TOLD' AND kind = 'confirmation')",
        list(RACING),
    )
    arrived = [late for late in after if late > 0]
    before = len(after) - len(arrived)
    return Verdict(len(upstream.cancelled), before, skipped, len(arrived), max(arrived, default=0.0), violations)


def _unlawful(call: Call, cancelling: int) -> list[str]:
    """Say what is wrong with a call (I7)."""
    if call.saw_the_last is None:
        return [f"claimed without a gate: {call.attempt_id}"]
    if call.saw_the_last:
        return [f"its gate was read after the cancellation's commit: {call.attempt_id}"]
    if call.gated_version >= cancelling:
        return [f"gated at version {call.gated_version}, cancelled by {cancelling}: {call.attempt_id}"]
    return []
