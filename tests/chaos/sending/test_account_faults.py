"""Faults of an account: no message is lost, doubled or closed out of its channel, and no other account's waits."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.appointments import Appointment
from schemas.notifications import Channel
from tests.chaos.sending.lane_runs import enter, in_state, lane, settle, verdict
from tests.chaos.sending.table import Line
from tests.support.notifier.running import RunningNotifier

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

EACH = 4
HASTY = {"NOTIFIER_CARRIER_TIMEOUT_S": "3", "NOTIFIER_BREAKER_OPEN_S": "0.3"}
SENDERS = f"""
[clinics.SOUTH]
twilio_account_sid = "AC{"2" * 32}"
twilio_auth_token = "south"
sms_sender = "+15005550007"
"""


@dataclass(frozen=True)
class Fault:
    """How a carrier refuses our account first; then it is mended."""

    name: str
    channel: Channel
    answers: tuple[int | str, ...]


FAULTS = (
    Fault("535 once, then the password is right", Channel.EMAIL, (535,)),
    Fault("530 twice, then no TLS is wanted", Channel.EMAIL, (530, 530)),
    Fault("401 twice, then the token is right", Channel.SMS, (401, 401)),
    Fault("403 once", Channel.WHATSAPP, (403,)),
    Fault("404 once: the account's address", Channel.SMS, (404,)),
)


async def test_what_our_account_is_refused_leaves_by_the_same_channel_once_it_is_mended(
    notifier: RunningNotifier, faults: list[Line]
) -> None:
    met = [(fault, await enter(notifier, fault.channel, *fault.answers, number=EACH)) for fault in FAULTS]
    await notifier.start(lanes=())
    for channel in (Channel.SMS, Channel.WHATSAPP, Channel.EMAIL):
        await lane(notifier, channel, **HASTY)
    await settle(notifier, [visit for _, visits in met for visit in visits])
    for fault, visits in met:
        faults.append(await verdict(notifier, f"{fault.channel}: {fault.name}", visits))
        assert faults[-1].sound, faults[-1]
        assert faults[-1].accepted == EACH
        await in_state(notifier, visits, "accepted")


@pytest.mark.parametrize("answer", [429, 401])
async def test_b10_one_accounts_refusals_keep_no_message_of_another(
    notifier: RunningNotifier, tmp_path: Path, answer: int, faults: list[Line]
) -> None:
    (tmp_path / "senders.toml").write_text(SENDERS)
    given = {**HASTY, "NOTIFIER_SENDERS": str(tmp_path / "senders.toml"), "NOTIFIER_SMS_SLOTS": "2"}
    notifier.carriers.retry_after_s = 3000
    await notifier.clinic("SOUTH")
    south = [await at_south(notifier, answer) for _ in range(3 * EACH)]
    north = await enter(notifier, Channel.SMS, number=EACH)
    await notifier.start(lanes=(), senders=tmp_path / "senders.toml")
    await in_state(notifier, [*south, *north], "queued")
    await lane(notifier, Channel.SMS, **given)
    await in_state(notifier, north, "accepted")

    faults.append(await verdict(notifier, f"sms: one account's {answer} for ever, the other's messages", north))
    assert faults[-1].sound
    assert faults[-1].accepted == EACH
    await in_state(notifier, south, "queued", "sending")


async def at_south(notifier: RunningNotifier, answer: int) -> Appointment:
    """Hand over a reminder of SOUTH's with a sooner deadline, whose carrier refuses our account for ever."""
    patient = await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(patient, "mobile"), *[answer] * 99)
    visit = notifier.visit(patient, clinic="SOUTH")
    await notifier.hold(visit)
    await notifier.due(visit, not_after=notifier.now + timedelta(hours=6))
    return visit
