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
    assert {warned.code for warned in order.warnings} <= {"DETAIL_DROPPED", "UNKNOWN_FIELD"}
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
    order = read(message(lambda p: p.update(multipleBirthBoolean=True, multipleBirthInteger=2, deceasedBoolean=True)))
    assert places(order) == ["Bundle.entry[2].resource"]
    assert order.person is not None
    assert order.person.deceased is True
    assert order.patient == "https://clinics.example/patient-number|RV-20817"


def test_a_resource_of_a_kind_that_is_not_read_may_be_anything() -> None:
    value = orjson.loads(MESSAGE.read_bytes())
    value["entry"].append({"fullUrl": "urn:x", "resource": {"resourceType": "Custom", "x": 1}})
    assert read(value).warnings == ()


def test_an_end_that_is_not_named_is_not_taken_away() -> None:
    assert read({n: v for n, v in APPOINTMENT.items() if n != "end"}).ends_at is UNSET


def with_another(**fields: Any) -> dict[str, Any]:
    """Return a visit with a second participant, of whom nobody can tell who he is."""
    return {**APPOINTMENT, "participant": [*APPOINTMENT["participant"], {"status": "accepted", **fields}]}


SECOND = "Appointment.participant[1].actor"
NEWER: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an instruction for the patient": ({**APPOINTMENT, "patientInstruction": "Fast from midnight"}, []),
    "a reason as R5 spells it": (
        {**CANCELLED, "cancellationReason": {"text": "ill"}},
        ["Appointment.cancellationReason"],
    ),
    "a note": ({**APPOINTMENT, "note": [{"text": "called"}]}, ["Appointment.note"]),
    "a participant who is required as R5 says it": (
        {**APPOINTMENT, "participant": [{**APPOINTMENT["participant"][0], "required": True}]},
        ["Appointment.participant[0].required"],
    ),
    "another with an empty reference": (
        with_another(actor={"reference": "", "display": "Dr Who"}),
        [f"{SECOND}.reference"],
    ),
    "another who is a text": (with_another(actor="Dr Who"), [SECOND, "Appointment.participant[1]"]),
    "a number that is no text": (
        with_another(actor={"type": "Practitioner", "identifier": {"value": 204}}),
        [f"{SECOND}.identifier.value"],
    ),
    "a resource of an unknown kind": (
        {**APPOINTMENT, "contained": [{"resourceType": "VirtualService", "id": "x"}]},
        [],
    ),
    "an empty identifier": ({**APPOINTMENT, "identifier": [{"value": ""}]}, ["Appointment.identifier[0].value"]),
    "an identifier of no system": (
        {**APPOINTMENT, "identifier": [{"system": 7, "value": "b2"}]},
        ["Appointment.identifier[0].system"],
    ),
    "a null in a list": ({**APPOINTMENT, "identifier": [None]}, ["Appointment.identifier"]),
    "a contained place with an id of its own kind": (
        {**APPOINTMENT, "contained": [{"resourceType": "Location", "id": "room_1"}]},
        ["Appointment.contained[0].id"],
    ),
}


@pytest.mark.parametrize("what", NEWER)
def test_whose_it_is_and_which_stands_whatever_is_said_of_others(what: str) -> None:
    value, expected = NEWER[what]
    order = read(value)
    assert places(order) == expected
    assert order.appointment == "a1"
    assert order.other_names == ("Appointment/a1",)
    assert order.patient == "Patient/ann"


def test_the_next_name_that_can_be_kept_leads_and_blanks_around_one_are_no_part_of_it() -> None:
    numbers = [{"system": "urn:y", "value": "x" * 220}, {"use": "", "system": "urn:x", "value": " 7 "}]
    order = read({**APPOINTMENT, "identifier": numbers})
    assert sorted(places(order)) == ["Appointment.identifier", "Appointment.identifier[1].use"]
    assert {order.appointment, *order.other_names} == {"urn:x|7", "a1", "Appointment/a1"}


def test_of_a_patients_numbers_the_first_that_can_be_kept_leads() -> None:
    order = read(
        message(lambda p: p.update(identifier=[{"value": ""}, {"value": "943 476"}, {"value": "9434765919 "}]))
    )
    assert places(order) == ["Bundle.entry[2].resource.identifier[0].value"]
    assert order.names_of_patient[0][1] == "943 476"
    assert "9434765919" in order.patient_names


def test_an_id_with_characters_that_fhir_has_not_is_still_referred_to() -> None:
    value = message(lambda p: p.update(id="pat_1"))
    assert read(value).patient == "https://clinics.example/patient-number|RV-20817"
    patient = {"resourceType": "Patient", "id": "pat_1", "identifier": [{"value": "7"}]}
    contained = {**APPOINTMENT, "contained": [patient], "participant": [actor(reference="#pat_1")]}
    assert read(contained).patient == "7"


def test_very_much_is_left_out_and_the_first_of_it_is_named() -> None:
    order = read({**APPOINTMENT, **{f"x{n}": 1 for n in range(60)}, "slot": [{"reference": 5} for _ in range(30)]})
    assert len(order.warnings) == 21
    assert order.warnings[-1].detail == "70 more pieces that are not valid R4; the rest was taken"


DEAD = "Bundle.entry[2].resource"
DEATHS: dict[str, tuple[dict[str, Any], bool | None, list[str]]] = {
    "both": ({"deceasedBoolean": True, "deceasedDateTime": "2026-01-01"}, True, [DEAD]),
    "both, and they differ": ({"deceasedBoolean": False, "deceasedDateTime": "2026-01-01"}, True, [DEAD]),
    "a time written as people do": ({"deceasedDateTime": "2026-03-04 10:00"}, True, [f"{DEAD}.deceasedDateTime"]),
    "a time that is a number": ({"deceasedDateTime": {"year": 2026}}, True, [f"{DEAD}.deceasedDateTime"]),
    "nothing": ({"deceasedDateTime": ""}, None, [f"{DEAD}.deceasedDateTime"]),
    "nothing beside alive": ({"deceasedBoolean": False, "deceasedDateTime": None}, False, []),
}


@pytest.mark.parametrize("what", DEATHS)
def test_who_is_said_to_have_died_at_any_time_is_dead(what: str) -> None:
    said, expected, where = DEATHS[what]
    order = read(message(lambda p: p.update(said, telecom=[{"system": "email", "value": "a@b.example"}])))
    assert order.person is not None
    assert order.person.deceased is expected
    assert "a@b.example" in order.person.own.emails
    assert places(order) == where


def test_a_death_that_is_said_twice_and_once_wrongly_is_one() -> None:
    order = read(message(lambda p: p.update(deceasedBoolean=True, deceasedDateTime="yesterday")))
    assert order.person is not None
    assert order.person.deceased is True
    assert order.person.family_name is not None


ESSENTIAL: dict[str, tuple[Any, str, str]] = {
    "a start": ({**APPOINTMENT, "start": "soon"}, "INVALID_FHIR", "Appointment.start"),
    "no start": ({n: v for n, v in APPOINTMENT.items() if n != "start"}, "FHIR_INVARIANT", "Appointment.start"),
    "an id": ({**APPOINTMENT, "id": ""}, "INVALID_FHIR", "Appointment.id"),
    "an identifier": (
        {**{n: v for n, v in APPOINTMENT.items() if n != "id"}, "identifier": [{"value": ""}]},
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
    "whose, as R5 says it": (
        {**APPOINTMENT, "subject": {"reference": "Patient/ann"}},
        "FHIR_R5",
        "Appointment.subject",
    ),
    "an identifier that is none of two": (
        {
            **{n: v for n, v in APPOINTMENT.items() if n != "id"},
            "identifier": [{"value": "a\tb"}, {"value": "x" * 201}],
        },
        "CONTROL_CHARACTER",
        "Appointment.identifier",
    ),
    "an id with half of an emoji": ({**APPOINTMENT, "id": "a\x00"}, "CONTROL_CHARACTER", "Appointment.identifier"),
}


@pytest.mark.parametrize("what", ESSENTIAL)
def test_what_is_essential_is_refused(what: str) -> None:
    value, code, place = ESSENTIAL[what]
    with pytest.raises(Refused) as caught:
        read(value)
    assert (caught.value.code, caught.value.place) == (code, place)
