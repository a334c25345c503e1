"""The gate: what must hold of a visit for a message of each kind to leave (design §6).

| kind | status | generation | consent, do-not-contact, deceased | deadline |
|---|---|---|---|---|
| confirmation | booked | any: it says the state of now | all asked | before the visit starts |
| reminder | booked | its own | all asked | its `not_after` |
| provider-booked | booked | any: it says the state of now | not asked: not to the patient | before the visit starts |

Read in this order, the first that fails gives the reason: status, generation, deadline; then the person:
unknown, deceased, do-not-contact, consent; then the channel. Kinds without a line are never made.
The clinic's window (D16) and the patient's opt-outs (D36) will each be a column here.
"""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.channels import Route, choose
from notifier.domain.visits import Preferences, Visit
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason


@dataclass(frozen=True, slots=True)
class Needs:
    """One line of the gate's table.

    Attributes:
        status: The only status that opens the gate.
        own_generation: The schedule it was made for must still stand.
        person: The patient is messaged, so his consent and his contacts count.
        before_start: Its deadline is the start of the visit as it is now, not one fixed when it was made.
    """

    status: Status
    own_generation: bool
    person: bool
    before_start: bool


GATE: dict[Kind, Needs] = {
    Kind.CONFIRMATION: Needs(Status.BOOKED, own_generation=False, person=True, before_start=True),
    Kind.REMINDER: Needs(Status.BOOKED, own_generation=True, person=True, before_start=False),
    Kind.PROVIDER_BOOKED: Needs(Status.BOOKED, own_generation=False, person=False, before_start=True),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a message before the gate is read."""

    kind: Kind
    schedule_gen: int
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Send:
    """The gate is open: on this route, until this instant."""

    route: Route
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """The gate is shut for good."""

    reason: Reason


Decision = Send | Skip


def decide(asked: Asked, visit: Visit | None, preferences: Preferences | None, now: datetime) -> Decision:
    """Return whether the message may leave now, on which route, or why never.

    Args:
        asked: The message.
        visit: The gate's row; None if booking does not know the appointment any more.
        preferences: What the patient has said about channels; None if nothing.
        now: Domain time.
    """
    if visit is None:
        return Skip(Reason.NOT_SENDABLE)
    needs = GATE[asked.kind]
    if reason := _visit_bars(needs, asked, visit, now):
        return Skip(reason)
    deadline = visit.starts_at if needs.before_start else asked.not_after
    if deadline is None:
        return Skip(Reason.NOT_SENDABLE)
    if not needs.person:
        return _to_provider(visit, deadline)
    if reason := _person_bars(visit):
        return Skip(reason)
    route = choose(asked.kind, visit, preferences)
    return Send(route, deadline) if isinstance(route, Route) else Skip(route)


def _visit_bars(needs: Needs, asked: Asked, visit: Visit, now: datetime) -> Reason | None:
    if visit.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}:
        return Reason.APPOINTMENT_CANCELLED
    if visit.status is not needs.status:
        return Reason.NOT_SENDABLE
    if needs.own_generation and visit.schedule_gen != asked.schedule_gen:
        return Reason.RESCHEDULED
    if needs.before_start:
        return Reason.PAST_VISIT if visit.starts_at and visit.starts_at <= now else None
    return Reason.TOO_LATE if asked.not_after and now > asked.not_after else None


def _person_bars(visit: Visit) -> Reason | None:
    if not visit.registered:
        return Reason.UNKNOWN_PATIENT
    if visit.deceased:
        return Reason.DECEASED
    if visit.do_not_contact:
        return Reason.DO_NOT_CONTACT
    return None if visit.consent else Reason.NO_CONSENT


def _to_provider(visit: Visit, deadline: datetime) -> Decision:
    if visit.provider_id is None or visit.provider_name is None:
        return Skip(Reason.UNKNOWN_PROVIDER)
    return Send(Route(Channel.IN_APP, str(visit.provider_id)), deadline)
