"""A fault of one channel leads to the next only where the message certainly has not left by the first (D32, G5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from schemas.appointments import Appointment, Status
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.chaos.sending.lane_runs import in_state, lane, settle, verdict
from tests.chaos.sending.table import Line
from tests.support.notifier.running import CLINIC, RunningNotifier

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

EACH = 5
HASTY = {"NOTIFIER_CARRIER_TIMEOUT_S": "3", "NOTIFIER_SMS_SLOTS": "64", "NOTIFIER_BREAKER_FAILURES": "1000"}


@dataclass(frozen=True)
class Fault:
    """How the SMS carrier answers, and by which channels a message has then left."""

    name: str
    answers: tuple[int | str, ...]
    by: tuple[str, ...]
    ends: str


FAULTS = (
    Fault("refused for good", (400,), ("email",), "accepted"),
    Fault("503 until the channel's time is over", (503,) * 99, ("email",), "accepted"),
    Fault("503 once", (503,), ("sms",), "accepted"),
    Fault("timeout after acceptance", ("silent",), ("sms",), "unknown"),
    Fault("reply cut half-way", ("cut",), ("sms",), "unknown"),
    Fault("502", (502,), (), "unknown"),
)
DOUBLING = (
    Fault("timeout after acceptance, doubles preferred", ("silent",), ("email", "sms"), "accepted"),
    Fault("502, doubles preferred", (502,), ("email",), "accepted"),
)


async def reachable_by_both(notifier: RunningNotifier, fault: Fault) -> list[Appointment]:
    """Hand over reminders of patients with mobile and email; the first SMS to each meet the fault."""
    visits = []
    for _ in range(EACH):
        patient = await notifier.patient()
        notifier.carriers.script(await notifier.address(patient, "mobile"), *fault.answers)
        visits.append(notifier.visit(patient))
        await notifier.hold(visits[-1])
        await notifier.due(visits[-1])
    return visits


async def left_by(notifier: RunningNotifier, visit: Appointment) -> tuple[str, ...]:
    """Return the channels by which a message left, by the carriers' own log."""
    addresses = {await notifier.address(visit.patient_id, column) for column in ("mobile", "email")}
    return tuple(sorted(one.channel for one in notifier.carriers.taken if one.to in addresses))


async def play(notifier: RunningNotifier, faults: Sequence[Fault], lines: list[Line]) -> None:
    """Let the messages meet their faults, and judge what became of them."""
    met = [(fault, await reachable_by_both(notifier, fault)) for fault in faults]
    await notifier.start(lanes=())
    for channel in (Channel.SMS, Channel.EMAIL):
        await lane(notifier, channel, **HASTY)
    await settle(notifier, [visit for _, visits in met for visit in visits])
    for fault, visits in met:
        lines.append(await verdict(notifier, f"sms, then email: {fault.name}", visits))
        assert lines[-1].sound, lines[-1]
        assert {await left_by(notifier, visit) for visit in visits} == {fault.by}, fault.name
        await in_state(notifier, visits, fault.ends)


async def test_d32_the_next_channel_is_taken_only_where_the_first_certainly_failed(
    notifier: RunningNotifier, faults: list[Line]
) -> None:
    await play(notifier, FAULTS, faults)


async def test_d32_a_clinic_that_prefers_doubles_gets_them_on_another_channel_alone(
    notifier: RunningNotifier, faults: list[Line]
) -> None:
    await notifier.pool.execute(
        "INSERT INTO clinic_sending (clinic_id, version, double_over_miss, changed_at, changed_by)"
        " VALUES ($1, 1, true, $2, 'test')",
        CLINIC,
        notifier.now,
    )
    await play(notifier, DOUBLING, faults)


async def test_i7_a_cancellation_between_two_channels_ends_the_chain(
    notifier: RunningNotifier, faults: list[Line]
) -> None:
    visits = await reachable_by_both(notifier, FAULTS[0])
    await notifier.start(lanes=())
    await lane(notifier, Channel.SMS, **HASTY)
    for visit in visits:
        await notifier.tried(visit, "reminder", 1)  # refused by SMS; nobody sends mail yet
    for visit in visits:
        await notifier.hold(visit.model_copy(update={"version": 2, "status": Status.CANCELLED}))
    await lane(notifier, Channel.EMAIL, **HASTY)
    await settle(notifier, visits)
    faults.append(await verdict(notifier, "sms, then email: cancelled between the two", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == 0
    for visit in visits:
        assert (await notifier.settled(visit, "reminder", "skipped"))["reason"] == Reason.APPOINTMENT_CANCELLED
