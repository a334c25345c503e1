"""One lane's stories: claim under the gate, and write down what the carriers answered.

The call itself is between the two transactions, in `handle.loop`.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifier.domain.gate import Send, Skip, decide
from notifier.domain.ledger import Answer, Call, Notification, attempt_id
from notifier.domain.modes import SendingMode
from notifier.domain.settle import run_out, settle, skip
from notifier.domain.states import State
from notifier.domain.visits import Preferences, Visit
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
        elsewhere: Lanes that got a message because the patient's channel is another one now.
    """

    calls: list[Call] = field(default_factory=list)
    settled: list[Notification] = field(default_factory=list)
    elsewhere: set[Channel] = field(default_factory=set)

    @property
    def found(self) -> int:
        """How many due messages there were."""
        return len(self.calls) + len(self.settled) + len(self.elsewhere)


class LaneTransaction(Protocol):
    """The ledger and the gate inside one READ COMMITTED transaction."""

    async def lock_due(self, lane: Channel, limit: int, now: datetime, *, overdue_only: bool) -> Sequence[Notification]:
        """Lock queued messages whose instant has come, soonest deadline first, passing over locked ones."""

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Notification]:
        """Lock messages in `sending` whose lease has run out by the database's clock."""

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Notification]:
        """Lock these messages, in the order of their ids."""

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """Read the send gate, as a statement of its own, after the locks."""

    async def preferences(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Preferences]:
        """Return what these patients have said about channels."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these states back; a lease begins for those in `sending` and ends for the others."""

    async def open_attempts(self, calls: Sequence[Call]) -> None:
        """Write down each call before it is made, with the version the gate saw."""

    async def close_attempts(self, answers: Sequence[Answered]) -> None:
        """Write down what came of each call, unless that is known already."""

    async def give_up_attempts(self, notifications: Sequence[Notification]) -> None:
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

    In mode `hold` only those whose deadline has passed are taken, and skipped as HELD.

    Args:
        ledger: The ledger.
        lane: This lane's channel.
        limit: Free slots, ≥ 1.
        sending: The sending mode.
        now: Domain time.
        machine_s: Monotonic machine time before the gate is read: an old age is never taken for a young one.
    """
    claimed = Claimed()
    async with ledger.transaction() as work:
        due = await work.lock_due(lane, limit, now, overdue_only=sending.holds)
        if not due:
            return claimed
        if sending.holds:
            claimed.settled.extend(skip(held, Reason.HELD) for held in due)
            await work.write(claimed.settled, now)
        else:
            await _judge(work, claimed, due, lane, sending, now, machine_s)
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
) -> None:
    visits = await work.gate({held.appointment_id for held in due})
    preferences = await work.preferences({visit.patient_id for visit in visits.values()})
    written: list[Notification] = []
    for held in due:
        visit = visits.get(held.appointment_id)
        said = preferences.get(visit.patient_id) if visit else None
        decision = sending.apply(decide(held.asked, visit, said, now))
        if isinstance(decision, Skip) or visit is None:
            reason = decision.reason if isinstance(decision, Skip) else Reason.NOT_SENDABLE
            claimed.settled.append(skip(held, reason))
            written.append(claimed.settled[-1])
        elif decision.route.channel is not lane:
            claimed.elsewhere.add(decision.route.channel)
            written.append(replace(held, lane=decision.route.channel, not_after=decision.not_after))
        else:
            call = _call(held, visit, decision, now, machine_s)
            claimed.calls.append(call)
            written.append(_sending(held, call))
    await work.write(written, now)
    await work.open_attempts(claimed.calls)


async def record(ledger: Ledger, answers: Sequence[Answered], now: datetime, jitter: float) -> list[Notification]:
    """Write a batch of answers down together; return what became of their messages."""
    async with ledger.transaction() as work:
        held = await work.lock({answered.call.notification_id for answered in answers})
        settled = [
            after
            for answered in answers
            if (before := held.get(answered.call.notification_id))
            and (after := settle(before, answered.call.attempt_id, answered.answer, now, jitter))
        ]
        await work.write(settled, now)
        await work.close_attempts(answers)
        await work.publish([one for one in settled if one.state is not State.QUEUED], now)
    return settled


async def run_out_leases(ledger: Ledger, lane: Channel, limit: int, now: datetime) -> list[Notification]:
    """Turn every message whose lease ran out in `sending` into *unknown*; it is never queued again."""
    async with ledger.transaction() as work:
        unknown = [run_out(held) for held in await work.lock_run_out(lane, limit)]
        if unknown:
            await work.write(unknown, now)
            await work.give_up_attempts(unknown)
            await work.publish(unknown, now)
    return unknown


def _call(held: Notification, visit: Visit, decision: Send, now: datetime, machine_s: float) -> Call:
    ordinal = held.attempts + 1
    return Call(
        notification_id=held.notification_id,
        attempt_id=attempt_id(held.notification_id, ordinal),
        ordinal=ordinal,
        kind=held.kind,
        route=decision.route,
        visit=visit,
        not_after=decision.not_after,
        gated_on=machine_s,
        at=now,
    )


def _sending(held: Notification, call: Call) -> Notification:
    return replace(
        held,
        state=State.SENDING,
        lane=call.route.channel,
        not_after=call.not_after,
        attempts=call.ordinal,
        attempt_id=call.attempt_id,
    )
