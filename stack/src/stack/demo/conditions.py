"""What counts besides the bookings: what carriers refuse, when one is down, who said STOP, what clinics chose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Carrier = Literal["whatsapp", "sms", "email"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address that the carrier of a channel refuses for good."""

    channel: Carrier
    address: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A while in which a carrier answers nothing but that it is down."""

    channel: Carrier
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Conditions:
    """All of it.

    Attributes:
        stops: Mobile number → when its owner wrote STOP.
        follow_up: Clinics that write to those who did not come.
    """

    refusals: tuple[Refusal, ...] = ()
    outages: tuple[Outage, ...] = ()
    stops: Mapping[str, datetime] = field(default_factory=dict)
    follow_up: frozenset[str] = frozenset()

    def refuses(self, channel: str, address: str) -> bool:
        """Say whether this address is refused on this channel."""
        return any(one.channel == channel and one.address == address for one in self.refusals)

    def down_until(self, channel: str, at: datetime) -> datetime | None:
        """Return when a carrier that is down comes back, None if it is not down."""
        return next((o.ends for o in self.outages if o.channel == channel and o.begins <= at < o.ends), None)

    def stopped(self, address: str, at: datetime) -> bool:
        """Say whether this number's owner had written STOP."""
        since = self.stops.get(address)
        return since is not None and since <= at


ORDINARY = Conditions()
"""Every carrier takes everything, and nobody has said anything."""
