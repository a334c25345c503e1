"""What counts besides the bookings: what carriers refuse, when one is down, who said STOP, what clinics chose."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from stack.demo import people
from stack.demo.calendar import local
from stack.demo.changes import NewNumber
from stack.demo.people import Patient

STOPS_AT = time(8, 30)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address that the carrier of a channel refuses for good."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A while in which a carrier answers nothing but that it is down."""

    channel: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Conditions:
    """All of it."""

    refusals: tuple[Refusal, ...] = ()
    outages: tuple[Outage, ...] = ()
    stops: Mapping[str, datetime] = field(default_factory=dict)
    follow_up: frozenset[str] = frozenset()
    new_numbers: tuple[NewNumber, ...] = ()

    def refuses(self, channel: str, address: str) -> bool:
        """Say whether this address is refused on this channel."""
        return any(one.channel == channel and one.address == address for one in self.refusals)

    def down_until(self, channel: str, at: datetime) -> datetime | None:
        """Return when a carrier that is down comes back, None if it is not down."""
        return next((o.ends for o in self.outages if o.channel == channel and o.begins <= at < o.ends), None)

    def as_of(self, patient: Patient, at: datetime) -> Patient:
        """Return a patient with the mobile that he had by an instant."""
        newer = [one.mobile for one in self.new_numbers if one.patient == patient.id and one.at <= at]
        return replace(patient, mobile=newer[-1]) if newer else patient

    def stopped(self, address: str, at: datetime) -> bool:
        """Say whether this number's owner had written STOP."""
        since = self.stops.get(address)
        return since is not None and since <= at


ORDINARY = Conditions()
"""Every carrier takes everything, and nobody has said anything."""

DOWN_DAY, DOWN_FROM, DOWN_TO = 3, time(12, 50), time(13, 12)
"""When the carrier of SMS is down: longer than the 2 h rule tries a channel, shorter than the 24 h rule does (D33)."""

DOWN_AT, FOLLOWS_UP = people.CLINICS[2], people.CLINICS[1]


def conditions_of(day0: date, everyone: Mapping[str, tuple[Patient, ...]]) -> Conditions:
    """Return what happens to the messages of the week that begins on a day."""
    refusals: list[Refusal] = []
    stops: dict[str, datetime] = {}
    for clinic in people.CLINICS:
        here = everyone[clinic.code]
        refused = [("whatsapp", index) for index in (*people.NO_WHATSAPP, *people.NO_MOBILE)]
        refused += [("sms", index) for index in (*people.NO_MOBILE, *people.DEAD_NUMBER, *people.UNREACHABLE)]
        refusals += [Refusal(channel, here[index].mobile or "") for channel, index in refused]
        stop_at = local(day0 + timedelta(days=1), STOPS_AT, clinic.zone)
        stops |= {here[index].mobile or "": stop_at for index in people.SAID_STOP}
    down = (local(day0 + timedelta(days=DOWN_DAY), at, DOWN_AT.zone) for at in (DOWN_FROM, DOWN_TO))
    return Conditions(tuple(refusals), (Outage("sms", *down),), stops, frozenset({FOLLOWS_UP.code}))
