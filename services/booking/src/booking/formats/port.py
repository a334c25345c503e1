"""The port of upstream formats: how one kind of upstream writes its bookings, from bytes to commands."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.door.strict_json import not_utf8
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.trail import Trail
from booking.values.warned import Warned


class Meant(NamedTuple):
    """Whose an event is, and what that source means by what it sends.

    Attributes:
        zone: Of its times without offset; None: nobody knows it.
        profiles: Those of all sources.
        clinic: Code of the clinic of events that name none that is known: the profile's, else the client's own.
    """

    source: str
    profile: Profile
    zone: ZoneInfo | None
    clinic: str | None
    profiles: Profiles

    @property
    def country(self) -> str | None:
        """By which national numbers of patients told of alone are read: the profile's, else the clinic's."""
        return self.profile.country or self.profiles.country_at(self.clinic)

    def zone_at(self, place: str | None = None) -> ZoneInfo | None:
        """Return the zone of a wall's time at a clinic of this code: the profile's, else the clinic's.

        Args:
            place: None, or no code of a clinic that is known: where events are that name none.
        """
        return self.profiles.zone_of(self.source, place, self.clinic)


@dataclass(frozen=True, slots=True)
class Hints:
    """What came beside the body.

    Attributes:
        now: Domain time: of lists of what is valid from and until it decides.
        source: The source named beside the body (in a request's query), if any.
        key: The idempotency key given beside the body (the header Idempotency-Key), if any.
        profiles: What each source means by what it sends; all defaults where none are given.
        country: ISO 3166 code by which national numbers of patients told of alone are read where it has none.
        trails: Takes where the values of each message came from, in their order; None: nobody asked.
    """

    client: Client
    now: datetime
    source: str | None = None
    key: str | None = None
    profiles: Profiles = field(default_factory=Profiles)
    country: str | None = None
    trails: list[Trail] | None = None

    def meant(self, named: str | None = None, sender: tuple[str, str] | None = None) -> Meant:
        """Return whose an event is: by its own words, by what came beside the body, by its sender, else its client's.

        Args:
            named: The source that the event names itself, if any.
            sender: The application and facility that it names as its sender (MSH-3, MSH-4), if its format has them.

        Raises:
            Refused: FOREIGN_SOURCE, SOURCE_REQUIRED.
        """
        said = named or self.source or None
        if said is None and sender is not None:
            said = self.profiles.matching(self.client.sources, *sender)
        source = self.client.source(said)
        held = self.profiles.held(source)
        return Meant(source, held.profile, held.zone, held.profile.clinic or self.client.default_clinic, self.profiles)

    def trail(self) -> Trail | None:
        """Return what takes where the values of the next message come from; None: nobody asked.

        A format asks once for each message, before anything of it can be refused.
        """
        if self.trails is None:
            return None
        self.trails.append([])
        return self.trails[-1]

    def done(self, messages: int) -> None:
        """Say that so many messages were read: one that was refused before it asked for a trail has an empty one."""
        if self.trails is not None:
            self.trails.extend([] for _ in range(messages - len(self.trails)))


type Asked = BookAppointment | Registration | ToldMerges | Refused
"""What an event asks for: something of a visit, or of patients alone; or why it is refused."""


class Parsed(NamedTuple):
    """What a body holds.

    Attributes:
        commands: In order; one that cannot be read stands as its refusal.
        is_batch: Whether it may hold several, and each is answered for itself. Over HTTP only: a record of a topic is
            one event, because its key keeps the events of one appointment in order.
        warnings: What is said of what is around them.
    """

    commands: Sequence[Asked]
    is_batch: bool = False
    warnings: Sequence[Warned] = ()

    @property
    def is_one(self) -> bool:
        """Whether it is one event, and is answered as such."""
        return not self.is_batch and len(self.commands) == 1


class Format(Protocol):
    """How one kind of upstream writes its bookings. A new kind is one file, or folder, and one line in `wiring`."""

    @property
    def media_types(self) -> Collection[str]:
        """The types by which a request says that it is of this format (`Content-Type`), in small letters."""

    @property
    def topic_content_types(self) -> Collection[str]:
        """The types by which a record of an inbound topic says so (its header `content-type`), in small letters."""

    @property
    def openapi(self) -> Mapping[str, Any]:
        """The OpenAPI media type object of a body: its `schema`, and `examples`."""

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """Return the commands in `body`.

        Raises:
            UnicodeDecodeError: Neither can it as text; `parsed_by` makes a refusal of it.
        """

    def event_id(self, body: bytes) -> str | None:
        """Return which event a body is that was refused, as its sender calls it; None if nothing in it says so.

        Raises:
            Refused: Nothing can, as it cannot be read.
        """


type Parse = Callable[[bytes, Hints], Parsed]


def parsed_by(parse: Parse, body: bytes, hints: Hints) -> Parsed:
    """Return what a format makes of a body."""
    try:
        return parse(body, hints)
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None
