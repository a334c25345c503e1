"""The fault table: every fault of a carrier, and what became of the messages that met it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from schemas.appointments import Appointment
from schemas.notifications import Channel
from tests.chaos.sending.lane_runs import enter, in_state, lane, settle, verdict
from tests.chaos.sending.table import Line
from tests.support.notifier.running import RunningNotifier

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

EACH = 4
"""Messages that meet each scripted fault."""

HASTY = {
    "NOTIFIER_CARRIER_TIMEOUT_S": "3",
    "NOTIFIER_SMS_SLOTS": "64",
    "NOTIFIER_WHATSAPP_SLOTS": "64",
    "NOTIFIER_EMAIL_SLOTS": "64",
    "NOTIFIER_BREAKER_FAILURES": "1000",  # each fault by itself; the breaker has its own tests
}


@dataclass(frozen=True)
class Fault:
    """How a carrier answers first, and what must become of each message.

    Attributes:
        accepted: The carrier has it, by its own log.
        ends: The state it must end in.
    """

    name: str
    channel: Channel
    answers: tuple[int | str, ...]
    accepted: bool
    ends: str


def _clinic(line: int) -> str:
    return f"LINE{line:02d}"


def _own_accounts(line: int) -> str:
    """Return the section of a line's clinic; mail servers ask for no patience, so theirs is shared."""
    return f"""
[clinics.{_clinic(line)}]
twilio_account_sid = "AC{line + 10:032d}"
twilio_auth_token = "any"
sms_sender = "+15005550007"
meta_phone_number_id = "2{line:014d}"
meta_access_token = "any"
"""


def _everywhere(name: str, answers: tuple[int | str, ...], *, accepted: bool, ends: str) -> list[Fault]:
    """Return the fault over HTTP, for both carriers that speak it."""
    return [Fault(name, channel, answers, accepted, ends) for channel in (Channel.SMS, Channel.WHATSAPP)]


HTTP = [
    *_everywhere("429 twice", (429, 429), accepted=True, ends="accepted"),
    *_everywhere("500 twice", (500, 500), accepted=True, ends="accepted"),
    *_everywhere("503 twice", (503, 503), accepted=True, ends="accepted"),
    *_everywhere("503 for ever", (503,) * 99, accepted=False, ends="failed"),
    *_everywhere("400", (400,), accepted=False, ends="failed"),
    *_everywhere("502: a proxy gave up", (502,), accepted=False, ends="unknown"),
    *_everywhere("timeout after acceptance", ("silent",), accepted=True, ends="unknown"),
    *_everywhere("reply cut half-way", ("cut",), accepted=True, ends="unknown"),
    *_everywhere("connection reset after acceptance", ("reset",), accepted=True, ends="unknown"),
    *_everywhere("2xx with garbage", ("garbage",), accepted=True, ends="unknown"),
    *_everywhere("reply in a slow drip", ("drip",), accepted=True, ends="unknown"),
]
SMTP = [
    Fault(name, Channel.EMAIL, answers, accepted, ends)
    for name, answers, accepted, ends in (
        ("421 twice", (421, 421), True, "accepted"),
        ("450 twice", (450, 450), True, "accepted"),
        ("451 twice after the final dot", ("data-451", "data-451"), True, "accepted"),
        ("451 for ever", (451,) * 99, False, "failed"),
        ("550", (550,), False, "failed"),
        ("550 after the final dot", ("data-550",), False, "failed"),
        ("silence after the final dot", ("silent",), True, "unknown"),
        ("reply cut half-way", ("cut",), True, "unknown"),
        ("connection reset after the final dot", ("reset",), True, "unknown"),
        ("garbage after the final dot", ("garbage",), True, "unknown"),
        ("accepted with a code of its own", ("odd",), True, "unknown"),
        ("reply in a slow drip", ("drip",), True, "unknown"),
    )
]


async def test_every_fault_of_a_carrier_doubles_nothing_loses_nothing_and_is_told_as_it_is(
    notifier: RunningNotifier, tmp_path: Path, faults: list[Line]
) -> None:
    """Each line has accounts of its own: what a carrier asks of one keeps no other line's messages."""
    met: list[tuple[Fault, Sequence[Appointment]]] = []
    senders = tmp_path / "senders.toml"
    senders.write_text("".join(_own_accounts(line) for line in range(len(HTTP) + len(SMTP))))
    for line, fault in enumerate((*HTTP, *SMTP)):
        await notifier.clinic(_clinic(line))
        met.append((fault, await enter(notifier, fault.channel, *fault.answers, number=EACH, clinic=_clinic(line))))
    await notifier.start(lanes=(), senders=senders)
    for channel in (Channel.SMS, Channel.WHATSAPP, Channel.EMAIL):
        await lane(notifier, channel, **HASTY, NOTIFIER_SENDERS=str(senders))
    everybody = [visit for _, visits in met for visit in visits]
    await settle(notifier, everybody)
    lines = [await verdict(notifier, f"{fault.channel}: {fault.name}", visits) for fault, visits in met]
    faults += lines

    assert [one for one in lines if not one.sound] == []
    for (fault, visits), one in zip(met, lines, strict=True):
        assert (one.fault, one.accepted) == (one.fault, EACH if fault.accepted else 0)
        await in_state(notifier, visits, fault.ends)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
@pytest.mark.parametrize("fault", ["connection refused", "TLS error"])
async def test_a_carrier_that_cannot_be_reached_is_tried_until_it_can(
    notifier: RunningNotifier, channel: Channel, fault: str, faults: list[Line]
) -> None:
    visits = await enter(notifier, channel)
    await notifier.start(lanes=())
    if fault == "connection refused":
        notifier.carriers.refuse()
    unable = await lane(notifier, channel, **HASTY, **(_tls(notifier) if fault == "TLS error" else {}))
    for visit in visits:
        await notifier.tried(visit, "reminder", 1)
    assert notifier.carriers.asked == []
    unable.terminate()
    await unable.wait()
    await notifier.carriers.listen()
    await lane(notifier, channel, **HASTY)
    await settle(notifier, visits)
    faults.append(await verdict(notifier, f"{channel}: {fault}", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == len(visits)


def _tls(notifier: RunningNotifier) -> dict[str, str]:
    """Return the settings of a lane that wants TLS of carriers that speak none."""
    return {
        "NOTIFIER_TWILIO_BASE_URL": f"https://127.0.0.1:{notifier.carriers.http_port}",
        "NOTIFIER_SMTP_TLS": "tls",
    }
