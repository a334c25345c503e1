"""The gate: what must hold of a visit for a message of each kind to leave (design §6).

| kind | status | generation | deadline | cap of two a day (D18) | hours |
|---|---|---|---|---|---|
| confirmation, moved | booked | any: the text is rendered at send time | the visit's start | no | SMS, WhatsApp |
| cancelled | does not stand | any | the start that he was told | no | SMS, WhatsApp |
| reminder | booked | its own | its `not_after` | yes | all |
| today | booked | any: the text is rendered at send time | its `not_after`, but not after the start | yes | all |
| no-show | noshow | its own | its `not_after` | yes | all |
| clearance-missing | booked, and lacks something | its own | its `not_after` | yes | all |
| provider-booked, provider-moved | booked | any | the visit's start | - | - |
| provider-cancelled | does not stand | any | the start that he was told | - | - |
| provider-arrived | arrived, checked-in | any | its `not_after` | - | - |
| provider-not-cleared | checked-in, fulfilled | any | its `not_after` | - | - |

Which of the first and last three it is follows from what the recipient was last told (`gate/domain/told.py`); if
that is what is so, nothing is said.

Read in this order, the first that fails gives the reason: status, generation, deadline; what the clinic wants, and
whether anything is still missing;
then the person: unknown, deceased, do-not-contact, consent; then the cap; then the channels, each for itself:
address, opt-out, hours. What would leave of a visit that is held back waits; a provider's notice of it is skipped, and
the visit's next version brings it again. A provider's list of the day is of no appointment and has no line.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from notifier.gate.domain.chain import Closed, Open, Opens, Step, next_channel
from notifier.gate.domain.channels import Route
from notifier.gate.domain.facts import GateFacts, Told
from notifier.gate.domain.told import difference, is_move
from notifier.gate.domain.visit import Visit
from notifier.values.kinds import ENDS, KINDS, LEVEL_KINDS, LEVELS, Deadline, Needs
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.planning import barred_by
from schemas.reminders import Reason

GATE: dict[Kind, Needs] = {kind: row.needs for kind, row in KINDS.items() if row.needs}
"""A line for each kind that is of an appointment."""

MOST_A_DAY = 2
"""D18: never a third message to one patient on one day for one visit."""

HELD_FOR = timedelta(minutes=5)
"""So long a message of a visit that is held back waits before the gate is asked again."""

LONG_LEAD = timedelta(hours=12)
LONG_BUDGET, SHORT_BUDGET = timedelta(minutes=30), timedelta(minutes=10)
"""How long one channel is tried (D33): 30 min for the 24 h rule and for notices, 10 min for the 2 h rule."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a message before the gate is read.

    Attributes:
        steps: The channels it has passed over.
        again: A person wants it to be said once more.
    """

    kind: Kind
    schedule_gen: int
    not_after: datetime | None
    steps: tuple[Step, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How a call's answer is to be taken.

    Attributes:
        budget: How long this channel is tried, from its first attempt.
        double_over_miss: After an unknown outcome the next channel is tried.
        is_last: No other channel is left: while the fault is ours, the message waits for this one until its deadline.
    """

    budget: timedelta = LONG_BUDGET
    double_over_miss: bool = False
    is_last: bool = False


ORDINARY = Terms()
"""Of a notice at a clinic that has chosen nothing."""


@dataclass(frozen=True, slots=True)
class Send:
    """The gate is open: on this route, until this instant, as this kind."""

    route: Route
    not_after: datetime
    kind: Kind
    closed: tuple[Step, ...] = ()
    terms: Terms = ORDINARY


@dataclass(frozen=True, slots=True)
class Wait:
    """The gate is asked again at `until`: the hours of `channel` begin then, or the visit is held back until then."""

    until: datetime
    channel: Channel
    not_after: datetime
    closed: tuple[Step, ...] = ()
    reason: Reason = Reason.OUTSIDE_WINDOW


@dataclass(frozen=True, slots=True)
class Skip:
    """The gate is shut for good."""

    reason: Reason
    closed: tuple[Step, ...] = ()


Decision = Send | Wait | Skip


def decide(asked: Asked, visit: Visit | None, facts: GateFacts, now: datetime) -> Decision:
    """Return whether the message may leave now and how, or until when it waits, or why it never will.

    Args:
        visit: The gate's row as the recipient has to see it; None if booking does not know the appointment any more.
        facts: What else counts; of a provider's notice, what he was told.
    """
    if visit is None or visit.starts_at is None:
        return Skip(Reason.NOT_SENDABLE)
    if asked.kind in LEVEL_KINDS:
        news = _news(asked, visit, facts.told, now)
        if isinstance(news, Reason):
            return Skip(news)
        asked = replace(asked, kind=news)
    needs = GATE[asked.kind]
    deadline = _deadline(needs, asked, visit.starts_at)
    if reason := _visit_bars(needs, asked, visit, deadline, now):
        return Skip(reason)
    if deadline is None:
        return Skip(Reason.NOT_SENDABLE)
    if not needs.person:
        return Skip(Reason.HELD_BACK) if visit.held_back else _to_provider(asked.kind, visit, deadline)
    if reason := _not_wanted(asked.kind, facts) or _person_bars(visit) or _capped(needs, facts):
        return Skip(reason)
    decision = _to_patient(asked, visit, facts, deadline, now)
    return _held_back(decision, now) if visit.held_back else decision


def budget_of(kind: Kind, starts_at: datetime, not_after: datetime) -> timedelta:
    """Return how long one channel is tried (D33); a reminder's lead is four times what its deadline leaves (D15)."""
    if kind is Kind.REMINDER and 4 * (starts_at - not_after) < LONG_LEAD:
        return SHORT_BUDGET
    return LONG_BUDGET


def _deadline(needs: Needs, asked: Asked, starts_at: datetime) -> datetime | None:
    if needs.deadline is Deadline.START or asked.not_after is None:
        return starts_at if needs.deadline is Deadline.START else None
    return min(asked.not_after, starts_at) if needs.deadline is Deadline.EITHER else asked.not_after


def _visit_bars(needs: Needs, asked: Asked, visit: Visit, deadline: datetime | None, now: datetime) -> Reason | None:
    if visit.status not in needs.statuses:
        return _other_status(asked.kind, visit.status)
    if needs.own_generation and visit.schedule_gen != asked.schedule_gen:
        return Reason.RESCHEDULED
    if needs.deadline is Deadline.START:
        return Reason.PAST_VISIT if deadline and deadline <= now else None
    return Reason.TOO_LATE if deadline and now > deadline else None


def _news(asked: Asked, visit: Visit, told: Told, now: datetime) -> Kind | Reason:
    """Return what brings the recipient up to date, or why this message does not.

    One that says that a visit stands never says that it does not, nor the other way round: whichever version of the
    visit turned it has a message of its own.
    """
    stands, moved, _ = LEVELS[KINDS[asked.kind].recipient]
    news = difference(told.said, visit, KINDS[asked.kind].recipient, now)
    ends = asked.kind in ENDS
    if visit.status is Status.BOOKED and ends:
        return Reason.SUPERSEDED
    if visit.status not in GATE[asked.kind].statuses:
        return _other_status(asked.kind, visit.status)
    if news is None and asked.again:
        return asked.kind
    if news is None:
        return Reason.NOT_SENDABLE if ends and told.said is None else Reason.ALREADY_TOLD
    return moved if news is stands and told.replaced and is_move(told.replaced, visit) else news


def _other_status(kind: Kind, status: Status) -> Reason:
    over = kind not in ENDS and status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}
    return Reason.APPOINTMENT_CANCELLED if over else Reason.NOT_SENDABLE


def _held_back(decision: Decision, now: datetime) -> Decision:
    """Return what would leave as waiting: nobody is told of a visit of which nobody knows whether it stands."""
    match decision:
        case Send(route=route, not_after=not_after, closed=closed):
            return Wait(now + HELD_FOR, route.channel, not_after, closed, Reason.HELD_BACK)
        case Wait():
            return replace(decision, reason=Reason.HELD_BACK)
        case Skip():
            return decision


def _not_wanted(kind: Kind, facts: GateFacts) -> Reason | None:
    """Say why nobody waits for it: the clinic sends none, or nothing is missing any more."""
    if kind is Kind.CLEARANCE_MISSING and not facts.lacks:
        return Reason.CLEARED
    wanted = kind is not Kind.NO_SHOW or facts.clinic.no_show_follow_up
    return None if wanted else Reason.NOT_WANTED


def _person_bars(visit: Visit) -> Reason | None:
    if not visit.registered:
        return Reason.UNKNOWN_PATIENT
    bar = barred_by(deceased=visit.deceased, do_not_contact=visit.do_not_contact, consent=visit.consent)
    return None if bar is None else Reason(bar)


def _capped(needs: Needs, facts: GateFacts) -> Reason | None:
    return Reason.LIMIT if needs.capped and facts.told.today >= MOST_A_DAY else None


def _to_provider(kind: Kind, visit: Visit, deadline: datetime) -> Decision:
    if visit.provider_id is None or visit.provider_name is None:
        return Skip(Reason.UNKNOWN_PROVIDER)
    return Send(Route(Channel.IN_APP, str(visit.provider_id)), deadline, kind)


def _to_patient(asked: Asked, visit: Visit, facts: GateFacts, deadline: datetime, now: datetime) -> Decision:
    kind = asked.kind
    match next_channel(kind, asked.steps, visit, facts, deadline, now):
        case Open(route=route, closed=closed, last=last):
            budget = budget_of(kind, visit.starts_at or deadline, deadline)
            terms = Terms(budget, facts.clinic.double_over_miss, last)
            return Send(route, deadline, kind, closed, terms)
        case Opens(until=until, channel=channel, closed=closed):
            return Wait(until, channel, deadline, closed)
        case Closed(reason=reason, closed=closed):
            return Skip(reason, closed)
