"""Patients whose number WhatsApp hides behind a user name: what they answer holds for their number all the same."""

from typing import Any

import asyncpg
import pytest

from schemas.appointments import Appointment
from tests.integration.notifier.replies.test_replies import replies
from tests.support.notifier.callbacks import meta, secrets
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

BSUID = "GB.13491208655302741918"


def message(text: str, **of: str) -> dict[str, Any]:
    return {"id": f"wamid.{text}.{len(of)}", "type": "text", "text": {"body": text}, **of}


async def reminded(notifier: RunningNotifier) -> tuple[Appointment, asyncpg.Record, str]:
    """Hand a reminder over by WhatsApp; return its row and the patient's number."""
    patient = await notifier.patient()
    on = {"whatsapp": True, "sms": True, "email": True}
    await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=on)
    visit = await notifier.book(patient)
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "accepted")
    assert row["lane"] == "whatsapp"
    return visit, row, await notifier.address(patient, "mobile")


async def stopped(notifier: RunningNotifier, mobile: str) -> int:
    answer = await notifier.ask("POST", "/v1/opt-outs/look-up", json={"address": mobile})
    return len(answer.json()["items"])


def report(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": "wamid.r", "status": "delivered", "timestamp": "1803900000", "recipient_user_id": BSUID,
        "biz_opaque_callback_data": str(row["attempt_id"]),
    }  # fmt: skip


async def test_a_stop_without_a_number_holds_for_the_number_that_a_report_has_told(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    _, row, mobile = await reminded(notifier)
    assert (await meta(notifier, statuses=[report(row)])).status_code == 200

    assert (await meta(notifier, messages=[message("STOP", from_user_id=BSUID)])).status_code == 200
    assert await stopped(notifier, mobile) == 4
    (heard,) = await replies(notifier)
    assert (heard["sender"], heard["sender_user_id"], heard["why"]) == (None, BSUID, None)

    await meta(notifier, messages=[message("START", from_user_id=BSUID)])
    assert await stopped(notifier, mobile) == 0


async def test_a_stop_that_came_before_anybody_knew_whose_it_is_holds_from_when_it_is_known(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(**secrets())
    _, row, mobile = await reminded(notifier)

    await meta(notifier, messages=[message("STOP", from_user_id=BSUID)])
    assert await stopped(notifier, mobile) == 0
    assert [one["why"] for one in await replies(notifier, open=True)] == ["UNKNOWN_SENDER"]

    await meta(notifier, statuses=[report(row)])
    assert await stopped(notifier, mobile) == 4
    await meta(notifier, messages=[message("START", **{"from": mobile[1:]})])
    await meta(notifier, statuses=[{**report(row), "status": "read"}])
    assert await stopped(notifier, mobile) == 0


async def test_a_message_with_both_tells_whose_id_it_is_and_a_code_names_the_visit(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    await notifier.ask("PUT", "/v1/clinics/NORTH/sending", json={"replies": True})
    visit, _, mobile = await reminded(notifier)
    await meta(notifier, messages=[message("hello", from_user_id=BSUID, **{"from": mobile[1:]})])

    (code,) = notifier.peppers.codes(visit.appointment_id, 1)
    await meta(notifier, messages=[message(f"X {code}", from_user_id=BSUID)])

    newest = (await replies(notifier))[0]
    assert (newest["verdict"], newest["appointment_id"]) == ("ordered", str(visit.appointment_id))
    clear = await notifier.pool.fetchval("SELECT count(*) FROM whatsapp_user WHERE user_key = $1", BSUID.encode())
    assert clear == 0
