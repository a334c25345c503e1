"""What booking publishes is what the contract writes, byte for byte."""

from uuid import UUID

import pytest

from booking.appointments.domain.state import AppointmentState
from booking.appointments.messages import appointment_changed
from booking.clinics.messages import clinic_changed
from booking.patients.domain.patient import PatientState
from booking.patients.messages import patient_changed
from booking.providers.messages import provider_changed
from schemas import wire
from schemas.appointments import Appointment, Bar, Status
from schemas.people import Clinic, Patient
from tests.support.booking.builders import ANN, EYE, HOUR, NOW, START, VISIT, batch, change, command


def states() -> list[AppointmentState]:
    booked = batch()
    booked.take(command(occurred_at=NOW.replace(microsecond=120)))
    booked.take(change("e2", Status.CANCELLED, reason="unwell"))
    booked.take(change("e3", Status.WAITLIST, starts_at=None, ends_at=None, provider=None, service_type=None))
    return [state for _, state in booked.versions]


@pytest.mark.parametrize("bar", [None, *Bar])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_g2_a_version_is_written_as_the_contract_writes_it(number: int, bar: Bar | None) -> None:
    event = appointment_changed(VISIT, states()[number], EYE, bar)
    body = wire.decode(Appointment, event.value)
    assert wire.encode(body) == event.value
    assert (body.appointment_id, body.version, body.barred) == (VISIT, number + 1, bar)


@pytest.mark.parametrize("flags", [["NOT_CLEARED"], ["ILLEGAL_TRANSITION", "NOT_CLEARED"]])
def test_g2_a_version_that_raises_flags_names_them_as_the_contract_does(flags: list[str]) -> None:
    event = appointment_changed(VISIT, states()[0], EYE, None, flags)
    body = wire.decode(Appointment, event.value)
    assert wire.encode(body) == event.value
    assert body.flags == tuple(flags)


def test_g2_the_same_version_has_the_same_id_and_the_same_bytes() -> None:
    first, again = (appointment_changed(VISIT, states()[0], EYE, None) for _ in range(2))
    assert first == again
    assert first.envelope.id == str(wire.event_id(VISIT, 1))


def test_an_appointment_carries_instant_wall_time_zone_and_policy() -> None:
    body = wire.decode(Appointment, appointment_changed(VISIT, states()[0], EYE, None).value)
    assert (body.starts_at, body.ends_at, body.zone) == (START, START + HOUR, "Europe/London")
    assert body.starts_local is not None
    assert body.starts_local.isoformat() == "2027-03-12T10:00:00"
    assert [(rule.slug, rule.lead_hours) for rule in body.policy.rules] == [("24h", 24), ("2h", 2)]


def test_g9_an_appointment_carries_no_name_and_no_contact() -> None:
    value = appointment_changed(VISIT, states()[0], EYE, None).value or b""
    assert b"ann" not in value.lower().replace(b"channel", b"")


def test_patients_and_clinics_fit_their_contracts() -> None:
    patient = PatientState(ANN, 1, "FILE-2027-000001", "Ann", mobile="+447700900123")
    assert wire.decode(Patient, patient_changed(patient, NOW).value).main_file == "FILE-2027-000001"
    assert wire.decode(Clinic, clinic_changed(EYE, NOW).value).clinic_id == "EYE"
    assert provider_changed(UUID(int=3), 1, "Dr Who", NOW).key == str(UUID(int=3))
