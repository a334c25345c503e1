"""R42: reminders leave when due, by the patient's channel, and their records say what became of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.practice import Practice

DAY = timedelta(days=1)
ALL_OFF = {"whatsapp": False, "sms": False, "email": False}


async def test_r10_r11_r25_both_reminders_leave_when_due_and_not_before(practice: Practice) -> None:
    patient = await practice.new_patient()
    visit = await practice.book(patient, practice.now + 3 * DAY)
    due = visit.start - timedelta(hours=24)

    await practice.pass_until(due - timedelta(minutes=30))
    assert await practice.channels(patient) == ["email"]
    assert await practice.outcomes(visit) == {"24h": ("SCHEDULED", None), "2h": ("SCHEDULED", None)}

    await practice.pass_until(due + timedelta(minutes=1))
    assert await practice.channels(patient) == ["email", "sms"]
    assert await practice.outcomes(visit) == {"24h": ("SENT", None), "2h": ("SCHEDULED", None)}

    await practice.pass_until(visit.start)
    assert await practice.channels(patient) == ["email", "sms", "sms"]
    assert await practice.outcomes(visit) == {"24h": ("SENT", None), "2h": ("SENT", None)}


async def test_r11_a_reminder_record_links_to_its_message(practice: Practice) -> None:
    visit = await practice.book(await practice.new_patient(), practice.now + 2 * DAY)
    await practice.pass_until(visit.start)

    notifications = {row["notification_id"]: row for row in await practice.client.notifications(visit.id)}
    for reminder in (await practice.reminders(visit)).values():
        message = notifications[reminder["notification_id"]]
        assert (message["kind"], message["outcome"]) == ("reminder", "accepted")
        late = datetime.fromisoformat(reminder["sent_at"]) - datetime.fromisoformat(reminder["scheduled_for"])
        assert timedelta() <= late < timedelta(minutes=20)


@pytest.mark.parametrize(
    ("preferences", "fields", "channel"),
    [
        pytest.param({"whatsapp": True, "sms": True, "email": True}, {}, "whatsapp", id="whatsapp first"),
        pytest.param({"whatsapp": False, "sms": True, "email": True}, {}, "sms", id="then sms"),
        pytest.param({"whatsapp": False, "sms": False, "email": True}, {}, "email", id="then email"),
        pytest.param(None, {}, "sms", id="nothing said: sms"),
        pytest.param(None, {"mobile": None}, "email", id="no mobile: email"),
    ],
)
async def test_r23_d30_reminders_go_by_preference(
    practice: Practice, preferences: dict[str, bool] | None, fields: dict[str, Any], channel: str
) -> None:
    patient = await practice.new_patient(preferences=preferences, **fields)
    visit = await practice.book(patient, practice.now + 2 * DAY)
    await practice.pass_until(visit.start)

    assert await practice.channels(patient) == ["email", channel, channel]


@pytest.mark.parametrize(
    ("preferences", "fields", "reason"),
    [
        pytest.param(ALL_OFF, {}, "CHANNELS_DISABLED", id="all channels off"),
        pytest.param(None, {"mobile": None, "email": None}, "NO_CONTACT", id="no contact"),
        pytest.param(None, {"consent": False}, "NO_CONSENT", id="no consent"),
        pytest.param(None, {"do_not_contact": True}, "DO_NOT_CONTACT", id="do not contact"),
    ],
)
async def test_d30_d44_a_reminder_that_may_not_go_is_cancelled_with_its_reason(
    practice: Practice, preferences: dict[str, bool] | None, fields: dict[str, Any], reason: str
) -> None:
    patient = await practice.new_patient(preferences=preferences, **fields)
    visit = await practice.book(patient, practice.now + 2 * DAY)
    await practice.pass_until(visit.start)

    assert await practice.channels(patient) == []
    assert await practice.outcomes(visit) == {"24h": ("CANCELLED", reason), "2h": ("CANCELLED", reason)}


async def test_d14_a_reminder_whose_moment_has_passed_is_never_sent(practice: Practice) -> None:
    patient = await practice.new_patient()
    soon = await practice.book(patient, practice.now + timedelta(hours=5))
    very_soon = await practice.book(await practice.new_patient(), practice.now + timedelta(hours=1))
    await practice.pass_until(soon.start)

    past = ("CANCELLED", "DUE_IN_PAST")
    assert await practice.outcomes(soon) == {"24h": past, "2h": ("SENT", None)}
    assert await practice.outcomes(very_soon) == {"24h": past, "2h": past}
    assert await practice.channels(patient) == ["email", "sms"]


async def test_d12_d16_hours_are_elapsed_time_across_a_change_of_clocks(practice: Practice) -> None:
    """New York springs forward on 12 March 2028: 24 h before Sunday 10:00 EDT is Saturday 09:00 EST."""
    clinic = await practice.new_clinic("America/New_York")
    visit = await practice.book(
        await practice.new_patient(),
        datetime.fromisoformat("2028-03-12T14:00:00+00:00"),
        clinic=clinic,
        as_written={"start": "2028-03-12T10:00:00", "end": "2028-03-12T10:30:00", "zone": "America/New_York"},
    )
    await practice.settle()

    rows = await practice.reminders(visit)
    assert datetime.fromisoformat(rows["24h"]["scheduled_for"]) == datetime.fromisoformat("2028-03-11T14:00:00+00:00")
