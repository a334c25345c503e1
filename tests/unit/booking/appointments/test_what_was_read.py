"""The same event is one in which the same is read, however its body is written anew (D41)."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import RecordedEvent
from booking.appointments.domain.state import Result
from booking.appointments.what_was_read import with_hash
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.values.unset import UNSET
from tests.support.booking.builders import LOCAL, NOW, START, VISIT, command
from tests.support.booking.door import booking
from tests.support.examples import ROOT

MESSAGE = (ROOT / "examples" / "fhir" / "booking-request.json").read_bytes()


def read(change: Callable[[Any], object] = lambda _: None, body: bytes = MESSAGE) -> BookAppointment:
    value = orjson.loads(body)
    change(value)
    reader = FhirR4() if body is MESSAGE else PlainJson()
    (found,) = reader.parse(orjson.dumps(value), Hints(LOCAL, NOW)).commands
    assert isinstance(found, BookAppointment)
    return with_hash(found)


def visit(message: Any) -> Any:
    return next(e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == "Appointment")


def test_a_message_that_is_stamped_anew_reads_the_same_and_a_moved_one_does_not() -> None:
    once = read()
    again = read(lambda value: value.update(timestamp="2027-03-02T10:00:00Z", language="en"))
    moved = read(lambda value: visit(value).update(start="2031-03-02T10:00:00Z", end="2031-03-02T10:30:00Z"))

    assert (once.body_sha256 == again.body_sha256, once.read_sha256 == again.read_sha256) == (False, True)
    assert once.read_sha256 != moved.read_sha256


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"start": "2027-03-12T11:00:00+01:00"}, True),
        ({"colour": "blue"}, True),
        ({"start": "2027-03-12T10:00:01+00:00"}, False),
        ({"provider": None}, False),
        ({"service_type": None}, False),
        ({"confirmed": False}, False),
        ({"status": "arrived"}, False),
    ],
)
def test_an_event_of_ours_is_the_same_by_what_is_read_in_it(given: dict[str, Any], same: bool) -> None:
    once = read(body=orjson.dumps(booking()))
    other = read(body=orjson.dumps(booking(**given)))

    assert (once.read_sha256 == other.read_sha256) is same


def test_a_text_is_told_from_what_is_not_mentioned_and_from_none() -> None:
    services: list[Any] = ["unset", UNSET, None, "0"]
    assert len({with_hash(command(service_type=one)).read_sha256 for one in services}) == len(services)


def test_how_it_came_is_not_what_was_read() -> None:
    once = with_hash(command())
    assert once.read_sha256 == with_hash(command(key="e2", arrived_at=START, arrived_offset=3)).read_sha256


def test_either_hash_makes_the_same_event_and_the_release_before_kept_one_alone() -> None:
    order = with_hash(command())
    kept = RecordedEvent(order.body_sha256, Result.APPLIED, VISIT, 1, (), order.read_sha256)
    by_the_release_before = RecordedEvent(order.body_sha256, Result.APPLIED, VISIT, 1)
    anew = order._replace(body_sha256=b"of another body")
    read_otherwise = order._replace(read_sha256=b"by a later release")

    assert [kept.is_of(one) for one in (order, anew, read_otherwise)] == [True, True, True]
    assert [by_the_release_before.is_of(one) for one in (order, anew)] == [True, False]
    assert not kept.is_of(anew._replace(read_sha256=b"something else"))
    assert not by_the_release_before.is_of(anew._replace(read_sha256=None))
