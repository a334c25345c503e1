"""Accounts on real parts: SOUTH has accounts of its own, all other clinics the installation's (B10)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.appointments import Appointment
from schemas.notifications import Channel
from tests.support.notifier.callbacks import TOKEN, secrets, sms, status
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

OURS, SOUTHS = f"AC{'0' * 32}", f"AC{'2' * 32}"
FILE = f"""
[clinics.SOUTH]
twilio_account_sid = "{SOUTHS}"
twilio_auth_token = "south"
sms_sender = "+15005550007"
"""


@pytest.fixture
async def file(notifier: RunningNotifier, tmp_path: Path) -> Path:
    await notifier.clinic("SOUTH")
    path = tmp_path / "senders.toml"
    path.write_text(FILE)
    return path


async def reminders(
    notifier: RunningNotifier, clinic: str, count: int, *answers: int | str, **fields: Any
) -> list[Appointment]:
    """Hand over so many reminders of one clinic's, whose carrier answers each so."""
    visits = []
    for _ in range(count):
        patient = await notifier.patient(email=None)
        notifier.carriers.script(await notifier.address(patient, "mobile"), *answers)
        visits.append(notifier.visit(patient, clinic=clinic))
        await notifier.hold(visits[-1])
        await notifier.due(visits[-1], **fields)
    return visits


async def queued(notifier: RunningNotifier, number: int) -> None:
    """Wait until so many messages wait for a lane."""

    async def there() -> bool:
        return bool(await notifier.pool.fetchval("SELECT count(*) FROM notification WHERE state = 'queued'") == number)

    await until(there)


@pytest.mark.parametrize("answer", [401, 429, 503, "silent"])
async def test_b10_what_souths_account_meets_keeps_no_message_of_norths(
    notifier: RunningNotifier, file: Path, answer: int | str
) -> None:
    """More of SOUTH's than the lane has slots, all with sooner deadlines, wait before NORTH's come."""
    notifier.carriers.retry_after_s = 3000
    soon = notifier.now + timedelta(hours=6)
    await notifier.start(lanes=(), senders=file)
    souths = await reminders(notifier, "SOUTH", 8, *[answer] * 50, not_after=soon)
    norths = await reminders(notifier, "NORTH", 4)
    await queued(notifier, 12)
    await notifier.start(
        fanout=False, lanes=(Channel.SMS,), senders=file, sms_slots=2, sms_per_second=50, breaker_failures=3
    )

    for visit in norths:
        await notifier.settled(visit, "reminder", "accepted")

    accounts = {
        row[0] for row in await notifier.pool.fetch("SELECT DISTINCT account FROM attempt WHERE outcome = 'accepted'")
    }
    assert accounts == {OURS}
    states = [await notifier.row(visit, "reminder") for visit in souths]
    assert {row["state"] for row in states if row} <= {"queued", "sending", "unknown"}
    paused = await notifier.pool.fetch("SELECT account FROM account_rate WHERE paused_until > clock_timestamp()")
    assert {row[0] for row in paused} <= {SOUTHS}


async def test_b10_an_account_that_is_mended_sends_what_waited_for_it(notifier: RunningNotifier, file: Path) -> None:
    souths = await reminders(notifier, "SOUTH", 3, 401)
    await notifier.start(senders=file, breaker_open_s=0.5)

    for visit in souths:
        await notifier.tried(visit, "reminder", 1)
    metrics = (await notifier.look("/metrics")).text
    notifier.step(timedelta(minutes=1))
    for visit in souths:
        assert (await notifier.settled(visit, "reminder", "accepted"))["lane"] == "sms"

    assert f'attend_carrier_refusals_total{{account="{SOUTHS}",fault="account",lane="sms"}}' in metrics
    shown = (await notifier.look("/status")).json()["breakers"]
    assert f"sms {SOUTHS} closed" in shown
    assert f"sms {OURS} closed" in shown


async def test_b10_souths_token_speaks_of_souths_messages_alone(notifier: RunningNotifier, file: Path) -> None:
    """A report that SOUTH signs of NORTH's message, by its attempt or by its reference, changes nothing."""
    await notifier.start(senders=file, **secrets())
    [north], [south] = await reminders(notifier, "NORTH", 1), await reminders(notifier, "SOUTH", 1)
    theirs = (await notifier.settled(north, "reminder", "accepted"))["attempt_id"]
    own = (await notifier.settled(south, "reminder", "accepted"))["attempt_id"]
    sid = await notifier.pool.fetchval("SELECT reference FROM attempt WHERE attempt_id = $1", theirs)

    async def state(visit: Appointment) -> str:
        row = await notifier.row(visit, "reminder")
        assert row is not None
        return str(row["delivery_state"])

    forged = await status(notifier, theirs, "delivered", sid, token="south", AccountSid=OURS)
    signed = [
        await status(notifier, theirs, "delivered", sid, token="south", AccountSid=SOUTHS),
        await status(notifier, own, "read", sid, token="south", AccountSid=SOUTHS),
    ]
    assert (forged.status_code, [each.status_code for each in signed]) == (401, [204, 204])
    assert (await state(north), await state(south)) == ("unknown", "read")

    assert (await status(notifier, theirs, "delivered", sid, AccountSid=OURS)).status_code == 204
    assert await state(north) == "delivered"


async def test_b10_an_answer_to_souths_number_orders_nothing_about_norths_visit(
    notifier: RunningNotifier, file: Path
) -> None:
    await notifier.start(senders=file, **secrets())
    await notifier.ask("PUT", "/v1/clinics/NORTH/sending", json={"replies": True, "by": "test"})
    [north] = await reminders(notifier, "NORTH", 1)
    await notifier.settled(north, "reminder", "accepted")
    number = await notifier.address(north.patient_id, "mobile")

    for sid, account in (("SM1", SOUTHS), ("SM2", OURS)):
        token = "south" if account == SOUTHS else TOKEN
        answer = await sms(notifier, number, "C", sid, token=token, AccountSid=account)
        assert answer.status_code == 200
    rows = await notifier.pool.fetch("SELECT verdict, why FROM reply ORDER BY received_at, reply_id")

    assert sorted(tuple(row) for row in rows) == [("ordered", None), ("staff", "NO_VISIT")]
