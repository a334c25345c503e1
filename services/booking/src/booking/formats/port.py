"""The port of upstream formats: how one kind of upstream writes its bookings, from bytes to commands."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.door.strict_json import not_utf8
from booking.profiles.current import Profiles
from booking.values.refusals import Refused
from booking.values.trail import Trail
from booking.values.warned import Warned


@dataclass(frozen=True, slots=True)
class Hints:
    """What came beside the body.

    Attributes:
        now: Domain time: of lists of what is valid from and until it decides.
        source: The source named beside the body (in a request's query), if any.
        key: The idempotency key given beside the body (the header Idempotency-Key), if any.
        profiles: What each source means by what it sends; all defaults where none are given.
        trails: Takes where the values of each message came from, in their order; None: nobody asked.
    """

    client: Client
    now: datetime
    source: str | None = None
    key: str | None = None
    profiles: Profiles = field(default_factory=Profiles)
    trails: list[Trail] | None = None

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


class Parsed(NamedTuple):
    """What a body holds.

    Attributes:
        commands: In order; one that cannot be read stands as its refusal.
        is_batch: Whether it may hold several, and each is answered for itself. Over HTTP only: a record of a topic is
            one event, because its key keeps the events of one appointment in order.
        warnings: What is said of what is around them.
    """

    commands: Sequence[BookAppointment | Refused]
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
