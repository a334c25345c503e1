"""What the notifier reads of the topic `reminders`, and what it refuses to read."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from notifier.fanout.domain.mornings import Morning
from notifier.fanout.messages import reminders
from schemas.envelope import Envelope
from schemas.reminders import CLINIC_DAY_DUE, ClinicDayDue
from schemas.wire import Undecodable, encode

EIGHT = datetime(2026, 6, 10, 7, tzinfo=UTC)


def morning(zone: str) -> Any:
    day = ClinicDayDue(
        clinic_id="EYE",
        day=date(2026, 6, 10),
        zone=zone,
        due=EIGHT,
        not_after=EIGHT + timedelta(hours=2),
        caused_by="clinic-day/EYE/2026-06-10T08:00",
    )
    headers = Envelope("1", CLINIC_DAY_DUE, "attend/reminders", "EYE", EIGHT).headers()
    return SimpleNamespace(topic="reminders", partition=0, offset=0, key=b"EYE", value=encode(day), headers=headers)


def test_r19_a_clinics_morning_is_read() -> None:
    read = reminders(morning("Europe/London"))
    assert isinstance(read, Morning)
    assert read.begins == datetime(2026, 6, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe", "x" * 300, "Nowhere/Atall", ""])
def test_g8_a_morning_in_no_zone_is_a_dead_letter(zone: str) -> None:
    with pytest.raises(Undecodable):
        reminders(morning(zone))
