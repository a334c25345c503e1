"""Messages of HL7 v2 over HTTP: what each makes of the visit, of its patient, and what its sender hears (0059)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from booking.door.domain import Client
from booking.formats.hl7v2.batches import split
from booking.formats.hl7v2.segments import read
from tests.support.booking.door import Door
from tests.support.booking.hl7 import schedule, siu

pytestmark = pytest.mark.integration

HL7 = "application/hl7-v2"
MOVED = schedule("20270313100000+0000")
MOBILE = "+447700900123"


class Sender(NamedTuple):
    """A hospital's interface engine, which speaks for one source."""

    door: Door
    key: str

    async def send(self, *messages: bytes) -> list[str]:
        """Send messages one after the other, and return what each was answered: MSA-1, and our code."""
        heard = []
        for body in messages:
            answer = await self.door.ask("POST", "/v1/hl7v2", body, key=self.key, content_type=HL7)
            assert (answer.status_code, answer.headers["content-type"]) == (200, HL7)
            for one in split(answer.content):
                message = read(one)
                found, error = message.first("MSA"), message.first("ERR")
                assert found is not None
                heard.append(" ".join([found.text(1), *([error.text(5)] if error else [])]))
        return heard

    async def visits(self) -> list[tuple[Any, ...]]:
        """Return each visit as it is: status, day and hour, version, and its open flags."""
        asked = (
            "SELECT status, to_char(starts_at AT TIME ZONE 'UTC', 'DD HH24:MI') AS starts, version, (SELECT"
            " coalesce(string_agg(code, ' ' ORDER BY code), '') FROM visit_flag f"
            " WHERE f.appointment_id = a.appointment_id AND f.done_at IS NULL) AS flags"
            " FROM appointment a ORDER BY starts_at"
        )
        return [tuple(row.values()) for row in await self.door.pool.fetch(asked)]


@pytest.fixture
async def sender(door: Door) -> Sender:
    """Give an interface engine whose visits are at EYE."""
    return Sender(door, await door.client(Client("engine", ("ris",), may_register=True, default_clinic="EYE")))


def later(trigger: str, word: str = "Booked", number: str = "2", hour: int = 10, **segments: str) -> bytes:
    return siu(trigger, word, number, at=f"20260301{hour}0000+0000", **segments)


FIRST = siu(at="20260301090000+0000")
BOOKED = ("booked", "12 10:00", 1, "")
SUMMER = ("booked", "12 09:00", 1, "")
CASES: dict[str, tuple[Sequence[bytes], Sequence[str], Sequence[tuple[Any, ...]]]] = {
    "a booking": ([FIRST], ["AA"], [BOOKED]),
    "sent again after a lost answer": ([FIRST, FIRST], ["AA", "AA"], [BOOKED]),
    "S12 again with the same content": ([FIRST, later("S12")], ["AA", "AA"], [BOOKED]),
    "a number used again for something else": (
        [FIRST, later("S13", number="1", SCH=MOVED)], ["AA", "AA"], [("booked", "13 10:00", 2, "")]
    ),
    "S13 moves": ([FIRST, later("S13", SCH=MOVED)], ["AA", "AA"], [("booked", "13 10:00", 2, "")]),
    "S13 with another filler, the same placer": (
        [FIRST, later("S13", SCH=schedule("20270313100000+0000", "P1|F2"))], ["AA", "AA"],
        [("booked", "13 10:00", 2, "")],
    ),
    "S13 with another filler, and then S15 under the old one": (
        [FIRST, later("S13", SCH=schedule("20270313100000+0000", "P1|F2")), later("S15", "Cancelled", "3", 11)],
        ["AA"] * 3, [("cancelled", "12 10:00", 3, "")],
    ),
    "S12 with another filler, the same placer": (
        [FIRST, later("S12", SCH=schedule("20270313100000+0000", "P1|F2"))], ["AA", "AA"],
        [BOOKED, ("booked", "13 10:00", 1, "")],
    ),
    "S14 with another filler and patient, the same placer": (
        [FIRST, later("S14", SCH=schedule("20270313100000+0000", "P1|F2"), PID="PID|1||78^^^EYE^MR")],
        ["AA", "AA"], [BOOKED, ("booked", "13 10:00", 1, "")],
    ),
    "S13 with the numbers of two visits": (
        [FIRST, later("S12", SCH=schedule("20270313100000+0000", "P2|F2")),
         later("S13", "Booked", "3", 11, SCH=schedule("20270314100000+0000", "P1|F2"))],
        ["AA", "AA", "AR IDENTITY_CONFLICT"], [BOOKED, ("booked", "13 10:00", 1, "")],
    ),
    "S13 of an unknown visit": ([later("S13")], ["AA"], [BOOKED]),
    "S14 says he came": ([FIRST, later("S14", "Arrived")], ["AA", "AA"], [("arrived", "12 10:00", 2, "")]),
    "S14 says nothing of the status of who came": (
        [FIRST, later("S14", "Arrived"), later("S14", "", "3", 11, AIP="AIP|1|A|9^Jones")],
        ["AA"] * 3, [("arrived", "12 10:00", 3, "")],
    ),
    "S14 Booked of a cancelled visit": (
        [FIRST, later("S15", "Cancelled"), later("S14", "Booked", "3", 11)],
        ["AA"] * 3, [("cancelled", "12 10:00", 2, "")],
    ),
    "S13 Booked of a cancelled visit": (
        [FIRST, later("S15", "Cancelled"), later("S13", "Booked", "3", 11, SCH=MOVED)],
        ["AA"] * 3, [("booked", "13 10:00", 3, "")],
    ),
    "S15 whose word is still Booked": ([FIRST, later("S15")], ["AA", "AA"], [("cancelled", "12 10:00", 2, "")]),
    "S15 with nothing but its number": (
        [FIRST, later("S15", "", SCH="SCH|P1", PID="", RGS="", AIP="")], ["AA", "AA"],
        [("cancelled", "12 10:00", 2, "")],
    ),
    "S15 of an unknown visit, and then its S12": (
        [later("S15", "Cancelled"), siu(number="0", at="20260301080000+0000")], ["AA", "AA"],
        [("cancelled", None, 0, "")],
    ),
    "S26 that says Confirmed": ([FIRST, later("S26", "Confirmed")], ["AA", "AA"], [("noshow", "12 10:00", 2, "")]),
    "S26 that says Cancelled, of a cancelled visit": (
        [FIRST, later("S15", "Cancelled"), later("S26", "Cancelled", "3", 11)],
        ["AA"] * 3, [("cancelled", "12 10:00", 2, "")],
    ),
    "S17": ([FIRST, later("S17", "Deleted")], ["AA", "AA"], [("entered-in-error", "12 10:00", 2, "")]),
    "S13 that says Cancelled is held back": (
        [FIRST, later("S13", "Cancelled", SCH=MOVED)], ["AA", "AA"], [("booked", "13 10:00", 2, "HELD_BACK")]
    ),
    "S13 that says Cancelled and moves nothing is held back too": (
        [FIRST, later("S13", "Cancelled")], ["AA", "AA"], [("booked", "12 10:00", 1, "HELD_BACK")]
    ),
    "what was held back until S14 says Booked": (
        [FIRST, later("S13", "Cancelled", SCH=MOVED), later("S14", "Booked", "3", 11, SCH=MOVED)],
        ["AA"] * 3, [("booked", "13 10:00", 2, "")],
    ),
    "what was held back until S15 says Cancelled": (
        [FIRST, later("S13", "Cancelled"), later("S15", "Cancelled", "3", 11)], ["AA"] * 3,
        [("cancelled", "12 10:00", 2, "")],
    ),
    "S18 takes the doctor away": (
        [FIRST, later("S18", AIP="AIP|1|D|204^Who")], ["AA", "AA"], [("booked", "12 10:00", 2, "")]
    ),
    "S23": ([siu("S23")], ["AA"], []),
    "without SCH": ([siu(SCH="")], ["AR NO_SCH"], []),
    "of two patients": ([siu(PID="PID|1||1^^^A^MR\rPID|2||2^^^A^MR")], ["AR SEVERAL_PATIENTS"], []),
    "a naive time, in the zone of the client's clinic": ([siu(SCH=schedule("20270712100000"))], ["AA"], [SUMMER]),
    "no scheduling": ([siu().replace(b"SIU^S12", b"ORM^O01")], ["AR UNSUPPORTED_MESSAGE"], []),
    "no HL7": ([b"{}"], ["AR "], []),
    "a batch, one of which is refused": (
        [b"BHS|^~\\&\r" + FIRST + siu(number="7", SCH="") + later("S13", SCH=MOVED) + b"BTS|3\r"],
        ["AA", "AR NO_SCH", "AA"], [("booked", "13 10:00", 2, "")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_a_message_makes_of_its_visit(sender: Sender, case: str) -> None:
    messages, heard, visits = CASES[case]
    assert await sender.send(*messages) == heard
    assert await sender.visits() == visits


async def test_whom_it_names_is_registered_and_his_mobile_is_taken_away_by_two_quotes(sender: Sender) -> None:
    async def mobile() -> tuple[Any, ...]:
        row = await sender.door.pool.fetchrow("SELECT given_name, mobile, language FROM patient")
        assert row is not None
        return tuple(row.values())

    await sender.send(FIRST)
    assert await mobile() == ("Anna", MOBILE, "en")
    await sender.send(later("S14", PID='PID|1||77^^^EYE^MR||Meier^Anna||||||||""^MOBILE'))
    assert await mobile() == ("Anna", None, "en")


async def test_a_naive_time_is_not_read_by_the_clock_of_another_clinic(sender: Sender) -> None:
    oslo = {"name": "Oslo", "zone": "Europe/Oslo", "country": "NO"}
    oslo["identifiers"] = [{"source": "ris", "system": "AIL-3.4", "value": "OSL"}]  # type: ignore[assignment]
    key = await sender.door.client(Client("manager", ("ris",), may_manage_clinics=True))
    assert (await sender.door.ask("PUT", "/v1/clinics/OSL", oslo, key=key)).status_code == 200
    there = siu(SCH=schedule("20270712100000"), AIL="AIL|1|A|^^^OSL")
    assert await sender.send(there) == ["AR NAIVE_TIME"]
    profile = {"profile": {"zone": "Europe/Oslo"}, "reason": "said"}
    assert (await sender.door.ask("PUT", "/v1/sources/ris/profile", profile, key=key)).status_code == 200
    assert await sender.send(there) == ["AA"]
    assert await sender.visits() == [("booked", "12 08:00", 1, "")]


async def test_the_same_messages_are_events_in_json_too(sender: Sender) -> None:
    answer = await sender.door.ask("POST", "/v1/events", FIRST, key=sender.key, content_type=HL7)
    assert (answer.status_code, answer.json()["result"], answer.json()["warnings"]) == (200, "applied", [])
    refused = await sender.door.ask("POST", "/v1/events", siu(SCH=""), key=sender.key, content_type=HL7)
    assert (refused.status_code, refused.json()["code"]) == (422, "NO_SCH")


async def test_without_a_key_nothing_is_taken(door: Door) -> None:
    answer = await door.ask("POST", "/v1/hl7v2", FIRST, key=None, content_type=HL7)
    assert answer.status_code == 401
