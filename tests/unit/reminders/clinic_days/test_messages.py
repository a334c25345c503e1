"""Clinics as the projector reads them: one that it could not reckon with must not stop the days of the others."""

from typing import Any

import pytest

from reminders.clinic_days.messages import clinic_event
from schemas.envelope import Envelope
from schemas.people import CLINIC_CHANGED, Clinic
from schemas.wire import Undecodable, encode
from tests.support.reminders.builders import NOW, Record, appointment


def told(zone: str) -> Any:
    clinic = Clinic(clinic_id="EYE", version=1, name="Eye", zone=zone, policy=appointment().policy)
    headers = Envelope("1", CLINIC_CHANGED, "attend/booking", "EYE", NOW).headers()
    return Record("clinics", 0, 0, b"EYE", encode(clinic), headers)


def test_a_clinic_of_a_zone_is_read() -> None:
    assert clinic_event(told("Europe/London")).clinic.zone == "Europe/London"


@pytest.mark.parametrize("zone", ["Europe", "x" * 300, "Nowhere/Atall", ""])
def test_g8_a_clinic_of_no_zone_is_a_dead_letter(zone: str) -> None:
    with pytest.raises(Undecodable) as refused:
        clinic_event(told(zone))
    assert str(refused.value) == "zone: not of the IANA list"
