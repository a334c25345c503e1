"""Messages of patients in HL7 v2 over HTTP: who is registered, changed and merged by them (0059)."""

from collections.abc import Sequence
from typing import Any

import pytest

from booking.door.domain import Client
from booking.formats.hl7v2.segments import read
from tests.support.booking.door import Door
from tests.support.booking.hl7 import header, schedule, siu

pytestmark = pytest.mark.integration

ANN, MOB = "||Meier^Anna", "||||||||+447700900123^PRS^CP"


def adt(trigger: str, *lines: str, number: str = "1") -> bytes:
    return "\r".join([header(trigger, number, kind="ADT"), *lines, ""]).encode()


def pid(number: str, rest: str = ANN, place: int = 1) -> str:
    return f"PID|{place}||{number}^^^EYE^MR{rest}"


ADD = (adt("A28", pid("1", ANN + MOB)), adt("A28", pid("2", "||Meier^Anna Maria")))
MERGE = adt("A40", pid("2", ""), "MRG|1^^^EYE^MR")
KEPT = [("Anna", "+447700900123", False, True), ("Anna Maria", None, False, False)]
ONE = ("Anna", "+447700900123", False, False)

CASES: dict[str, tuple[Sequence[bytes], Sequence[str], Sequence[tuple[Any, ...]]]] = {
    "added": (ADD[:1], ["AA"], [ONE]),
    "changed in part": (
        [*ADD[:1], adt("A31", pid("1", "||^Annie"))], ["AA"] * 2, [("Annie", "+447700900123", False, False)]
    ),
    "deleted": ([*ADD[:1], adt("A29", pid("1"))], ["AA"] * 2, [("Anna", "+447700900123", True, False)]),
    "nobody's record is deleted": ([adt("A23", pid("1"))], ["AA"], []),
    "merged": ([*ADD, MERGE], ["AA"] * 3, KEPT),
    "merged, and sent again": ([*ADD, MERGE, MERGE], ["AA"] * 4, KEPT),
    "merged, and turned round": (
        [*ADD, MERGE, adt("A40", pid("1", ""), "MRG|2^^^EYE^MR")], ["AA"] * 3 + ["AR SAME_PATIENT"], KEPT
    ),
    "merged, and told of under the old number": (
        [*ADD, MERGE, adt("A31", pid("1", "||^Mia"))], ["AA"] * 4, [KEPT[0], ("Mia", None, False, False)]
    ),
    "merged by a number without its authority": ([*ADD, adt("A34", pid("2", ""), "MRG|1")], ["AA"] * 3, KEPT),
    "merged into itself": ([*ADD[:1], adt("A40", pid("1"), "MRG|1^^^EYE^MR")], ["AA", "AR SAME_PATIENT"], [ONE]),
    "two strangers are merged": ([MERGE], ["AA"], []),
    "a stranger is merged away, and told of": (
        [*ADD[1:], MERGE, adt("A31", pid("1", "||^Mia"))], ["AA"] * 3, [("Mia", None, False, False)]
    ),
    "merged into a stranger, who is told of": (
        [*ADD[:1], MERGE, adt("A31", pid("2", "||^Mia"))], ["AA"] * 3, [("Mia", "+447700900123", False, False)]
    ),
    "merged into one who is registered: PID changes nothing of him": (
        [*ADD, adt("A40", pid("2", "||^Mia"), "MRG|1^^^EYE^MR")], ["AA"] * 3, KEPT
    ),
    "of two pairs one is refused, and neither is merged": (
        [*ADD, adt("A28", pid("3")), MERGE,
         adt("A40", pid("3", ""), "MRG|2^^^EYE^MR", pid("1", "", 2), "MRG|3^^^EYE^MR")],
        ["AA"] * 4 + ["AR SAME_PATIENT"], [*KEPT, ("Anna", None, False, False)],
    ),
}  # fmt: skip


async def send(door: Door, key: str, *messages: bytes) -> list[str]:
    heard = []
    for body in messages:
        answer = await door.ask("POST", "/v1/hl7v2", body, key=key, content_type="application/hl7-v2")
        message = read(answer.content)
        found, error = message.first("MSA"), message.first("ERR")
        assert found is not None
        heard.append(" ".join([found.text(1), *([error.text(5)] if error else [])]))
    return heard


@pytest.fixture
async def key(door: Door) -> str:
    """Give the key of a hospital's interface engine whose visits are at EYE."""
    return await door.client(Client("engine", ("ris",), may_register=True, default_clinic="EYE"))


@pytest.mark.parametrize("case", CASES)
async def test_a_message_makes_of_its_patients(door: Door, key: str, case: str) -> None:
    messages, heard, people = CASES[case]
    assert await send(door, key, *messages) == heard
    rows = await door.pool.fetch(
        "SELECT given_name, mobile, do_not_contact, merged_into IS NOT NULL AS is_away FROM patient WHERE version > 0"
        " ORDER BY main_file"
    )
    assert [tuple(row.values()) for row in rows] == list(people)


async def test_the_visits_of_who_is_merged_away_are_his_who_is_kept(door: Door, key: str) -> None:
    visit = siu(PID="PID|1||1^^^EYE^MR")
    assert await send(door, key, *ADD, visit, MERGE) == ["AA"] * 4
    row = await door.pool.fetchrow("SELECT given_name, a.version FROM appointment a JOIN patient USING (patient_id)")
    assert row is not None
    assert tuple(row.values()) == ("Anna Maria", 2)


ONLY_BOOKED: dict[str, tuple[bytes, Sequence[tuple[Any, ...]]]] = {
    "what PID says of him": (adt("A40", pid("2", "||^Mia"), "MRG|1^^^EYE^MR"), [("Mia", True)]),
    "nothing but his number": (adt("A40", pid("2", ""), "MRG|1^^^EYE^MR"), [(None, True)]),
    "a number that is no name of his, before one that is": (
        adt("A34", "PID|1||9^^^EYE^MR~2^^^EYE^PI||^Mia", "MRG|1^^^EYE^MR"),
        [("Mia", True)],
    ),
}


@pytest.mark.parametrize("case", ONLY_BOOKED)
async def test_who_is_kept_and_was_only_booked_is_registered_by(door: Door, key: str, case: str) -> None:
    merge, people = ONLY_BOOKED[case]
    desk = await door.client(Client("desk", ("ris",), default_clinic="EYE"))
    of_two = siu(number="2", SCH=schedule(ids="P2|F2"), PID="PID|1||2^^^EYE^MR")
    assert await send(door, desk, siu(PID="PID|1||1^^^EYE^MR"), of_two) == ["AA"] * 2
    assert await send(door, key, merge, merge) == ["AA"] * 2
    rows = await door.pool.fetch("SELECT given_name, merged_into IS NULL FROM patient WHERE version > 0")
    assert [tuple(row.values()) for row in rows] == list(people)
    assert await door.pool.fetchval("SELECT count(DISTINCT patient_id) FROM appointment") == 1
