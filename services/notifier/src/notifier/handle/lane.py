"""One lane's stories: claim under the gate, and write down what the carriers answered.

The call itself is between the two transactions, in `handle.loop`.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifier.domain.gate import Send, Skip, Terms, decide
from notifier.domain.ledger import Answer, Call, Notification, attempt_id
from notifier.domain.modes import Mode, SendingMode
from notifier.domain.settle import place, run_out, settle, shut, skip, start
from notifier.domain.standing import NOTHING_KNOWN, Standing
from notifier.domain.states import State
from notifier.domain.visits import Visit
from schemas.notifications import Channel
from schemas.reminders import Reason


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and what came of it."""

    call: Call
    answer: Answer


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim came to.

    Attributes:
        calls: To be made now.
        settled: Skipped or failed at the gate.
        elsewhere: Lanes that got a message because its channel is another one now.
        waiting: Left in the queue: for the hours of a channel, or held.
    """

    calls: list[Call] = field(default_factory=list)
    settled: list[Notification] = field(default_factory=list)
    elsewhere: set[Channel] = field(default_factory=set)
    waiting: list[Notification] = field(default_factory=list)

    @property
    def found(self) -> int:
        """How many due messages there were."""
        return len(self.calls) + len(self.settled) + len(self.elsewhere) + len(self.waiting)


class LaneTransaction(Protocol):
    """The ledger and the gate inside one READ COMMITTED transaction."""

    async def lock_due(self, lane: Channel, limit: int, now: datetime, setting: Mode) -> Sequence[Notification]:
        """Lock queued messages whose instant has come, soonest deadline first, passing over locked ones.

        Of messages held by their mode, `setting` being the installation's unless somebody switched it, only those
        whose deadline has passed.
        """

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Notification]:
        """Lock messages in `sending` whose lease has run out by the database's clock."""

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Notification]:
        """Lock these messages, in the order of their ids."""

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """Read the send gate, as a statement of its own, after the locks."""

    async def standing(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, Standing]:
        """Return what else counts for each message to a patient, as a statement of its own, after the locks."""

    async def clinics_preferring_doubles(self, clinic_ids: Collection[str]) -> Collection[str]:
        """Return those clinics that hold a double to be better than a miss (D32)."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these states back; a lease begins for those in `sending` and ends for the others."""

    async def open_attempts(self, calls: Sequence[Call], now: datetime) -> None:
        """Write down each call before it is made, with the version the gate saw."""

    async def close_attempts(self, answers: Sequence[Answered], now: datetime) -> None:
        """Write down what came of each call, unless that is known already."""

    async def give_up_attempts(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write down that the current attempts of these messages were never answered in time."""

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Put these outcomes into the outbox."""


class Ledger(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[LaneTransaction]:
        """Begin a transaction; commit it at the end of the block.

        Raises:
            Unavailable: The database cannot be used now; nothing was written.
        """


async def claim(
    ledger: Ledger, lane: Channel, limit: int, sending: SendingMode, now: datetime, machine_s: float
) -> Claimed:
    """Claim as many due messages as there are free slots, each authorised by the gate or settled by it.

    Of those held by the sending mode only the ones whose deadline has passed are taken, and skipped as HELD.

    Args:
        ledger: The ledger.
        lane: This lane's channel.
        limit: Free slots, ≥ 1.
        sending: The sending mode of the settings; a clinic's, or one switched since, comes before it.
        now: Domain time.
        machine_s: Monotonic machine time before the gate is read: an old age is never taken for a young one.
    """
    claimed = Claimed()
    async with ledger.transaction() as work:
        due = await work.lock_due(lane, limit, now, sending.mode)
        if due:
            written = await _judge(work, claimed, due, lane, sending, now, machine_s)
            await work.write(written, now)
            await work.open_attempts(claimed.calls, now)
            await work.publish(claimed.settled, now)
    return claimed


async def _judge(
    work: LaneTransaction,
    claimed: Claimed,
    due: Sequence[Notification],
    lane: Channel,
    sending: SendingMode,
    now: datetime,
    machine_s: float,
) -> list[Notification]:
    """Read the gate, sort the messages into what becomes of them, and return them as they are to be written."""
    visits = await work.gate({held.appointment_id for held in due if held.appointment_id})
    standings = await work.standing(due, visits, now)
    written: list[Notification] = []
    for held in due:
        visit = visits.get(held.appointment_id) if held.appointment_id else None
        standing = standings.get(held.notification_id, NOTHING_KNOWN)
        after = _judged(claimed, held, visit, standing, lane, sending.at(standing.clinic), now, machine_s)
        written.append(after)
    return written


def _judged(
    claimed: Claimed,
    held: Notification,
    visit: Visit | None,
    standing: Standing,
    lane: Channel,
    sending: SendingMode,
    now: datetime,
    machine_s: float,
) -> Notification:
    """Return one message as the gate leaves it, noted in `claimed`."""
    if sending.holds and visit is not None:
        return _held(claimed, held, visit, now)
    decision = sending.apply(decide(held.asked, visit, standing, now))
    if isinstance(decision, Skip) or visit is None:
        after = shut(held, decision if isinstance(decision, Skip) else Skip(Reason.NOT_SENDABLE))
        claimed.settled.append(after)
        return after
    if isinstance(decision, Send) and decision.route.channel is lane:
        call = _call(held, visit, standing, decision, now, machine_s)
        claimed.calls.append(call)
        return start(held, decision, visit.clinic_id, call.attempt_id, now)
    after = place(held, decision, visit.clinic_id)
    if isinstance(decision, Send) and after.lane:
        claimed.elsewhere.add(after.lane)
    else:
        claimed.waiting.append(after)
    return after


def _held(claimed: Claimed, held: Notification, visit: Visit, now: datetime) -> Notification:
    """Return a message under `hold`: it waits, and is skipped once its deadline has passed."""
    if held.not_after is not None and held.not_after < now:
        claimed.settled.append(skip(held, Reason.HELD))
        return claimed.settled[-1]
    claimed.waiting.append(replace(held, clinic_id=visit.clinic_id))
    return claimed.waiting[-1]


async def record(ledger: Ledger, answers: Sequence[Answered], now: datetime, jitter: float) -> list[Notification]:
    """Write a batch of answers down together; return what became of their messages."""
    async with ledger.transaction() as work:
        held = await work.lock({answered.call.notification_id for answered in answers})
        settled = [
            after
            for answered in answers
            if (before := held.get(answered.call.notification_id))
            and (after := settle(before, answered.call.attempt_id, answered.answer, now, jitter, answered.call.terms))
        ]
        await work.write(settled, now)
        await work.close_attempts(answers, now)
        await work.publish([one for one in settled if one.state is not State.QUEUED], now)
    return settled


async def run_out_leases(ledger: Ledger, lane: Channel, limit: int, now: datetime) -> list[Notification]:
    """Turn every message whose lease ran out in `sending` into *unknown*.

    It is never queued again, unless its clinic holds a double to be better than a miss (D32).
    """
    async with ledger.transaction() as work:
        held = await work.lock_run_out(lane, limit)
        if not held:
            return []
        doubling = await work.clinics_preferring_doubles({one.clinic_id for one in held if one.clinic_id})
        after = [run_out(one, now, Terms(double_over_miss=one.clinic_id in doubling)) for one in held]
        await work.write(after, now)
        await work.give_up_attempts(held, now)
        await work.publish([one for one in after if one.state is not State.QUEUED], now)
    return after


def _call(
    held: Notification, visit: Visit, standing: Standing, decision: Send, now: datetime, machine_s: float
) -> Call:
    ordinal = held.attempts + 1
    return Call(
        notification_id=held.notification_id,
        attempt_id=attempt_id(held.notification_id, ordinal),
        ordinal=ordinal,
        kind=decision.kind,
        route=decision.route,
        visit=visit,
        not_after=decision.not_after,
        gated_on=machine_s,
        at=now,
        terms=decision.terms,
        preference_version=standing.preference_version,
    )
