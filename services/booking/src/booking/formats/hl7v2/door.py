"""Where messages of HL7 v2 are taken, over whatever wire they came, and acknowledged after the commit."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from booking.appointments.domain.command import BookAppointment
from booking.appointments.intake import CommandIntake
from booking.door.domain import Client
from booking.formats.hl7v2.acks import AckCode, ack, code_for
from booking.formats.hl7v2.format import command_of, meant_by
from booking.formats.hl7v2.people_messages import ADMINISTRATION, MERGES, merges, registration
from booking.formats.hl7v2.segments import Message, read
from booking.formats.port import Hints
from booking.merges.intake import MergeIntake
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.patients.intake import RegistrationIntake
from booking.profiles.current import Profiles
from booking.profiles.domain import DEFAULT, Profile
from booking.values.refusals import IGNORED_MESSAGE, Refused
from booking.values.warned import UNKNOWN_PATIENT
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
    asks: BookAppointment | Registration | ToldMerges | Refused
    profile: Profile = DEFAULT


_NOT_HERE = Refused("UNSUPPORTED_MESSAGE", "messages of patients are not taken here", "MSH-9.1")


def _kind(one: _Read) -> type:
    """Return by what a message is taken; one that is refused is answered among those of visits."""
    return type(one.asks) if isinstance(one.asks, Registration | ToldMerges) else BookAppointment


class Hl7Door:
    """Takes messages and acknowledges them.

    Args:
        own_id: Gives each acknowledgement a control id of its own.
        people: Takes what is told of patients alone; None: such messages are refused.
        merging: Merges their records; None: such messages are refused.
        country: By which national numbers of such patients are read where the profile names none.
    """

    def __init__(
        self,
        intake: CommandIntake,
        profiles: Profiles,
        clock: Clock,
        own_id: Callable[[], str],
        people: RegistrationIntake | None = None,
        country: str | None = None,
        merging: MergeIntake | None = None,
    ) -> None:
        self._intake, self._people, self._merging = intake, people, merging
        self._profiles, self._clock, self._own_id, self._country = profiles, clock, own_id, country

    async def answer_all(self, messages: Sequence[bytes], client: Client, source: str | None) -> Sequence[bytes]:
        """Take messages in order, and return an acknowledgement for each, after its commit.

        Those of visits that follow each other are one transaction, so are those of patients; a merge is its own. What
        is refused for good is answered AR with its reason; what could not be kept now, and all that came after it, AE.
        One that is empty is of a message whose sender wants none.

        Args:
            source: The source that is named beside them; None: the client's only one, or told by each one's sender.
        """
        hints = Hints(client, self._clock.now(), source, None, self._profiles)
        found = [self._read(body, hints) for body in messages]
        answers = list[bytes]()
        try:
            for kind, run in groupby(found, _kind):
                together = list(run)
                take = self._register if kind is Registration else self._merge if kind is ToldMerges else self._book
                refusals = await take(together, client)
                answers += [self._answer(one, why) for one, why in zip(together, refusals, strict=True)]
        except (Unavailable, Problem):
            answers += [self._ack(one.message, None, AckCode.AE, one.profile) for one in found[len(answers) :]]
        return answers

    def refused(self, message: bytes, why: Refused) -> bytes:
        """Return the acknowledgement of a message, or of its beginning, that is never taken (AR)."""
        return self._ack(_read(message), why, AckCode.AR)

    def later(self, message: bytes) -> bytes:
        """Return the acknowledgement of a message that was not taken now and may be sent again (AE)."""
        return self._ack(_read(message), None, AckCode.AE)

    async def _book(self, together: Sequence[_Read], client: Client) -> list[Refused | None]:
        commands = [one.asks for one in together if not isinstance(one.asks, Registration | ToldMerges)]
        return [answer.refusal for answer in await self._intake.answer_all(commands, client)]

    async def _register(self, together: Sequence[_Read], client: Client) -> list[Refused | None]:
        told = [one.asks for one in together if isinstance(one.asks, Registration)]
        if self._people is None:
            return [_NOT_HERE for _ in told]
        outcomes = await self._people.register(told, client)
        refusals = [outcome if isinstance(outcome, Refused) else None for outcome in outcomes]
        # who is nobody's patient needs no deletion
        return [None if why and why.code == UNKNOWN_PATIENT else why for why in refusals]

    async def _merge(self, together: Sequence[_Read], _client: Client) -> list[Refused | None]:
        told = [one.asks for one in together if isinstance(one.asks, ToldMerges)]
        return [_NOT_HERE for _ in told] if self._merging is None else await self._merging.merge(told)

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
            meant = meant_by(message, hints)
            source, profile = meant.source, meant.profile
            if profile.hl7v2.charset is not None:
                message = read(body, profile.hl7v2.charset)
            if message.kind == ADMINISTRATION and message.trigger in MERGES:
                return _Read(message, merges(message, source, profile, hints), profile)
            if message.kind == ADMINISTRATION:
                return _Read(message, registration(message, source, profile, hints, self._country), profile)
            return _Read(message, command_of(message, meant, hints), profile)
        except Refused as refusal:
            return _Read(message, refusal, profile)


def _read(body: bytes) -> Message | bytes:
    """Return a message, or its bytes where it is none."""
    try:
        return read(body)
    except Refused:
        return body
