"""Where messages of HL7 v2 are taken, over whatever wire they came, and acknowledged after the commit."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from booking.door.domain import Client
from booking.formats.hl7v2.acks import AckCode, ack, code_for
from booking.formats.hl7v2.format import asked_by, opened
from booking.formats.hl7v2.segments import Message, read
from booking.formats.port import Asked, Hints
from booking.formats.taking import Taking
from booking.profiles.current import Profiles
from booking.profiles.domain import DEFAULT, Profile
from booking.values.refusals import IGNORED_MESSAGE, Refused
from chassis.api.problems import Problem
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable


class _Read(NamedTuple):
    """A message, as far as it could be read.

    Attributes:
        message: Its bytes, if not even that could be read which an acknowledgement repeats.
        asks: What it asks for, or why it is refused.
    """

    message: Message | bytes
    asks: Asked
    profile: Profile = DEFAULT


class Hl7Door:
    """Takes messages and acknowledges them.

    Args:
        own_id: Gives each acknowledgement a control id of its own.
        country: By which national numbers of patients told of alone are read where the profile names none.
    """

    def __init__(
        self,
        taking: Taking,
        profiles: Profiles,
        clock: Clock,
        own_id: Callable[[], str],
        country: str | None = None,
    ) -> None:
        self._taking, self._profiles = taking, profiles
        self._clock, self._own_id, self._country = clock, own_id, country

    async def answer_all(self, messages: Sequence[bytes], client: Client, source: str | None) -> Sequence[bytes]:
        """Take messages in order, and return an acknowledgement for each, after its commit.

        Those of visits that follow each other are one transaction, so are those of patients; a merge is its own. What
        is refused for good is answered AR with its reason; what could not be kept now, and all that came after it, AE.
        One that is empty is of a message whose sender wants none.

        Args:
            source: The source that is named beside them; None: the client's only one, or told by each one's sender.
        """
        hints = Hints(client, self._clock.now(), source, None, self._profiles, self._country)
        found = [self._read(body, hints) for body in messages]
        answers = list[bytes]()
        try:
            async for run in self._taking.runs([one.asks for one in found], client):
                together = found[len(answers) : len(answers) + len(run)]
                answers += [self._answer(one, answer.refusal) for one, answer in zip(together, run, strict=True)]
        except (Unavailable, Problem):
            answers += [self._ack(one.message, None, AckCode.AE, one.profile) for one in found[len(answers) :]]
        return answers

    def refused(self, message: bytes, why: Refused) -> bytes:
        """Return the acknowledgement of a message, or of its beginning, that is never taken (AR)."""
        return self._ack(_read(message), why, AckCode.AR)

    def later(self, message: bytes) -> bytes:
        """Return the acknowledgement of a message that was not taken now and may be sent again (AE)."""
        return self._ack(_read(message), None, AckCode.AE)

    def _answer(self, one: _Read, refusal: Refused | None) -> bytes:
        if refusal is None or refusal.code == IGNORED_MESSAGE:
            return self._ack(one.message, None, AckCode.AA, one.profile)
        return self._ack(one.message, refusal, AckCode(one.profile.hl7v2.ack.refused_as), one.profile)

    def _ack(self, message: Message | bytes, why: Refused | None, code: AckCode, profile: Profile = DEFAULT) -> bytes:
        wanted: AckCode | None = code
        if isinstance(message, Message):
            wanted = code_for(message, code, profile.hl7v2.ack.mode)
        return b"" if wanted is None else ack(message, wanted, why, self._clock.unstepped(), self._own_id())

    def _read(self, body: bytes, hints: Hints) -> _Read:
        profile = DEFAULT
        message: Message | bytes = body
        try:
            message = read(body)
            message, meant = opened(message, hints)
            profile = meant.profile
            return _Read(message, asked_by(message, meant, hints), profile)
        except Refused as refusal:
            return _Read(message, refusal, profile)


def _read(body: bytes) -> Message | bytes:
    """Return a message, or its bytes where it is none."""
    try:
        return read(body)
    except Refused:
        return body
