"""A body explained, message by message."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from booking.appointments.domain.command import BookAppointment
from booking.door.bodies import views
from booking.door.domain import Client
from booking.formats.choice import Formats
from booking.formats.maps.bodies import MappedMessage, MapView, Outcome, field_views, message
from booking.formats.maps.dry_run import Follows, tried
from booking.formats.maps.fields import said_by, said_of, said_of_merges, shown
from booking.formats.port import Asked, Format, Hints, Parsed, parsed_by
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import IGNORED_MESSAGE, Refused
from booking.values.trail import Trail
from chassis.postgres.database import Pool
from chassis.process.clock import Clock

MOST_MESSAGES = 1_000
"""Messages of one body."""

_TOO_LARGE = "BATCH_TOO_LARGE"


class Read(NamedTuple):
    """A message, as far as it could be read.

    Attributes:
        asks: What it asks for, or why it is refused.
        trail: Where its values came from.
    """

    asks: Asked
    trail: Trail


@dataclass(frozen=True)
class Explainer:
    """Explains bodies as the door would read and decide them.

    Attributes:
        reads: Connections for what only reads.
        all_register: Whether a booking registers whomever it names (D5).
        country: By which national numbers of patients are read where neither clinic nor profile names one.
    """

    formats: Formats
    profiles: Profiles
    reads: Pool
    clock: Clock
    all_register: bool = False
    country: str | None = None

    async def explain(
        self, body: bytes, content_type: str | None, source: str, client: Client, *, values: bool
    ) -> MapView:
        """Return what a body's messages say, where that came from, and what would follow.

        Args:
            content_type: The header `Content-Type`, by which the format is chosen as for events.
            values: Whether values are shown as they are.

        Raises:
            Refused: FOREIGN_SOURCE, BATCH_TOO_LARGE. What is wrong with the body itself is told of its message.
        """
        now, format_ = self.clock.now(), self.formats.of_request(content_type)
        hints = Hints(client, now, client.source(source), None, self.profiles, self.country, [])
        parsed = _parsed(format_, body, hints)
        if len(parsed.commands) > MOST_MESSAGES:
            raise Refused(_TOO_LARGE, f"at most {MOST_MESSAGES} messages", "")
        found = with_trails(parsed, hints)
        commands = [one.asks for one in found if isinstance(one.asks, BookAppointment)]
        follows = iter(await tried(self.reads, commands, client, now, all_register=self.all_register))
        only = self.formats.event_id(body, format_) if len(found) == 1 else None
        profile = self.profiles.of(source)
        messages = [
            view_of(number, one, _next_of(one, follows), only, profile, values=values)
            for number, one in enumerate(found, 1)
        ]
        return MapView(
            source=source,
            format=next(iter(format_.media_types)),
            profile_version=self.profiles.version_of(source),
            refused=sum(one.outcome is Outcome.REFUSED for one in messages),
            messages=messages,
            warnings=views(parsed.warnings),
        )


def _parsed(format_: Format, body: bytes, hints: Hints) -> Parsed:
    """Return what a format makes of a body; one that cannot be read at all is one message that is refused."""
    try:
        return parsed_by(format_.parse, body, hints)
    except Refused as refusal:
        if refusal.code == _TOO_LARGE:
            raise
        return Parsed([refusal])


def with_trails(parsed: Parsed, hints: Hints) -> list[Read]:
    """Return each message with where its values came from."""
    trails = [*(hints.trails or ()), *([] for _ in parsed.commands)]
    return [Read(asks, trail) for asks, trail in zip(parsed.commands, trails, strict=False)]


def _next_of(one: Read, follows: Iterator[Follows]) -> Follows | None:
    return next(follows) if isinstance(one.asks, BookAppointment) else None


def view_of(
    number: int, one: Read, follows: Follows | None, only: str | None, profile: Profile, *, values: bool
) -> MappedMessage:
    """Return one message as it is answered.

    Args:
        only: The id of the one event of the body, where nothing else says it.
        values: Whether values are shown as they are.
    """
    asks, fields = one.asks, field_views(shown(_said(one.asks), one.trail), profile, values=values)
    if isinstance(asks, Refused):
        is_ignored = asks.code == IGNORED_MESSAGE
        return message(
            number, only, Outcome.IGNORED if is_ignored else Outcome.REFUSED, fields, None if is_ignored else asks
        )
    if not isinstance(asks, BookAppointment):
        return message(number, only, Outcome.TOLD, fields, warnings=getattr(asks, "warnings", ()))
    assert follows is not None  # noqa: S101  # every command was tried
    refusal, result = follows.answer.refusal, follows.answer.result
    if refusal is not None or result is None:
        return message(number, asks.key, Outcome.REFUSED, fields, refusal, asks.warnings, follows)
    return message(number, asks.key, Outcome(result.value), fields, None, follows.answer.warnings, follows)


def _said(asks: Asked) -> dict[str, tuple[str, ...]]:
    match asks:
        case BookAppointment():
            return said_by(asks)
        case Registration():
            return said_of(asks)
        case ToldMerges():
            return said_of_merges(asks)
        case _:
            return {}
