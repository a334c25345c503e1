"""Messages are acknowledged in order, after what became of them is known."""

from collections.abc import Sequence
from itertools import count
from typing import Any, cast

import pytest

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import Result
from booking.appointments.intake import CommandIntake
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.formats.hl7v2.door import Hl7Door
from booking.formats.hl7v2.segments import read
from booking.formats.taking import Taking
from booking.merges.intake import MergeIntake
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Outcome, Registered, Registration
from booking.patients.handle import Rules
from booking.patients.intake import RegistrationIntake
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from chassis.api.door import busy
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.hl7 import header, siu


class Intake:
    """Answers all that could be read as taken, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.asked = failure, list[Sequence[BookAppointment | Refused]]()

    async def answer_all(self, commands: Sequence[BookAppointment | Refused], _client: Client) -> list[EventAnswer]:
        self.asked.append(commands)
        if self.failure is not None:
            raise self.failure
        return [
            EventAnswer("", refusal=one) if isinstance(one, Refused) else EventAnswer("", result=Result.APPLIED)
            for one in commands
        ]


class Stopped:
    """A clock that stands."""

    def now(self) -> Any:
        return NOW

    def unstepped(self) -> Any:
        return NOW


class People:
    """Registers whom it is told of."""

    def __init__(self, log: list[object]) -> None:
        self.log = log

    async def register(self, told: Sequence[Registration], _client: Client) -> list[Outcome]:
        self.log.append([one.identity[1] for one in told])
        return [Registered(one.told, 0) for one in told]


class Merging:
    """Merges whom it is told of, but those of a number."""

    def __init__(self, log: list[object], refused: str = "") -> None:
        self.log, self.refused = log, refused

    async def merge(self, told: Sequence[ToldMerges]) -> list[Refused | None]:
        self.log.append([one.pairs[0].away[0][1] for one in told])
        same = Refused("SAME_PATIENT", "both are one patient already", "into")
        return [same if one.pairs[0].away[0][1] == self.refused else None for one in told]


def door_of(intake: Intake, people: People | None = None, merging: Merging | None = None, **profile: Any) -> Hl7Door:
    numbers = count(1)
    profiles = Profiles.fixed({"local": Profile.model_validate(profile)})
    own_id = lambda: f"own-{next(numbers)}"  # noqa: E731
    taking = Taking(
        cast("Transactions", None), Rules(), cast("CommandIntake", intake),
        cast("RegistrationIntake", people), cast("MergeIntake", merging),
    )  # fmt: skip
    return Hl7Door(taking, profiles, cast("Clock", Stopped()), own_id)


def said(acknowledgement: bytes) -> tuple[str, str, str]:
    """Return MSA-1, MSA-2 and our code."""
    message = read(acknowledgement)
    found, error = message.first("MSA"), message.first("ERR")
    assert found is not None
    return found.text(1), found.text(2), error.text(5) if error is not None else ""


MIXED = [siu(number="1"), siu(number="2", SCH=""), b"{}", siu("S23", number="4"), siu(number="5")]


async def test_each_message_is_acknowledged_in_order_and_all_are_one_transaction() -> None:
    intake = Intake()
    answers = await door_of(intake).answer_all(MIXED, LOCAL, None)
    assert [said(one) for one in answers] == [
        ("AA", "1", ""), ("AR", "2", "NO_SCH"), ("AR", "", ""), ("AA", "4", ""), ("AA", "5", "")
    ]  # fmt: skip
    (asked,) = intake.asked
    assert [isinstance(one, BookAppointment) for one in asked] == [True, False, False, False, True]


@pytest.mark.parametrize("failure", [Unavailable("AWAY", "the database is away"), busy()])
async def test_what_could_not_be_kept_is_to_be_sent_again_all_of_it(failure: Exception) -> None:
    answers = await door_of(Intake(failure)).answer_all(MIXED[:2], LOCAL, None)
    assert [said(one) for one in answers] == [("AE", "1", "NOT_STORED"), ("AE", "2", "NOT_STORED")]


async def test_a_sender_that_stops_at_a_refusal_hears_aa_if_its_profile_says_so() -> None:
    door = door_of(Intake(), hl7v2={"ack": {"refused_as": "AA"}})
    (answer,) = await door.answer_all([siu(SCH="")], LOCAL, None)
    assert said(answer)[0] == "AA"


async def test_a_sender_that_wants_no_acknowledgement_gets_none() -> None:
    wanting_none = siu().replace(b"|P|2.5.1", b"|P|2.5.1|||NE|NE")
    assert await door_of(Intake()).answer_all([wanting_none], LOCAL, None) == [b""]
    original = door_of(Intake(), hl7v2={"ack": {"mode": "original"}})
    (answer,) = await original.answer_all([wanting_none], LOCAL, None)
    assert said(answer)[0] == "AA"


async def test_a_source_of_others_is_refused() -> None:
    (answer,) = await door_of(Intake()).answer_all([siu()], LOCAL, "others")
    assert said(answer) == ("AR", "1", "FOREIGN_SOURCE")


def test_a_message_that_is_not_even_read_is_acknowledged_too() -> None:
    door = door_of(Intake())
    assert said(door.refused(siu()[:120], Refused("TOO_LONG", "too long", ""))) == ("AR", "1", "TOO_LONG")
    assert said(door.later(siu())) == ("AE", "1", "NOT_STORED")


def test_later_can_be_said_while_the_clocks_differ_and_there_is_no_time() -> None:
    class Disagreeing(Stopped):
        def now(self) -> Any:
            raise Unavailable("CLOCKS_DIFFER", "by 3 s")

    door = Hl7Door(cast("Taking", None), Profiles(), cast("Clock", Disagreeing()), lambda: "own")
    assert b"MSA|AE|1" in door.later(siu())
    assert b"MSA|AR|1" in door.refused(siu(), Refused("TOO_LONG", "too long"))


def adt(number: str, trigger: str = "A31", identifier: str = "77") -> bytes:
    return f"{header(trigger, number, kind='ADT')}\rPID|1||{identifier}||Meier^Anna\r".encode()


async def test_messages_of_visits_and_of_patients_are_taken_in_the_order_in_which_they_came() -> None:
    intake = Intake()
    log: list[object] = intake.asked  # type: ignore[assignment]  # one log of both
    messages = [siu(number="1"), adt("2"), adt("3", "A28", "78"), siu("S13", number="4"), adt("5", "A41")]
    answers = await door_of(intake, People(log)).answer_all(messages, LOCAL, None)
    assert [said(one) for one in answers] == [
        ("AA", "1", ""), ("AA", "2", ""), ("AA", "3", ""), ("AA", "4", ""), ("AR", "5", "UNSUPPORTED_EVENT")
    ]  # fmt: skip
    assert [len(one) for one in intake.asked] == [1, 2, 2]
    assert log[1] == ["77", "78"]


async def test_merges_are_taken_in_turn_and_one_that_is_refused_says_its_place() -> None:
    def merge(number: str, away: str, into: str = "9") -> bytes:
        return f"{header('A40', number, kind='ADT')}\rPID|1||{into}\rMRG|{away}\r".encode()

    log: list[object] = []
    door = door_of(Intake(), People(log), Merging(log, refused="8"))
    messages = [adt("1"), merge("2", "7"), merge("3", "8"), merge("4", "9"), adt("5")]
    answers = await door.answer_all(messages, LOCAL, None)
    assert [said(one) for one in answers] == [
        ("AA", "1", ""), ("AA", "2", ""), ("AR", "3", "SAME_PATIENT"), ("AR", "4", "SAME_PATIENT"), ("AA", "5", "")
    ]  # fmt: skip
    assert b"|MRG^1^1|205^" in answers[3]
    assert log == [["77"], ["7", "8"], ["77"]]


async def test_a_deletion_of_nobodys_record_is_taken_and_says_nothing() -> None:
    class Strangers(People):
        async def register(self, told: Sequence[Registration], _client: Client) -> list[Outcome]:
            return [Refused("UNKNOWN_PATIENT", "nobody of this name is registered", "id") for _ in told]

    (answer,) = await door_of(Intake(), Strangers([])).answer_all([adt("1", "A23")], LOCAL, None)
    assert said(answer) == ("AA", "1", "")


async def test_what_came_after_what_could_not_be_kept_is_sent_again_too_and_what_came_before_is_not() -> None:
    class Away(People):
        async def register(self, told: Sequence[Registration], _client: Client) -> list[Outcome]:
            raise Unavailable("AWAY", "the database is away")

    messages = [siu(number="1"), adt("2"), siu("S13", number="3")]
    answers = await door_of(Intake(), Away([])).answer_all(messages, LOCAL, None)
    assert [said(one)[:2] for one in answers] == [("AA", "1"), ("AE", "2"), ("AE", "3")]
