"""A notice of what a visit lacks on real parts: it leaves while something is missing, with what is missing then."""

from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from schemas import wire
from schemas.appointments import Appointment
from schemas.clearance_notices import CLEARANCE_MISSING, ClearanceMissing
from schemas.reminders import Reason
from schemas.topics import CLEARANCES
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import CLINIC, RunningNotifier

pytestmark = pytest.mark.integration

FORM = "https://forms.example.org/consent"


async def requires(notifier: RunningNotifier) -> None:
    """Put a policy in force by which visits need a consent and a payment."""
    await notifier.execute(
        "INSERT INTO clearance_policy (clinic_id, version, mode, requires, notify_days, unset, set_by, set_at) "
        "VALUES ($1, 1, 'enforce', $2, '{2}', false, 'test', $3)",
        CLINIC, orjson.dumps([{"kind": "consent", "link": FORM}, {"kind": "financial"}]).decode(), MONDAY,
    )  # fmt: skip


async def clear(notifier: RunningNotifier, visit: Appointment, *kinds: str) -> None:
    """Commit in booking that these are cleared."""
    for kind in kinds:
        await notifier.execute(
            "INSERT INTO clearance (appointment_id, kind, form, version, state, client, recorded_at, patient_id) "
            "VALUES ($1, $2, '', 1, 'cleared', 'test', $3, $4)",
            visit.appointment_id, kind, MONDAY, visit.patient_id,
        )  # fmt: skip


async def missing(notifier: RunningNotifier, visit: Appointment, days: int = 2) -> None:
    """Say that the visit lacked something so many days before."""
    starts = visit.starts_at
    assert starts is not None
    body = ClearanceMissing(
        appointment_id=visit.appointment_id, patient_id=visit.patient_id, clinic_id=visit.clinic_id,
        appointment_version=visit.version, schedule_gen=visit.schedule_gen, days=days, starts_at=starts,
        due=starts - timedelta(days=days), not_after=starts - timedelta(days=days) / 4, caused_by="slot",
    )  # fmt: skip
    key, event_id = str(visit.appointment_id), f"missing-{visit.appointment_id}-{days}"
    await notifier.write(CLEARANCES, key, event_id, CLEARANCE_MISSING, wire.encode(body))


async def booked(notifier: RunningNotifier) -> Appointment:
    """Return a visit in two days, of which its patient was told by mail."""
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "accepted")
    return visit


async def test_what_is_missing_when_it_leaves_is_said_and_once(notifier: RunningNotifier) -> None:
    await requires(notifier)
    await notifier.start()
    both, one = await booked(notifier), await booked(notifier)
    await clear(notifier, one, "financial")
    for visit in (both, one, both):
        await missing(notifier, visit)
        await notifier.settled(visit, "clearance-missing", "accepted")

    texts = [
        [said.body for said in notifier.carriers.to(await notifier.address(visit.patient_id, "mobile"))]
        for visit in (both, one)
    ]
    assert [len(each) for each in texts] == [1, 1]
    assert "still lacks: signed consent form and payment or proof of cover." in texts[0][0]
    assert f"still lacks: signed consent form. {FORM}" in texts[1][0]


async def test_who_is_cleared_while_it_waits_for_the_hours_is_told_nothing(notifier: RunningNotifier) -> None:
    await requires(notifier)
    await notifier.start()
    visit, other = await booked(notifier), await booked(notifier)
    notifier.step(timedelta(hours=13))  # ten at night
    for each in (visit, other):
        await missing(notifier, each)
        await notifier.settled(each, "clearance-missing", "queued")

    await clear(notifier, visit, "consent", "financial")
    notifier.step(timedelta(hours=10))

    row = await notifier.settled(visit, "clearance-missing", "skipped", "accepted")
    assert (row["state"], row["reason"]) == ("skipped", Reason.CLEARED)
    assert (await notifier.settled(other, "clearance-missing", "skipped", "accepted"))["state"] == "accepted"


async def prefers_whatsapp(notifier: RunningNotifier, patient: UUID, *, else_others: bool) -> None:
    said = {"whatsapp": True, "sms": else_others, "email": else_others}
    assert (await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=said)).is_success


async def told_of(notifier: RunningNotifier, visit: Appointment) -> tuple[str, str | None, list[tuple[str, str]]]:
    """Return the notice's outcome, its reason, and each call's channel, with the code of one that was none."""
    items = (await notifier.ask("GET", "/v1/notifications", params={"appointment": str(visit.appointment_id)})).json()
    [one] = [one for one in items["items"] if one["kind"] == "clearance-missing"]
    return one["outcome"], one["reason"], [(call["channel"], call["code"]) for call in one["calls"]]


async def test_whatsapp_without_an_approved_template_is_not_asked_and_the_next_channel_says_it(
    notifier: RunningNotifier,
) -> None:
    await requires(notifier)
    await notifier.start()
    any_channel, only_whatsapp = await booked(notifier), await booked(notifier)
    for visit in (any_channel, only_whatsapp):
        await prefers_whatsapp(notifier, visit.patient_id, else_others=visit is any_channel)
        await missing(notifier, visit)
        await notifier.settled(visit, "clearance-missing", "accepted", "failed")

    assert await told_of(notifier, any_channel) == (
        "accepted", None, [("whatsapp", "NO_TEMPLATE"), ("sms", None)],
    )  # fmt: skip
    assert await told_of(notifier, only_whatsapp) == ("failed", "REFUSED", [("whatsapp", "NO_TEMPLATE")])
    for visit in (any_channel, only_whatsapp):
        taken = notifier.carriers.to(await notifier.address(visit.patient_id, "mobile"))
        assert [one.channel for one in taken] == (["sms"] if visit is any_channel else [])
