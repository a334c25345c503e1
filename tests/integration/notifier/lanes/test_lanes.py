"""Lanes on real parts: the chain of channels, hours, opt-outs, modes, a shared rate, carriers' patience, a breaker."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.appointments import Appointment
from schemas.notifications import Channel, Outcome
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import CLINIC, RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

SMS_ONLY = (Channel.SMS,)


async def chosen(notifier: RunningNotifier, clinic: str = CLINIC, **choices: Any) -> None:
    """Let a clinic choose something about sending."""
    columns, places = "".join(f", {name}" for name in choices), "".join(f", ${n}" for n in range(3, len(choices) + 3))
    changed = ", ".join(f"{name} = excluded.{name}" for name in choices)
    await notifier.pool.execute(
        f"INSERT INTO clinic_sending (clinic_id, version, changed_at, changed_by{columns})"  # noqa: S608  # our own names
        f" VALUES ($1, 1, $2, 'test'{places}) ON CONFLICT (clinic_id) DO UPDATE SET {changed}",
        clinic,
        MONDAY,
        *choices.values(),
    )


async def handed_over(notifier: RunningNotifier, patient: UUID, **fields: Any) -> Appointment:
    """Commit a visit that nobody was told of, and hand its reminder over."""
    visit = notifier.visit(patient, **{name: fields.pop(name) for name in ("clinic",) if name in fields})
    await notifier.hold(visit)
    await notifier.due(visit, **fields)
    return visit


async def steps_of(notifier: RunningNotifier, visit: Appointment) -> list[tuple[str, str]]:
    row = await notifier.row(visit, "reminder")
    assert row is not None
    return [(step["channel"], step["reason"]) for step in row["steps"]]


async def prefers_whatsapp(notifier: RunningNotifier, patient: UUID) -> None:
    said = {"whatsapp": True, "sms": True, "email": True}
    assert (await notifier.ask("PUT", f"/v1/patients/{patient}/preferences", json=said)).is_success


async def test_d32_what_whatsapp_refuses_for_good_goes_by_sms_at_once(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    notifier.carriers.script(mobile, 400)
    await notifier.start()
    await prefers_whatsapp(notifier, patient)
    visit = await handed_over(notifier, patient)

    row = await notifier.settled(visit, "reminder", "accepted")

    assert (row["lane"], row["attempts"], row["version"]) == ("sms", 2, 1)
    assert await steps_of(notifier, visit) == [("whatsapp", "REFUSED")]
    assert [one.channel for one in notifier.carriers.to(mobile)] == ["sms"]
    attempts = await notifier.pool.fetch("SELECT channel, outcome FROM attempt ORDER BY ordinal")
    assert [tuple(attempt) for attempt in attempts] == [("whatsapp", "rejected"), ("sms", "accepted")]

    async def told() -> list[Outcome]:
        return [one.outcome for one in await notifier.outcomes() if one.kind == "reminder"]

    async def published() -> bool:
        return await told() == [Outcome.ACCEPTED]

    await until(published)


async def test_d17_when_every_channel_has_refused_it_has_failed_with_the_last_reason(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "mobile"), 422)
    notifier.carriers.script(await notifier.address(patient, "email"), 550)
    await notifier.start()
    visit = await handed_over(notifier, patient)

    row = await notifier.settled(visit, "reminder", "failed")

    assert (row["reason"], row["attempts"]) == (Reason.REFUSED, 2)
    assert await steps_of(notifier, visit) == [("sms", "REFUSED"), ("email", "REFUSED")]
    assert notifier.carriers.taken == []


async def test_d33_a_channel_that_keeps_refusing_gives_way_when_its_budget_is_over(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "mobile"), 503)
    notifier.carriers.retry_after_s = 3600
    await notifier.start()
    visit = await handed_over(notifier, patient)

    row = await notifier.settled(visit, "reminder", "accepted")

    assert row["lane"] == "email"
    assert await steps_of(notifier, visit) == [("sms", "NOT_ACCEPTED")]


async def test_d32_after_an_unknown_outcome_the_next_channel_is_tried_only_where_a_double_is_preferred(
    notifier: RunningNotifier,
) -> None:
    await notifier.clinic("SOUTH")
    await chosen(notifier, "SOUTH", double_over_miss=True)
    visits = []
    for clinic in (CLINIC, "SOUTH"):
        patient = await notifier.patient()
        notifier.carriers.script(await notifier.address(patient, "mobile"), "garbage")
        visits.append(await handed_over(notifier, patient, clinic=clinic))
    await notifier.start()

    missed, doubled = visits
    assert (await notifier.settled(doubled, "reminder", "accepted"))["lane"] == "email"
    assert (await notifier.settled(missed, "reminder", "unknown"))["attempts"] == 1
    assert await steps_of(notifier, doubled) == [("sms", "OUTCOME_UNKNOWN")]


async def test_d36_an_address_that_wants_no_more_reminders_is_passed_over(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.pool.execute(
        "INSERT INTO opt_out (channel, address_key, category, since, caused_by) "
        "VALUES ('sms', $1, 'reminders', $2, 'test')",
        notifier.peppers.of(await notifier.address(patient, "mobile")).key,
        MONDAY,
    )
    await notifier.start()
    visit = await handed_over(notifier, patient)

    assert (await notifier.settled(visit, "reminder", "accepted"))["lane"] == "email"
    assert await steps_of(notifier, visit) == [("sms", "OPTED_OUT")]


async def test_d16_at_night_a_reminder_waits_for_the_morning_if_that_is_in_time(notifier: RunningNotifier) -> None:
    notifier.step(timedelta(hours=14))  # 23:00
    morning = MONDAY + timedelta(hours=22)
    await notifier.start()
    in_time = await handed_over(notifier, await notifier.patient())
    too_short = await handed_over(notifier, await notifier.patient(), not_after=morning - timedelta(seconds=1))

    assert (await notifier.settled(too_short, "reminder", "skipped"))["reason"] == Reason.QUIET_HOURS
    waiting = await notifier.settled(in_time, "reminder", "queued")
    assert (waiting["reason"], waiting["next_attempt_at"]) == (Reason.OUTSIDE_WINDOW, morning)
    notifier.step(timedelta(hours=8))
    row = await notifier.settled(in_time, "reminder", "accepted")
    assert row["reason"] is None


async def test_a_mode_switched_before_the_call_counts_for_it(notifier: RunningNotifier) -> None:
    """The message waits for its retry while its clinic is put on hold, and the other clinic's leaves."""
    await notifier.clinic("SOUTH")
    patients = [await notifier.patient(email=None) for _ in range(2)]
    for patient in patients:
        notifier.carriers.script(await notifier.address(patient, "mobile"), 503)
    await notifier.start()
    north = await handed_over(notifier, patients[0])
    south = await handed_over(notifier, patients[1], clinic="SOUTH")
    for visit in (north, south):
        await notifier.tried(visit, "reminder", 1)

    await chosen(notifier, mode="hold")
    notifier.step(timedelta(minutes=1))
    await notifier.settled(south, "reminder", "accepted")
    held = await notifier.row(north, "reminder")
    assert held is not None
    assert (held["state"], held["attempts"]) == ("queued", 1)

    await chosen(notifier, mode="live")
    assert (await notifier.settled(north, "reminder", "accepted"))["attempts"] == 2


async def test_an_installation_switched_to_hold_keeps_everything_until_it_is_late(notifier: RunningNotifier) -> None:
    await notifier.pool.execute(
        "INSERT INTO sending_mode (version, mode, changed_at, changed_by) VALUES (1, 'hold', $1, 'test')", MONDAY
    )
    await notifier.start()
    late = await handed_over(notifier, await notifier.patient(), not_after=notifier.now + timedelta(minutes=5))
    kept = await handed_over(notifier, await notifier.patient())
    await notifier.settled(late, "reminder", "queued")
    assert (await notifier.look("/status")).json()["sending_mode"] == "hold"

    notifier.step(timedelta(minutes=6))

    assert (await notifier.settled(late, "reminder", "skipped"))["reason"] == Reason.HELD
    assert (await notifier.settled(kept, "reminder", "queued"))["attempts"] == 0
    assert notifier.carriers.asked == []


async def test_b10_two_instances_of_a_lane_share_one_rate(notifier: RunningNotifier) -> None:
    """Ten at once, then ten a second: the thirtieth cannot be there before two seconds have passed."""
    visits = [await handed_over(notifier, await notifier.patient()) for _ in range(30)]
    began = time.monotonic()
    await notifier.start(lanes=SMS_ONLY, sms_per_second=10)
    await notifier.start(fanout=False, lanes=SMS_ONLY, sms_per_second=10)

    async def all_taken() -> bool:
        return len(notifier.carriers.taken) == len(visits)

    await until(all_taken)
    assert time.monotonic() - began >= 2.0
    assert len(notifier.carriers.asked) == len(visits)


async def test_a_carrier_that_asks_for_patience_is_left_alone_by_every_instance(notifier: RunningNotifier) -> None:
    impatient, other = await notifier.patient(email=None), await notifier.patient(email=None)
    notifier.carriers.script(await notifier.address(impatient, "mobile"), 429)
    notifier.carriers.retry_after_s = 3
    await notifier.start(lanes=SMS_ONLY)
    await notifier.start(fanout=False, lanes=SMS_ONLY)
    first = await handed_over(notifier, impatient)
    await notifier.tried(first, "reminder", 1)
    paused = await notifier.pool.fetchval(
        "SELECT paused_until - clock_timestamp() > interval '0' FROM account_rate WHERE channel = 'sms'"
    )
    second = await handed_over(notifier, other)
    notifier.step(timedelta(minutes=1))

    for visit in (first, second):
        await notifier.settled(visit, "reminder", "accepted")
    assert paused
    assert await notifier.pool.fetchval(
        """SELECT min(gated_at) FROM attempt WHERE outcome = 'accepted'"""
    ) >= await notifier.pool.fetchval("SELECT paused_until FROM account_rate WHERE channel = 'sms'")


async def test_b10_a_lane_whose_carrier_is_down_rests_and_comes_back(notifier: RunningNotifier) -> None:
    patients = [await notifier.patient(email=None) for _ in range(3)]
    for patient in patients:
        notifier.carriers.script(await notifier.address(patient, "mobile"), 503)
    await notifier.start(breaker_failures=3, breaker_open_s=5)
    visits = [await handed_over(notifier, patient) for patient in patients]

    async def breakers(wanted: str) -> bool:
        return wanted in (await notifier.look("/status")).json()["breakers"]

    async def rests() -> bool:
        return await breakers("sms open")

    async def works() -> bool:
        return await breakers("sms closed")

    await until(rests)
    assert await breakers("email closed")
    shown = 'attend_lane_breaker{account="AC00000000000000000000000000000000",lane="sms",standing="open"} 1.0'
    assert shown in (await notifier.look("/metrics")).text
    by_mail = await handed_over(notifier, await notifier.patient(mobile=None))
    await notifier.settled(by_mail, "reminder", "accepted")

    notifier.step(timedelta(minutes=1))
    await until(works)
    for visit in visits:
        assert (await notifier.settled(visit, "reminder", "accepted"))["lane"] == "sms"


async def test_d15_a_slow_lane_sends_by_deadline_and_records_what_it_could_not_send_in_time(
    notifier: RunningNotifier,
) -> None:
    """One in two seconds: what is late by then is settled at once, and nothing leaves after its deadline."""
    reminders: list[Appointment] = []
    for number in reversed(range(12)):
        not_after = notifier.now + timedelta(minutes=30 + number)
        reminders.insert(0, await handed_over(notifier, await notifier.patient(email=None), not_after=not_after))
    await notifier.start(lanes=())
    for visit in reminders:
        await notifier.settled(visit, "reminder", "queued")
    await notifier.start(fanout=False, lanes=SMS_ONLY, sms_per_second=0.5)
    await notifier.settled(reminders[2], "reminder", "accepted")

    notifier.step(timedelta(hours=1))
    for visit in reminders:
        await notifier.settled(visit, "reminder", "accepted", "skipped")

    rows = [await notifier.row(visit, "reminder") for visit in reminders]
    became = [(row["state"], row["reason"]) for row in rows if row is not None]
    accepted = became.count(("accepted", None))
    assert became == [("accepted", None)] * accepted + [("skipped", Reason.TOO_LATE)] * (12 - accepted)
    assert 3 <= accepted < 12
    assert len(notifier.carriers.taken) == accepted
