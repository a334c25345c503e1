"""Where messages of HL7 v2 are taken, over whatever wire they came, and acknowledged after the commit."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from booking.appointments.domain.command import BookAppointment
from booking.appointments.intake import CommandIntake
from booking.door.domain import Client
from booking.formats.hl7v2.acks import AckCode, ack, code_for
from booking.formats.hl7v2.appointment import IGNORED_MESSAGE
from booking.formats.hl7v2.format import command_of, profile_of
from booking.formats.hl7v2.segments import Message, read
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import DEFAULT, Profile
from booking.values.refusals import Refused
from chassis.api.problems import Problem
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable


class _Read(NamedTuple):
    """A message, as far as it could be read.

    Attributes:
        message: Its bytes, if not even that could be read which an acknowledgement repeats.
    """

    message: Message | bytes
    command: BookAppointment | Refused | None = None
    profile: Profile = DEFAULT


class Hl7Door:
    """Takes messages and acknowledges them.

    Args:
        own_id: Gives each acknowledgement a control id of its own.
    """

    def __init__(self, intake: CommandIntake, profiles: Profiles, clock: Clock, own_id: Callable[[], str]) -> None:
        self._intake, self._profiles, self._clock, self._own_id = intake, profiles, clock, own_id

    async def answer_all(self, messages: Sequence[bytes], client: Client, source: str | None) -> Sequence[bytes]:
        """Take messages in order, in one transaction, and return an acknowledgement for each, after the commit.

        What is refused for good is answered AR with its reason; what could not be kept now, all of it, AE. One that is
        empty is of a message whose sender wants none.

        Args:
            source: The source that is named beside them; None: the client's only one, or told by each one's sender.
        """
        hints = Hints(client, self._clock.now(), source, None, self._profiles)
        found = [_of(body, hints) for body in messages]
        try:
            answers = await self._intake.answer_all([one.command for one in found if one.command is not None], client)
        except (Unavailable, Problem):
            return [self._ack(one, None, AckCode.AE) for one in found]
        return [self._answer(one, answer.refusal) for one, answer in zip(found, answers, strict=True)]

    def refused(self, message: bytes, why: Refused) -> bytes:
        """Return the acknowledgement of a message, or of its beginning, that is never taken (AR)."""
        return self._ack(_unread(message), why, AckCode.AR)

    def later(self, message: bytes) -> bytes:
        """Return the acknowledgement of a message that was not taken now and may be sent again (AE)."""
        return self._ack(_unread(message), None, AckCode.AE)

    def _answer(self, one: _Read, refusal: Refused | None) -> bytes:
        if refusal is None or refusal.code == IGNORED_MESSAGE:
            return self._ack(one, None, AckCode.AA)
        return self._ack(one, refusal, AckCode(one.profile.hl7v2.ack.refused_as))

    def _ack(self, one: _Read, refusal: Refused | None, code: AckCode) -> bytes:
        wanted: AckCode | None = code
        if isinstance(one.message, Message):
            wanted = code_for(one.message, code, one.profile.hl7v2.ack.mode)
        return b"" if wanted is None else ack(one.message, wanted, refusal, self._clock.unstepped(), self._own_id())


def _unread(body: bytes) -> _Read:
    try:
        return _Read(read(body))
    except Refused:
        return _Read(body)


def _of(body: bytes, hints: Hints) -> _Read:
    try:
        message = read(body)
    except Refused as refusal:
        return _Read(body, refusal)
    profile = DEFAULT
    try:
        source, profile = profile_of(message, hints)
        if profile.hl7v2.charset is not None:
            message = read(body, profile.hl7v2.charset)
        return _Read(message, command_of(message, source, profile, hints), profile)
    except Refused as refusal:
        return _Read(message, refusal, profile)
