"""Lines of JSON: each is an event of our own or a resource of FHIR, and is answered for itself."""

from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.lines.format import LinesOfJson
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW, of_visits
from tests.support.booking.door import booking
from tests.unit.booking.formats.test_profiled import FHIR


def read(*lines: Any, end: bytes = b"\n") -> list[BookAppointment | Refused]:
    body = end.join(line if isinstance(line, bytes) else orjson.dumps(line) for line in lines)
    return of_visits(LinesOfJson(PlainJson(), FhirR4()).parse(body, Hints(LOCAL, NOW)))


def without_id(appointment: str) -> dict[str, Any]:
    return {"appointment": booking(appointment=appointment)["appointment"]}


def test_lines_of_both_kinds_stand_beside_each_other_and_keep_their_order() -> None:
    found = read(booking("e1", "v1"), FHIR, without_id("v3"), end=b"\r\n")

    assert [one.appointment for one in found if isinstance(one, BookAppointment)] == ["v1", "v1", "v3"]


def test_a_line_without_an_event_id_is_the_event_of_its_hash() -> None:
    first, again, other = read(without_id("v1"), without_id("v1"), without_id("v2"))

    assert isinstance(first, BookAppointment)
    assert isinstance(again, BookAppointment)
    assert isinstance(other, BookAppointment)
    assert first.key == again.key != other.key
    assert first.key.startswith("line:")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "TRUNCATED_JSON"),
        (b"nothing", "NOT_JSON"),
        (b"[]", "EMPTY_BATCH"),
        (b"\xff", "NOT_UTF8"),
        ([booking("e8"), booking("e9")], "WRONG_TYPE"),
        ({"resourceType": "Patient", "id": "p"}, "NOT_AN_APPOINTMENT"),
        ({"appointment": {"id": "v1"}}, "MISSING_FIELD"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_alone(line: Any, code: str) -> None:
    refused, taken = read(line, booking())

    assert isinstance(refused, Refused)
    assert refused.code == code
    assert isinstance(taken, BookAppointment)


def test_empty_lines_are_no_events_and_too_many_are_too_many() -> None:
    assert len(read(b"", booking("a"), b"  ", booking("b"), b"")) == 2
    with pytest.raises(Refused, match="BATCH_TOO_LARGE"):
        read(*[b"{}"] * 1_001)
    with pytest.raises(Refused, match="EMPTY_BODY"):
        read(b"", b"")
