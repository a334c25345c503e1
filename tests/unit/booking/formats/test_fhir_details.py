"""FHIR piece by piece: what is not valid R4 and not essential is left out and named, with its place."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.port import Hints
from booking.values.refusals import Refused
from booking.values.unset import UNSET
from tests.support.booking.builders import LOCAL, NOW
from tests.support.examples import ROOT

REASON = "cancelationReason"
MESSAGE = ROOT / "examples" / "fhir" / "booking-request.json"
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2027-03-12T10:00:00Z",
    "end": "2027-03-12T10:30:00Z",
    "participant": [{"actor": {"reference": "Patient/ann"}, "status": "accepted"}],
}
CANCELLED = {name: value for name, value in APPOINTMENT.items() if name not in {"start", "end"}} | {
    "status": "cancelled"
}


def read(value: Any) -> BookAppointment:
    (order,) = FhirR4().parse(orjson.dumps(value), Hints(LOCAL, NOW)).commands
    assert isinstance(order, BookAppointment)
    return order


def places(order: BookAppointment) -> list[str]:
    assert {warned.code for warned in order.warnings} <= {"DETAIL_DROPPED"}
    return [warned.place for warned in order.warnings]


def message(change: Callable[[dict[str, Any]], object], kind: str = "Patient") -> Any:
    """Return the example with one of its resources changed."""
    value = orjson.loads(MESSAGE.read_bytes())
    change(next(e["resource"] for e in value["entry"] if e["resource"]["resourceType"] == kind))
    return value


def actor(**fields: Any) -> dict[str, Any]:
    return {"actor": {"reference": "Patient/ann", **fields}, "status": "accepted"}


DETAILS: dict[str, tuple[dict[str, Any], str]] = {
    "a reason over two lines": ({**CANCELLED, "cancelationReason": {"text": "a\nb"}}, "Appointment.cancelationReason"),
    "a reason of 240 characters": (
        {**CANCELLED, "cancelationReason": {"text": "x" * 240}},
        "Appointment.cancelationReason",
    ),
    "an empty reason": ({**CANCELLED, "cancelationReason": {"text": ""}}, "Appointment.cancelationReason.text"),
    "a reason that is a text": ({**CANCELLED, "cancelationReason": "unwell"}, "Appointment.cancelationReason"),
    "a reason where R4 has none": (
        {**APPOINTMENT, "cancelationReason": {"text": "a"}},
        "Appointment.cancelationReason",
    ),
    "an empty description": ({**APPOINTMENT, "description": ""}, "Appointment.description"),
    "a field of another profile": ({**APPOINTMENT, "colour": "red"}, "Appointment.colour"),
    "minutes that are none": ({**APPOINTMENT, "minutesDuration": 0}, "Appointment.minutesDuration"),
    "a date of change that is none": ({**APPOINTMENT, "meta": {"lastUpdated": "now"}}, "Appointment.meta.lastUpdated"),
    "an end that is none": ({**APPOINTMENT, "end": "later"}, "Appointment.end"),
    "a participant without status": (
        {**APPOINTMENT, "participant": [{"actor": {"reference": "Patient/ann"}}]},
        "Appointment.participant[0].status",
    ),
    "an empty display": (
        {**APPOINTMENT, "participant": [actor(display="")]},
        "Appointment.participant[0].actor.display",
    ),
    "a start that a cancellation needs not": ({**CANCELLED, "start": "?", "end": "?"}, "Appointment.end"),
    "a service over two lines": ({**APPOINTMENT, "serviceType": [{"text": "a\nb"}]}, "Appointment.serviceType"),
}


@pytest.mark.parametrize("what", DETAILS)
def test_a_detail_of_an_appointment_is_left_out_and_named(what: str) -> None:
    value, place = DETAILS[what]
    order = read(value)
    assert places(order)[0] == place
    assert (order.appointment, order.patient, order.status.value) == ("a1", "Patient/ann", value["status"])


PEOPLE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a birthday written as people do": (lambda p: p.update(birthDate="02/04/1968"), "birthDate"),
    "a gender that is none": (lambda p: p.update(gender=""), "gender"),
    "an empty given name": (lambda p: p["name"][0]["given"].insert(0, ""), "name[0].given[0]"),
    "an empty phone": (lambda p: p.update(telecom=[{"system": "phone", "value": ""}]), "telecom[0].value"),
    "telecom that is a text": (lambda p: p.update(telecom="0123"), "telecom"),
    "a period of an identifier": (
        lambda p: p["identifier"][0].update(period={"start": "once"}),
        "identifier[0].period.start",
    ),
}


@pytest.mark.parametrize("what", PEOPLE)
def test_a_detail_of_a_person_is_left_out_and_he_stays_who_he_is(what: str) -> None:
    change, place = PEOPLE[what]
    order = read(message(change))
    assert places(order) == [f"Bundle.entry[2].resource.{place}"]
    assert order.patient == "https://clinics.example/patient-number|RV-20817"


def test_fields_that_do_not_go_together_leave_what_names_the_resource() -> None:
    order = read(message(lambda p: p.update(deceasedBoolean=False, deceasedDateTime="2027-01-01")))
    assert places(order) == ["Bundle.entry[2].resource"]
    assert order.patient == "https://clinics.example/patient-number|RV-20817"


def test_a_resource_of_a_kind_that_is_not_read_may_be_anything() -> None:
    value = orjson.loads(MESSAGE.read_bytes())
    value["entry"].append({"fullUrl": "urn:x", "resource": {"resourceType": "Custom", "x": 1}})
    assert read(value).warnings == ()


def test_an_end_that_is_not_named_is_not_taken_away() -> None:
    assert read({n: v for n, v in APPOINTMENT.items() if n != "end"}).ends_at is UNSET


ESSENTIAL: dict[str, tuple[Any, str, str]] = {
    "a start": ({**APPOINTMENT, "start": "soon"}, "INVALID_FHIR", "Appointment.start"),
    "no start": ({n: v for n, v in APPOINTMENT.items() if n != "start"}, "FHIR_INVARIANT", "Appointment.start"),
    "an id": ({**APPOINTMENT, "id": ""}, "INVALID_FHIR", "Appointment.id"),
    "an identifier": (
        {**APPOINTMENT, "identifier": [{"value": ""}]},
        "INVALID_FHIR",
        "Appointment.identifier[0].value",
    ),
    "whose": (
        {**APPOINTMENT, "participant": [{"actor": {"reference": 7}, "status": "accepted"}]},
        "INVALID_FHIR",
        "Appointment.participant[0].actor.reference",
    ),
    "the status": ({**APPOINTMENT, "status": 1}, "INVALID_FHIR", "Appointment.status"),
    "the identifier of the patient": (
        message(lambda p: p["identifier"][0].update(value="")),
        "INVALID_FHIR",
        "Bundle.entry[2].resource.identifier[0].value",
    ),
    "very much": ({**APPOINTMENT, **{f"x{n}": 1 for n in range(60)}}, "INVALID_FHIR", "Appointment"),
}


@pytest.mark.parametrize("what", ESSENTIAL)
def test_what_is_essential_is_refused(what: str) -> None:
    value, code, place = ESSENTIAL[what]
    with pytest.raises(Refused) as caught:
        read(value)
    assert (caught.value.code, caught.value.place) == (code, place)
