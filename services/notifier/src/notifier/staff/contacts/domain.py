"""Who cannot be reached, and why: what the front desk mends before a visit (B12)."""

from collections.abc import Mapping
from dataclasses import dataclass

from notifier.gate.domain.channels import Route, offers
from notifier.gate.domain.visit import Preferences, Visit
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

BAD_EVIDENCE = {"undelivered": Reason.UNDELIVERED, "rejected": Reason.REFUSED}
"""What the newest call to an address may say against it: reported as not delivered, or refused for good."""

type Evidence = Mapping[tuple[Channel, str], str]
"""Channel and address → what the newest call to it came to, of late."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why one channel does not lead to the patient."""

    channel: Channel
    reason: Reason


@dataclass(frozen=True, slots=True)
class Reach:
    """A patient who cannot be reached: the one reason that sums it up, and that of each channel he has left on."""

    reason: Reason
    channels: tuple[Trouble, ...] = ()


def unreachable(
    visit: Visit, preferences: Preferences | None, opted_out: frozenset[Channel], evidence: Evidence
) -> Reach | None:
    """Return why the patient of this visit cannot be reminded, or None if some channel leads to him.

    Whether he wants to be messaged at all (consent, do-not-contact) is not a matter of his contacts.
    """
    if not visit.registered:
        return Reach(Reason.UNKNOWN_PATIENT)
    chain = offers(Kind.REMINDER, visit, preferences)
    if not chain:
        return Reach(Reason.CHANNELS_DISABLED)
    troubles = []
    for offer in chain:
        reason = _against(offer.route, offer.channel, opted_out, evidence)
        if reason is None:
            return None
        troubles.append(Trouble(offer.channel, reason))
    return Reach(_sum(troubles), tuple(troubles))


def _against(route: Route | None, channel: Channel, opted_out: frozenset[Channel], evidence: Evidence) -> Reason | None:
    if route is None:
        return Reason.NO_CONTACT
    if channel in opted_out:
        return Reason.OPTED_OUT
    return BAD_EVIDENCE.get(evidence.get((channel, route.address), ""))


def _sum(troubles: list[Trouble]) -> Reason:
    """Return the strongest: an address that failed can be mended, an opt-out stands, else there is none at all."""
    met = {trouble.reason for trouble in troubles}
    order = (Reason.UNDELIVERED, Reason.REFUSED, Reason.OPTED_OUT)
    return next((reason for reason in order if reason in met), Reason.NO_CONTACT)
