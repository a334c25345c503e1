"""One lane's stories: what becomes of locked messages at the gate, and of those that carriers answered.

The call itself is between the two transactions, in `lanes.handle.lane`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from notifier.carriers.accounts import Accounts
from notifier.gate.domain.chain import arrives_by
from notifier.gate.domain.decision import Send, Skip, decide
from notifier.gate.domain.facts import GateFacts
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Visit
from notifier.lanes.domain.together import MayTell, key_of, together
from notifier.lanes.handle.ports import Answered, LaneTransaction, Ledger
from notifier.ledger.domain.notification import Call, NotAccepted, Notification
from notifier.ledger.domain.settlement import defer, place, settle, shut, skip, start
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import Seen, see
from notifier.values.kinds import LEVEL_KINDS
from schemas.notifications import Channel
from schemas.reminders import Reason

LONGEST_PAUSE_S = 3600.0
"""A carrier that asks for more patience is asked again after an hour."""

AWAITED = timedelta(seconds=5)
"""So long news waits, again and again, while a message that tells its recipient the same has not been answered."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a claim is made with.

    Attributes:
        limits: Account → how many of its messages at most, ≥ 1: its free slots. Others are left alone.
        sending: The sending mode of the settings; a clinic's, or one switched since, comes before it.
        machine_s: Monotonic machine time before the gate is read: an old age is never taken for a young one.
        per_second: Each account's rate, shared by its instances; 0: none.
        margin: How long a call may have to wait until it begins. What has less time left than that is not claimed:
            with more due than can leave, it would always be the message whose time is just running out.
        shut_for: Set if no call may be made now: what could leave waits so long, its channel's budget running.
        may_tell: Whether the carrier has words to tell of several visits at once.
    """

    lane: Channel
    limits: Mapping[str, int]
    accounts: Accounts
    sending: SendingMode
    now: datetime
    machine_s: float
    per_second: float = 0.0
    margin: timedelta = timedelta(0)
    shut_for: timedelta | None = None
    is_our_fault: bool = False
    may_tell: MayTell = lambda *_: False

    @property
    def limit(self) -> int:
        """How many messages at most where accounts are of no matter."""
        return max(self.limits.values())


@dataclass(slots=True)
class Claimed:
    """What one claim came to.

    Attributes:
        elsewhere: Lanes that got a message because its channel is another one now.
        waiting: Left in the queue: for a channel's hours, held, for another account, or because no call may be made.
        more: There may be more that could be claimed at once: of some account as many were found as were asked for.
        lost: The database went away at the claim's commit, which may have landed. None of these calls was begun, and
            each is to be recorded as not started.
    """

    calls: list[Call] = field(default_factory=list)
    settled: list[Notification] = field(default_factory=list)
    elsewhere: set[Channel] = field(default_factory=set)
    waiting: list[Notification] = field(default_factory=list)
    more: bool = False
    lost: list[Call] = field(default_factory=list)

    @property
    def moved_any(self) -> bool:
        """Say whether any message is somewhere else now than in the queue of this lane at this instant."""
        return bool(self.calls or self.settled or self.elsewhere or self.waiting)

    def add(self, other: "Claimed") -> None:
        """Take in what another claim came to."""
        self.calls.extend(other.calls)
        self.settled.extend(other.settled)
        self.elsewhere.update(other.elsewhere)
        self.waiting.extend(other.waiting)
        self.more |= other.more
        self.lost.extend(other.lost)

    def lose(self) -> None:
        """Count the calls as lost; whatever else it came to is found again if it was not written."""
        self.lost = self.calls
        self.calls, self.settled, self.elsewhere, self.waiting, self.more = [], [], set(), [], False


async def judge(
    work: LaneTransaction,
    due: Sequence[Notification],
    asking: Asking,
    limits: Mapping[str, int],
    beside: Sequence[Notification] = (),
) -> Claimed:
    """Read the gate for locked messages and write down what becomes of each.

    Args:
        beside: Messages, locked too, that leave if they are one with a call for those that are due (decision 0050),
            and stay untouched if they are not.
    """
    found = Counter(asking.accounts.of(held.clinic_id) for held in due)
    claimed = Claimed(more=any(found[account] >= most for account, most in limits.items()))
    if not due:
        return claimed
    seen = await see(work, [*due, *beside], asking.now)
    leaving: Counter[tuple[UUID, UUID]] = Counter()
    written = [_judged_in_turn(claimed, held, seen[held.notification_id], asking, leaving) for held in due]
    keys = {key_of(call, asking.may_tell) for call in claimed.calls}
    for held in beside:
        alone = Claimed()
        after = _judged_in_turn(alone, held, seen[held.notification_id], asking, leaving)
        if any(key_of(call, asking.may_tell) in keys for call in alone.calls):
            written.append(after)
            claimed.add(alone)
        elif alone.calls:
            leaving.subtract(_about(held, seen[held.notification_id].visit))
    claimed.calls = together(claimed.calls, asking.may_tell)
    await work.write(written, asking.now)
    await work.open_attempts(claimed.calls, asking.now)
    await work.publish(claimed.settled, asking.now)
    return claimed


def _judged_in_turn(
    claimed: Claimed, held: Notification, seen: Seen, asking: Asking, leaving: Counter[tuple[UUID, UUID]]
) -> Notification:
    """Return one message as the gate leaves it after those before it, which may be `leaving` in this very claim.

    They are of the day's two (D18), and have not been answered.
    """
    about = _about(held, seen.visit)
    if also := sum(leaving[each] for each in about):
        awaited = held.kind in LEVEL_KINDS
        told = replace(seen.facts.told, today=seen.facts.told.today + also, awaited=awaited)
        seen = replace(seen, facts=replace(seen.facts, told=told))
    after = _judged(claimed, held, seen, asking)
    if after.state is NotificationState.SENDING:
        leaving.update(about)
    return after


def _about(held: Notification, visit: Visit | None) -> list[tuple[UUID, UUID]]:
    """Return of which visits a message tells its patient: of its own, and of the one whose place that takes."""
    return [(each, visit.patient_id) for each in (held.appointment_id, held.replaces) if each and visit]


def _judged(claimed: Claimed, held: Notification, seen: Seen, asking: Asking) -> Notification:
    """Return one message as the gate leaves it, noted in `claimed`."""
    visit, facts = seen.visit, seen.facts
    sending = asking.sending.at(facts.clinic)
    decision = sending.apply(decide(held.asked, visit, facts, asking.now))
    if isinstance(decision, Skip) or visit is None:
        after = _shut(held, decision if isinstance(decision, Skip) else Skip(Reason.NOT_SENDABLE), sending)
        claimed.settled.append(after)
        return after
    account = asking.accounts.of(visit.clinic_id)
    is_asked = account == asking.accounts.of(held.clinic_id)  # else it waits for a claim of its own account
    if isinstance(decision, Send) and decision.route.channel is asking.lane and not sending.holds and is_asked:
        if facts.told.awaited:
            after = place(held, decision, visit.clinic_id).but(next_attempt_at=asking.now + AWAITED)
            claimed.waiting.append(after)
            return after
        if asking.shut_for is None:
            call = replace(_call(held, visit, facts, decision, asking), replaced=seen.replaced)
            claimed.calls.append(call)
            return start(held, decision, visit, call.attempt_id, asking.now)
        after = defer(held, decision, visit.clinic_id, asking.now, asking.shut_for, is_our_fault=asking.is_our_fault)
    else:
        after = place(held, decision, visit.clinic_id)
    if after.lane is asking.lane or not after.lane:
        claimed.waiting.append(after)
    else:
        claimed.elsewhere.add(after.lane)
    return after


def _shut(held: Notification, decision: Skip, sending: SendingMode) -> Notification:
    """Return a message that never leaves; what its mode held until it was late was held."""
    held_too_long = sending.holds and decision.reason in {Reason.TOO_LATE, Reason.PAST_VISIT}
    return skip(held, Reason.HELD) if held_too_long else shut(held, decision)


async def record(
    ledger: Ledger, lane: Channel, answers: Sequence[Answered], now: datetime, jitter: float
) -> list[Notification]:
    """Write a batch of answers down together; return what became of their messages.

    The longest patience a carrier asked for pauses the account in all instances.
    """
    answers = [each for one in answers for each in one.every]
    async with ledger.transaction() as work:
        held = await work.lock({answered.call.notification_id for answered in answers})
        settled = [
            after
            for one in answers
            if isinstance(before := held.get(one.call.notification_id), Notification)
            and (after := settle(before, one.call.attempt_id, one.answer, now, jitter, one.call.terms))
        ]
        await work.write(settled, now)
        await work.close_attempts(answers, now)
        await work.publish([one for one in settled if one.state is not NotificationState.QUEUED], now)
        for account, seconds in sorted(_longest_patience_s(answers).items()):
            await work.pause(lane, account, seconds)
    return settled


def patience_s(asked: timedelta) -> float:
    """Return for how many seconds a lane is paused when its carrier asks for so much patience."""
    return min(asked.total_seconds(), LONGEST_PAUSE_S)


def _longest_patience_s(answers: Sequence[Answered]) -> Mapping[str, float]:
    """Return account → for how many seconds its carrier asked for patience, at most."""
    longest: dict[str, float] = {}
    for one in answers:
        if isinstance(one.answer, NotAccepted) and one.answer.retry_after:
            account = one.call.account
            longest[account] = max(longest.get(account, 0.0), patience_s(one.answer.retry_after))
    return longest


def _call(held: Notification, visit: Visit, facts: GateFacts, decision: Send, asking: Asking) -> Call:
    return Call(
        notification_id=held.notification_id,
        attempt_id=uuid4(),
        kind=decision.kind,
        route=decision.route,
        visit=visit,
        not_after=decision.not_after,
        arrives_by=arrives_by(decision.kind, decision.route.channel, visit, facts, decision.not_after, asking.now),
        gated_on=asking.machine_s,
        at=asking.now,
        terms=decision.terms,
        preference_version=facts.preference_version,
        code=facts.code if facts.clinic.replies else "",
        account=asking.accounts.of(visit.clinic_id),
        lacks=facts.lacks,
    )
