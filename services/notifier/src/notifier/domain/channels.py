"""Which channel a message takes: read when it is sent, never frozen at booking (D30, D31, D34)."""

from dataclasses import dataclass

from notifier.domain.visits import Preferences, Visit, email_of, mobile_of
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

EMAIL_FIRST = frozenset({Kind.CONFIRMATION})
"""Kinds that carry a calendar entry and so prefer email over the patient's order (D34)."""

NOTHING_SAID = Preferences(whatsapp=False, sms=True, email=True)
"""No preference record: SMS, else email (R23, D30). Nobody is put on WhatsApp without having said so."""


@dataclass(frozen=True, slots=True)
class Route:
    """A channel and the address on it."""

    channel: Channel
    address: str


def chain(kind: Kind, visit: Visit, preferences: Preferences | None) -> tuple[Route, ...]:
    """Return every usable route for this message, best first: WhatsApp, SMS, email (R23).

    The first is taken. The rest are the steps that fallback will try (D32), which is not built yet.
    """
    said = preferences or NOTHING_SAID
    mobile, email = mobile_of(visit), email_of(visit)
    offers = (
        (said.whatsapp, Channel.WHATSAPP, mobile),
        (said.sms, Channel.SMS, mobile),
        (said.email, Channel.EMAIL, email),
    )
    routes = [Route(channel, address) for enabled, channel, address in offers if enabled and address]
    if kind in EMAIL_FIRST:
        routes.sort(key=lambda route: route.channel is not Channel.EMAIL)
    return tuple(routes)


def choose(kind: Kind, visit: Visit, preferences: Preferences | None) -> Route | Reason:
    """Return the route to take, or the reason why there is none.

    CHANNELS_DISABLED if the patient has switched all off, else NO_CONTACT (D30).
    """
    if preferences and not (preferences.whatsapp or preferences.sms or preferences.email):
        return Reason.CHANNELS_DISABLED
    routes = chain(kind, visit, preferences)
    return routes[0] if routes else Reason.NO_CONTACT
