"""A visit and a patient are found by any of the names that a sender gives, as it was booked and as FHIR writes it."""

from uuid import UUID

import pytest

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.kinds import State
from booking.formats.clearances.names import meant, patients_named, visits_named
from booking.formats.clearances.told import ToldClearance
from booking.values.refusals import Refused

ONE, TWO, ANN, BEA = (UUID(int=number) for number in range(1, 5))


def told(*visits: str, patients: tuple[str, ...] = ()) -> ToldClearance:
    patient = patients[0] if patients else None
    command = GiveClearance("local", "k", b"", ("pas", visits[0]), "identity", State.CLEARED, patient)
    return ToldClearance(command, "pas", visits, patients)


@pytest.mark.parametrize(
    ("kept", "visits", "expected"),
    [
        ({"v1": ONE}, ("v1",), ONE),
        ({"v1": ONE}, ("Appointment/v1",), ONE),
        ({"Appointment/v1": ONE}, ("v1",), ONE),
        ({"v1": ONE, "Appointment/v1": TWO}, ("v1",), ONE),
        ({"v1": ONE, "Appointment/v1": TWO}, ("Appointment/v1",), TWO),
        ({"v1": ONE}, ("https://h/Appointment/v1", "Appointment/v1"), ONE),
        ({"urn:a|1": ONE, "v1": ONE}, ("urn:a|1", "v1"), ONE),
        ({"urn:a|1": ONE, "v1": TWO}, ("urn:a|1", "v1"), "IDENTITY_CONFLICT"),
        ({"v2": TWO}, ("v1",), "UNKNOWN_APPOINTMENT"),
    ],
)
def test_a_visit_is_found_by_any_of_its_names(kept: dict[str, UUID], visits: tuple[str, ...], expected: object) -> None:
    asked = told(*visits)
    known = {identity: kept[identity[1]] for identity in visits_named([asked]) if identity[1] in kept}
    try:
        found: object = meant(asked, known, {}).command.visit
    except Refused as refusal:
        found = refusal.code
    assert found == expected


@pytest.mark.parametrize(
    ("kept", "patients", "expected"),
    [
        ({}, (), None),
        ({}, ("p1",), "p1"),
        ({"p1": ANN}, ("Patient/p1",), str(ANN)),
        ({"Patient/p1": ANN}, ("urn:mrn|7", "p1"), str(ANN)),
        ({"urn:mrn|7": ANN, "p1": ANN}, ("urn:mrn|7", "p1"), str(ANN)),
        ({"urn:mrn|7": BEA, "p1": ANN}, ("urn:mrn|7", "p1"), "IDENTITY_CONFLICT"),
    ],
)
def test_a_patient_is_found_by_his_names_and_whom_nobody_knows_stays_called_as_the_sender_calls_him(
    kept: dict[str, UUID], patients: tuple[str, ...], expected: str | None
) -> None:
    asked = told("v1", patients=patients)
    known = {identity: kept[identity[1]] for identity in patients_named([asked]) if identity[1] in kept}
    try:
        found = meant(asked, {("pas", "v1"): ONE}, known).command.patient
    except Refused as refusal:
        found = refusal.code
    assert found == expected
