"""What a message says of a patient: absent stays, given counts, and what turned old is taken away (D51)."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.patients.domain.details import read_by
from booking.patients.domain.patient import PatientState, completed
from booking.values.unset import UNSET
from booking.values.warned import Details
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.door import booking

HELD = PatientState(UUID(int=1), 1, given_name="Ann", mobile="+447700900123", email="ann@example.org", deceased=True)
OLD_PHONE = {"system": "phone", "value": "07700 900123", "use": "old"}
OLD_EMAIL = {"system": "email", "value": "ann@example.org", "use": "old"}
OVER = {"end": "2027-02-28"}
NEW_PHONE = {"system": "phone", "value": "+44 7700 900555", "use": "mobile"}


def order(patient: dict[str, Any]) -> BookAppointment:
    value = {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "start": "2027-03-12T10:00:00Z",
        "end": "2027-03-12T10:30:00Z",
        "contained": [{"resourceType": "Patient", "id": "p", "identifier": [{"value": "ann"}], **patient}],
        "participant": [{"actor": {"reference": "#p"}, "status": "accepted"}],
    }
    (found,) = FhirR4().parse(orjson.dumps(value), Hints(LOCAL, NOW)).commands
    assert isinstance(found, BookAppointment)
    return found


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing is said": ({}, {}),
    "an empty array": ({"telecom": [], "name": []}, {}),
    "his number turned old": ({"telecom": [OLD_PHONE]}, {"mobile": None}),
    "his address turned old": ({"telecom": [OLD_EMAIL]}, {"email": None}),
    "old, and a new one": ({"telecom": [OLD_PHONE, NEW_PHONE]}, {"mobile": "+447700900555"}),
    "his number's period is over": (
        {"telecom": [{**NEW_PHONE, "value": "+447700900123", "period": OVER}]},
        {"mobile": None},
    ),
    "another number turned old": ({"telecom": [{**OLD_PHONE, "value": "+447700900999"}]}, {}),
    "an old one that is none": ({"telecom": [{**OLD_PHONE, "value": "disconnected"}]}, {}),
    "old, and the new one is none": ({"telecom": [OLD_PHONE, {**NEW_PHONE, "value": "none"}]}, {"mobile": None}),
    "he lives after all": ({"deceasedBoolean": False}, {"deceased": False}),
    "he is dead": ({"deceasedBoolean": True}, {}),
    "another name": ({"name": [{"given": ["Anna"]}]}, {"given_name": "Anna"}),
}


@pytest.mark.parametrize(("patient", "changes"), CASES.values(), ids=CASES)
def test_of_a_patient_what_is_said_counts_and_nothing_else_changes(
    patient: dict[str, Any], changes: dict[str, Any]
) -> None:
    person = order(patient).person
    assert person is not None

    after = completed(HELD, read_by(person, "GB", Details()))
    names = ("given_name", "mobile", "email", "deceased")
    assert {n: getattr(after, n) for n in names} == {n: getattr(HELD, n) for n in names} | changes


def test_null_of_ours_is_not_mentioned_none_or_refused_as_its_field_says() -> None:
    body = booking(confirmed=None, provider=None, service_type=None)
    (found,) = PlainJson().parse(orjson.dumps(body), Hints(LOCAL, NOW)).commands
    assert isinstance(found, BookAppointment)

    assert (found.confirmed, found.provider, found.service_type) == (UNSET, None, None)
