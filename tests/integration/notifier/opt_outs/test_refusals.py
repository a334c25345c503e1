"""Who said STOP to the carrier and not to us is stopped by its refusal, and who asks who we are is told."""

from xml.etree import ElementTree

import pytest

from schemas.appointments import Appointment
from tests.support.notifier.callbacks import meta, secrets, sms, status
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

BOTH = [("sms", "notices"), ("sms", "reminders"), ("whatsapp", "notices"), ("whatsapp", "reminders")]


async def reminded(notifier: RunningNotifier, *answers: int | str) -> tuple[Appointment, str]:
    """Start an instance, and hand over a reminder of a patient with a mobile; return his number too."""
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.start(**secrets())
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    notifier.carriers.script(mobile, *answers)
    await notifier.due(visit)
    return visit, mobile


async def stopped(notifier: RunningNotifier) -> list[tuple[str, str]]:
    """Return channel and category of all that is stopped."""
    rows = await notifier.pool.fetch("SELECT channel, category FROM opt_out ORDER BY channel, category")
    return [(row[0], row[1]) for row in rows]


async def test_d57_a_refusal_because_of_a_stop_is_an_opt_out_and_the_next_message_goes_by_mail_at_once(
    notifier: RunningNotifier,
) -> None:
    visit, mobile = await reminded(notifier, 21610)

    by_mail = await notifier.settled(visit, "reminder", "accepted")

    assert by_mail["lane"] == "email"
    assert await stopped(notifier) == BOTH
    assert await notifier.pool.fetchval("SELECT array_agg(DISTINCT caused_by) FROM opt_out_history") == ["carrier"]
    asked = notifier.carriers.asked.count(mobile)
    later = await notifier.book(visit.patient_id)
    await notifier.due(later)
    assert (await notifier.settled(later, "reminder", "accepted"))["lane"] == "email"
    assert notifier.carriers.asked.count(mobile) == asked


async def test_any_other_refusal_stops_nothing(notifier: RunningNotifier) -> None:
    visit, _ = await reminded(notifier, 21211)

    await notifier.settled(visit, "reminder", "accepted")

    assert await stopped(notifier) == []


async def test_a_report_of_it_is_an_opt_out_unless_he_began_again_since(notifier: RunningNotifier) -> None:
    visit, mobile = await reminded(notifier)
    row = await notifier.settled(visit, "reminder", "accepted")

    await status(notifier, row["attempt_id"], "undelivered", ErrorCode="21610")
    assert await stopped(notifier) == BOTH
    await sms(notifier, mobile, "START", sid="SM-2")
    assert await stopped(notifier) == []
    await status(notifier, row["attempt_id"], "failed", ErrorCode="21610")

    assert await stopped(notifier) == []


@pytest.mark.parametrize("texts", [("STOP", "START"), ("START",)])
async def test_a_late_report_of_it_stops_nobody_who_began_again_in_whatever_form_of_his_number(
    notifier: RunningNotifier, texts: tuple[str, ...]
) -> None:
    patient = await notifier.patient(mobile="+5491155554444")
    await notifier.start(**secrets())
    visit = await notifier.book(patient)
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "accepted")
    assert row["lane"] == "sms"
    sender = "+541155554444" if len(texts) > 1 else "+5491155554444"
    for text in texts:
        assert (await sms(notifier, sender, text, sid=f"SM-{text}")).status_code == 200
    await status(notifier, row["attempt_id"], "undelivered", ErrorCode="21610")

    assert await stopped(notifier) == []


async def test_help_is_answered_with_who_writes_once_and_staff_see_it(notifier: RunningNotifier) -> None:
    visit, mobile = await reminded(notifier)
    await notifier.settled(visit, "reminder", "accepted")

    first, repeat, again, acted, thanks = [
        await sms(notifier, mobile, text, sid=sid, **more)
        for text, sid, more in (
            ("HELP?", "SM-1", {}),
            ("HELP?", "SM-1", {}),
            ("info", "SM-2", {}),
            ("HELP", "SM-3", {"OptOutType": "HELP"}),
            ("thanks", "SM-4", {}),
        )
    ]

    (said,) = [message.text or "" for message in ElementTree.fromstring(first.text).findall("Message")]  # noqa: S314  # ours
    assert "STOP" in said
    assert said.startswith("Clinic ")
    for other in (repeat, again, acted, thanks):
        assert ElementTree.fromstring(other.text).findall("Message") == []  # noqa: S314  # ours
    listed = (await notifier.ask("GET", "/v1/replies", params={"open": True})).json()["items"]
    assert [(one["why"], one["said_back"]) for one in listed][-1] == ("ASKED_HELP", said)


async def test_a_stop_from_another_form_of_the_number_or_in_reply_to_a_message_holds(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.start(**secrets())
    wanted = {"whatsapp": True, "sms": True, "email": True}
    assert (await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=wanted)).is_success
    visit = await notifier.book(patient)
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "accepted")
    assert row["lane"] == "whatsapp"
    reference = await notifier.pool.fetchval("SELECT reference FROM attempt WHERE attempt_id = $1", row["attempt_id"])
    stop = {"id": "wamid.in", "from": "999123", "type": "text", "text": {"body": "STOP"}, "context": {"id": reference}}

    assert (await meta(notifier, messages=[stop])).status_code == 200

    listed = (await notifier.ask("POST", "/v1/opt-outs/look-up", json={"address": mobile})).json()["items"]
    assert [(one["channel"], one["category"]) for one in listed] == BOTH

    async def next_goes_by_mail() -> bool:
        later = await notifier.book(visit.patient_id)
        await notifier.due(later)
        return bool((await notifier.settled(later, "reminder", "accepted"))["lane"] == "email")

    await until(next_goes_by_mail)
