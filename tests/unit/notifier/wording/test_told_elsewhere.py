"""The time of a visit that is off, told at one clinic and taken back by an event that names another."""

from notifier.gate.domain.told import View
from notifier.values.kinds import PATIENT
from notifier.wording.words import words_of
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, call, said, visit
from tests.support.notifier.builders import PATIENT as ADA


def words(clinic_told: str) -> tuple[str, str, str]:
    """Return time, zone and clinic of a cancellation that comes from New York."""
    there = visit(status=Status.CANCELLED, zone="America/New_York", clinic_country="US", clinic_id="EAST", mobile=None)
    view = View({APPOINTMENT: there}, {(APPOINTMENT, PATIENT): [said(clinic_id=clinic_told)]})
    seen = view.of(APPOINTMENT, PATIENT, ADA)
    assert seen is not None
    said_then = words_of(call(Kind.CANCELLED, **{name: getattr(seen, name) for name in seen.__slots__}))
    return said_then.time, said_then.zone, said_then.clinic


def test_d58_a_time_told_by_another_clinics_clock_names_the_zone_it_is_written_in() -> None:
    assert words("NORTH") == ("4:00 AM", "Eastern Standard Time", "")


def test_a_time_told_by_the_clinics_own_clock_does_not() -> None:
    assert words("EAST") == ("4:00 AM", "", "North Street Clinic")
