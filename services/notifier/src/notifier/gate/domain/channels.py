"""Which channels a message may take, best first: read at each step, never frozen at booking (D30, D31, D34)."""

from dataclasses import dataclass

from notifier.gate.domain.visit import Preferences, Visit, email_of, mobile_of
from notifier.values.kinds import KINDS
from schemas.notifications import Channel, Kind

NOTHING_SAID = Preferences(whatsapp=False, sms=True, email=True)
"""No preference record: SMS, else email (R23, D30). Nobody is put on WhatsApp without having said so."""


@dataclass(frozen=True, slots=True)
class Route:
    """A channel and the address on it."""

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A channel that the patient has left on. `route` is None if he has no address on it that a carrier could take."""

    channel: Channel
    route: Route | None


def offers(kind: Kind, visit: Visit, preferences: Preferences | None) -> tuple[Offer, ...]:
    """Return the chain of this message: WhatsApp, SMS, email, of those left on (R23); email first for some kinds."""
    said = preferences or NOTHING_SAID
    mobile, email = mobile_of(visit), email_of(visit)
    all_three = (
        (said.whatsapp, Channel.WHATSAPP, mobile),
        (said.sms, Channel.SMS, mobile),
        (said.email, Channel.EMAIL, email),
    )
    chain = [Offer(name, Route(name, address) if address else None) for enabled, name, address in all_three if enabled]
    if KINDS[kind].is_news:
        chain.sort(key=lambda offer: offer.channel is not Channel.EMAIL)
    return tuple(chain)
