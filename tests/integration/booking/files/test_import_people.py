"""A file of HL7 v2 that tells of patients and of their visits is taken in its order, and tried in it."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.booking.files.test_import import imported, refused_lines, url, visits
from tests.support.booking.door import Door
from tests.support.booking.hl7 import header, siu

__all__ = ["url"]

pytestmark = pytest.mark.integration


def adt(trigger: str, number: str, *lines: str) -> bytes:
    return "\r".join([header(trigger, number, kind="ADT"), *lines, ""]).encode()


ANN = "PID|1||77^^^EYE^MR||Meier^Ann"
FILE = (
    adt("A28", "1", ANN),
    siu(number="2", PID="PID|1||77^^^EYE^MR"),
    adt("A08", "3", "PID|1||77^^^EYE^MR||Meier^Anna|||||||||07700 900123^PRS^CP"),
    siu("S23", number="4"),
    adt("A28", "5", "PID|1||88^^^EYE^MR||Meier^Anna Maria"),
    adt("A40", "6", "PID|1||88^^^EYE^MR", "MRG|77^^^EYE^MR"),
    adt("A23", "7", "PID|1||99^^^EYE^MR"),
    adt("A41", "8", ANN),
    adt("A40", "9", ANN, "MRG|77^^^EYE^MR"),
    siu("S15", "Cancelled", "10", at="20270302090000+0000", PID="PID|1||77^^^EYE^MR"),
)
TOLD = {
    "results": {"applied": 2, "told": 5},
    "refused": {"SAME_PATIENT": 1, "UNSUPPORTED_EVENT": 1},
    "ignored": 1,
}
PEOPLE = "SELECT given_name, mobile, merged_into IS NOT NULL AS away FROM patient WHERE version > 0 ORDER BY main_file"


def batch(folder: Path) -> Path:
    path = folder / "feed.hl7"
    path.write_bytes(b"FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r" + b"".join(FILE) + b"BTS|10\rFTS|1\r")
    return path


def counted(told: Any) -> dict[str, Any]:
    return {name: told[name] for name in TOLD}


async def test_patients_and_visits_of_one_file_are_taken_in_its_order(
    door: Door,
    url: str,
    tmp_path: Path,  # a fixture
) -> None:
    path = batch(tmp_path)
    code, told, _ = await imported(url, path, "--dry-run")
    assert (code, counted(told), await visits(door)) == (1, TOLD, {})
    assert await door.pool.fetch(PEOPLE) == []

    code, told, _ = await imported(url, path)
    assert (code, counted(told)) == (1, TOLD)
    assert [row[1] for row in refused_lines(Path(told["rejected"]))] == ["UNSUPPORTED_EVENT", "SAME_PATIENT"]
    assert [tuple(row) for row in await door.pool.fetch(PEOPLE)] == [
        ("Anna", "+447700900123", True), ("Anna Maria", None, False)
    ]  # fmt: skip
    assert await visits(door) == {"filler|F1": ("cancelled", 3), "placer|P1": ("cancelled", 3)}

    _, told, _ = await imported(url, path)
    assert told["results"] == {"repeat": 2, "told": 5}


async def test_one_message_of_a_patient_is_a_file_too_and_no_event(door: Door) -> None:
    answer = await door.ask("POST", "/v1/files", adt("A28", "1", ANN), content_type="application/hl7-v2")
    assert answer.json() == {"results": [{"status": 200, "result": "told", "warnings": []}]}
    refused = await door.ask("POST", "/v1/events", adt("A28", "2", ANN), content_type="application/hl7-v2")
    assert (refused.status_code, refused.json()["code"]) == (422, "UNSUPPORTED_MESSAGE")
