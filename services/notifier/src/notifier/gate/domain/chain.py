"""The chain of channels at the gate: the first that is open, or when one opens, or why none will (D16, D30-D32)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from notifier.gate.domain.channels import Offer, Route, offers
from notifier.gate.domain.facts import GateFacts
from notifier.gate.domain.hours import closes_at, narrowed, needs_window, opens_at
from notifier.gate.domain.visit import Visit
from schemas.appointments import SendWindow
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

_STRONGEST = (Reason.QUIET_HOURS, Reason.OPTED_OUT, Reason.NO_CONTACT)
"""Of several reasons why nobody was called, the one to tell: the nearest to a message that would have left."""

TRIED = frozenset({Reason.REFUSED, Reason.NOT_ACCEPTED, Reason.OUTCOME_UNKNOWN, Reason.UNDELIVERED})
"""Reasons that close a channel for a message for good: it was called. All others are asked again at each gate."""


@dataclass(frozen=True, slots=True)
class Step:
    """A channel that was passed over, and why. The ledger keeps them in order."""

    channel: Channel
    reason: Reason


@dataclass(frozen=True, slots=True)
class Open:
    """This route is open; `last` if no other channel is left to be tried after it."""

    route: Route
    closed: tuple[Step, ...]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Opens:
    """None is open; this channel will be, in time."""

    until: datetime
    channel: Channel
    closed: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """None is open, and none will be in time."""

    reason: Reason
    closed: tuple[Step, ...]


def next_channel(
    kind: Kind, steps: tuple[Step, ...], visit: Visit, facts: GateFacts, deadline: datetime, now: datetime
) -> Open | Opens | Closed:
    """Return the channel to take now.

    A channel that was called and closed stays closed (D32). Whether one has an address, was opted out of or is
    within its hours is asked anew each time (D31). `closed` of the answer is what was not noted before.
    """
    chain = offers(kind, visit, facts.preferences)
    if not chain:
        return Closed(Reason.CHANNELS_DISABLED, ())
    tried = {step.channel for step in steps if step.reason in TRIED}
    closed: list[Step] = []
    waits: list[tuple[datetime, Channel]] = []
    for offer in (offer for offer in chain if offer.channel not in tried):
        if offer.route is None:
            closed.append(Step(offer.channel, Reason.NO_CONTACT))
        elif offer.channel in facts.opted_out:
            closed.append(Step(offer.channel, Reason.OPTED_OUT))
        else:
            opening = _opening(kind, offer.channel, visit, facts, now)
            if opening == now:
                return Open(offer.route, _new(closed, steps), _is_last(offer, chain, tried, facts))
            closed.append(Step(offer.channel, Reason.OUTSIDE_WINDOW))
            if opening and opening <= deadline:
                waits.append((opening, offer.channel))
    if waits:
        until, channel = min(waits, key=lambda wait: wait[0])
        return Opens(until, channel, _new((step for step in closed if step.reason is not Reason.OUTSIDE_WINDOW), steps))
    return Closed(_reason(closed, steps), _new(closed, steps))


def arrives_by(
    kind: Kind, channel: Channel, visit: Visit, facts: GateFacts, not_after: datetime, now: datetime
) -> datetime:
    """Return until when a message that may leave now may arrive: its deadline, or the end of the channel's hours."""
    hours = _hours(kind, channel, visit, facts)
    return min(not_after, closes_at(hours, visit.zone, now)) if hours else not_after


def _is_last(taken: Offer, chain: Iterable[Offer], tried: Collection[Channel], facts: GateFacts) -> bool:
    left = (offer for offer in chain if offer.channel not in {taken.channel, *tried, *facts.opted_out})
    return all(offer.route is None for offer in left)


def _opening(kind: Kind, channel: Channel, visit: Visit, facts: GateFacts, now: datetime) -> datetime | None:
    """Return `now` if the channel is open, else when it opens, or None if it never does."""
    hours = _hours(kind, channel, visit, facts)
    return opens_at(hours, visit.zone, now) if hours else now


def _hours(kind: Kind, channel: Channel, visit: Visit, facts: GateFacts) -> SendWindow | None:
    """Return the hours of this kind on this channel; None if it may go at any hour."""
    if not needs_window(kind, channel):
        return None
    clinic = SendWindow(opens=visit.window_opens, closes=visit.window_closes)
    return narrowed(clinic, facts.clinic.channel_windows.get(channel))


def _new(closed: Iterable[Step], steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step for step in closed if step not in steps)


def _reason(closed: list[Step], steps: tuple[Step, ...]) -> Reason:
    """Return the last call's reason if any channel was called, else the strongest of the others."""
    called = [step.reason for step in steps if step.reason in TRIED]
    if called:
        return called[-1]
    met = {Reason.QUIET_HOURS if step.reason is Reason.OUTSIDE_WINDOW else step.reason for step in closed}
    return next((reason for reason in _STRONGEST if reason in met), Reason.NO_CONTACT)
