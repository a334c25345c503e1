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
from tests.support.notifier.running import CLINIC, World
from tests.support.waiting import until

pytestmark = pytest.mark.integration

SMS_ONLY = (Channel.SMS,)


async def chosen(world: World, clinic: str = CLINIC, **choices: Any) -> None:
    """Let a clinic choose something about sending."""
    columns, places = "".join(f", {name}" for name in choices), "".join(f", ${n}" for n in range(3, len(choices) + 3))
    changed = ", ".join(f"{name} = excluded.{name}" for name in choices)
    await world.pool.execute(
        f"INSERT INTO clinic_sending (clinic_id, version, changed_at, changed_by{columns})"  # noqa: S608  # our own names
        f" VALUES ($1, 1, $2, 'test'{places}) ON CONFLICT (clinic_id) DO UPDATE SET {changed}",
        clinic,
        MONDAY,
        *choices.values(),
    )


async def handed_over(world: World, patient: UUID, **fields: Any) -> Appointment:
    """Commit a visit that nobody was told of, and hand its reminder over."""
    visit = world.visit(patient, **{name: fields.pop(name) for name in ("clinic",) if name in fields})
    await world.hold(visit)
    await world.due(visit, **fields)
    return visit


async def steps_of(world: World, visit: Appointment) -> list[tuple[str, str]]:
    row = await world.row(visit, "reminder")
    assert row is not None
    return [(step["channel"], step["reason"]) for step in row["steps"]]


async def prefers_whatsapp(world: World, patient: UUID) -> None:
    said = {"whatsapp": True, "sms": True, "email": True}
    assert (await world.ask("PUT", f"/v1/patients/{patient}/preferences", json=said)).is_success


async def test_d32_what_whatsapp_refuses_for_good_goes_by_sms_at_once(world: World) -> None:
    patient = await world.patient()
    mobile = await world.address(patient, "mobile")
    world.carriers.script(mobile, 400)
    await world.start()
    await prefers_whatsapp(world, patient)
    visit = await handed_over(world, patient)

    row = await world.settled(visit, "reminder", "accepted")

    assert (row["lane"], row["attempts"], row["version"]) == ("sms", 2, 1)
    assert await steps_of(world, visit) == [("whatsapp", "REFUSED")]
    assert [one.channel for one in world.carriers.to(mobile)] == ["sms"]
    attempts = await world.pool.fetch("SELECT channel, outcome FROM attempt ORDER BY ordinal")
    assert [tuple(attempt) for attempt in attempts] == [("whatsapp", "rejected"), ("sms", "accepted")]

    async def told() -> list[Outcome]:
        return [one.outcome for one in await world.outcomes() if one.kind == "reminder"]

    async def published() -> bool:
        return await told() == [Outcome.ACCEPTED]

    await until(published)


async def test_d17_when_every_channel_has_refused_it_has_failed_with_the_last_reason(world: World) -> None:
    patient = await world.patient()
    world.carriers.script(await world.address(patient, "mobile"), 422)
    world.carriers.script(await world.address(patient, "email"), 550)
    await world.start()
    visit = await handed_over(world, patient)

    row = await world.settled(visit, "reminder", "failed")

    assert (row["reason"], row["attempts"]) == (Reason.REFUSED, 2)
    assert await steps_of(world, visit) == [("sms", "REFUSED"), ("email", "REFUSED")]
    assert world.carriers.taken == []


async def test_d33_a_channel_that_keeps_refusing_gives_way_when_its_budget_is_over(world: World) -> None:
    patient = await world.patient()
    world.carriers.script(await world.address(patient, "mobile"), 503)
    world.carriers.retry_after_s = 3600
    await world.start()
    visit = await handed_over(world, patient)

    row = await world.settled(visit, "reminder", "accepted")

    assert row["lane"] == "email"
    assert await steps_of(world, visit) == [("sms", "NOT_ACCEPTED")]


async def test_d32_after_an_unknown_outcome_the_next_channel_is_tried_only_where_a_double_is_preferred(
    world: World,
) -> None:
    await world.clinic("SOUTH")
    await chosen(world, "SOUTH", double_over_miss=True)
    visits = []
    for clinic in (CLINIC, "SOUTH"):
        patient = await world.patient()
        world.carriers.script(await world.address(patient, "mobile"), "garbage")
        visits.append(await handed_over(world, patient, clinic=clinic))
    await world.start()

    missed, doubled = visits
    assert (await world.settled(doubled, "reminder", "accepted"))["lane"] == "email"
    assert (await world.settled(missed, "reminder", "unknown"))["attempts"] == 1
    assert await steps_of(world, doubled) == [("sms", "OUTCOME_UNKNOWN")]


async def test_d36_an_address_that_wants_no_more_reminders_is_passed_over(world: World) -> None:
    patient = await world.patient()
    await world.pool.execute(
        "INSERT INTO opt_out (channel, address_key, category, since, caused_by) "
        "VALUES ('sms', $1, 'reminders', $2, 'test')",
        world.peppers.of(await world.address(patient, "mobile")).key,
        MONDAY,
    )
    await world.start()
    visit = await handed_over(world, patient)

    assert (await world.settled(visit, "reminder", "accepted"))["lane"] == "email"
    assert await steps_of(world, visit) == [("sms", "OPTED_OUT")]


async def test_d16_at_night_a_reminder_waits_for_the_morning_if_that_is_in_time(world: World) -> None:
    world.step(timedelta(hours=14))  # 23:00
    morning = MONDAY + timedelta(hours=22)
    await world.start()
    in_time = await handed_over(world, await world.patient())
    too_short = await handed_over(world, await world.patient(), not_after=morning - timedelta(seconds=1))

    assert (await world.settled(too_short, "reminder", "skipped"))["reason"] == Reason.QUIET_HOURS
    waiting = await world.settled(in_time, "reminder", "queued")
    assert (waiting["reason"], waiting["next_attempt_at"]) == (Reason.OUTSIDE_WINDOW, morning)
    world.step(timedelta(hours=8))
    row = await world.settled(in_time, "reminder", "accepted")
    assert row["reason"] is None


async def test_a_mode_switched_before_the_call_counts_for_it(world: World) -> None:
    """The message waits for its retry while its clinic is put on hold, and the other clinic's leaves."""
    await world.clinic("SOUTH")
    patients = [await world.patient(email=None) for _ in range(2)]
    for patient in patients:
        world.carriers.script(await world.address(patient, "mobile"), 503)
    await world.start()
    north = await handed_over(world, patients[0])
    south = await handed_over(world, patients[1], clinic="SOUTH")
    for visit in (north, south):
        await world.tried(visit, "reminder", 1)

    await chosen(world, mode="hold")
    world.step(timedelta(minutes=1))
    await world.settled(south, "reminder", "accepted")
    held = await world.row(north, "reminder")
    assert held is not None
    assert (held["state"], held["attempts"]) == ("queued", 1)

    await chosen(world, mode="live")
    assert (await world.settled(north, "reminder", "accepted"))["attempts"] == 2


async def test_an_installation_switched_to_hold_keeps_everything_until_it_is_late(world: World) -> None:
    await world.pool.execute(
        "INSERT INTO sending_mode (version, mode, changed_at, changed_by) VALUES (1, 'hold', $1, 'test')", MONDAY
    )
    await world.start()
    late = await handed_over(world, await world.patient(), not_after=world.now + timedelta(minutes=5))
    kept = await handed_over(world, await world.patient())
    await world.settled(late, "reminder", "queued")
    assert (await world.look("/status")).json()["sending_mode"] == "hold"

    world.step(timedelta(minutes=6))

    assert (await world.settled(late, "reminder", "skipped"))["reason"] == Reason.HELD
    assert (await world.settled(kept, "reminder", "queued"))["attempts"] == 0
    assert world.carriers.asked == []


async def test_b10_two_instances_of_a_lane_share_one_rate(world: World) -> None:
    """Ten at once, then ten a second: the thirtieth cannot be there before two seconds have passed."""
    visits = [await handed_over(world, await world.patient()) for _ in range(30)]
    began = time.monotonic()
    await world.start(lanes=SMS_ONLY, sms_per_second=10)
    await world.start(fanout=False, lanes=SMS_ONLY, sms_per_second=10)

    async def all_taken() -> bool:
        return len(world.carriers.taken) == len(visits)

    await until(all_taken)
    assert time.monotonic() - began >= 2.0
    assert len(world.carriers.asked) == len(visits)


async def test_a_carrier_that_asks_for_patience_is_left_alone_by_every_instance(world: World) -> None:
    impatient, other = await world.patient(email=None), await world.patient(email=None)
    world.carriers.script(await world.address(impatient, "mobile"), 429)
    world.carriers.retry_after_s = 3
    await world.start(lanes=SMS_ONLY)
    await world.start(fanout=False, lanes=SMS_ONLY)
    first = await handed_over(world, impatient)
    await world.tried(first, "reminder", 1)
    paused = await world.pool.fetchval(
        "SELECT paused_until - clock_timestamp() > interval '0' FROM account_rate WHERE channel = 'sms'"
    )
    second = await handed_over(world, other)
    world.step(timedelta(minutes=1))

    for visit in (first, second):
        await world.settled(visit, "reminder", "accepted")
    assert paused
    assert await world.pool.fetchval(
        """SELECT min(gated_at) FROM attempt WHERE outcome = 'accepted'"""
    ) >= await world.pool.fetchval("SELECT paused_until FROM account_rate WHERE channel = 'sms'")


async def test_b10_a_lane_whose_carrier_is_down_rests_and_comes_back(world: World) -> None:
    patients = [await world.patient(email=None) for _ in range(3)]
    for patient in patients:
        world.carriers.script(await world.address(patient, "mobile"), 503)
    await world.start(breaker_failures=3, breaker_open_s=5)
    visits = [await handed_over(world, patient) for patient in patients]

    async def breakers(wanted: str) -> bool:
        return wanted in (await world.look("/status")).json()["breakers"]

    async def rests() -> bool:
        return await breakers("sms open")

    async def works() -> bool:
        return await breakers("sms closed")

    await until(rests)
    assert await breakers("email closed")
    shown = 'attend_lane_breaker{account="AC00000000000000000000000000000000",lane="sms",standing="open"} 1.0'
    assert shown in (await world.look("/metrics")).text
    by_mail = await handed_over(world, await world.patient(mobile=None))
    await world.settled(by_mail, "reminder", "accepted")

    world.step(timedelta(minutes=1))
    await until(works)
    for visit in visits:
        assert (await world.settled(visit, "reminder", "accepted"))["lane"] == "sms"


async def test_d15_a_slow_lane_sends_by_deadline_and_records_what_it_could_not_send_in_time(world: World) -> None:
    """One in two seconds: what is late by then is settled at once, and nothing leaves after its deadline."""
    reminders: list[Appointment] = []
    for number in reversed(range(12)):
        not_after = world.now + timedelta(minutes=30 + number)
        reminders.insert(0, await handed_over(world, await world.patient(email=None), not_after=not_after))
    await world.start(lanes=())
    for visit in reminders:
        await world.settled(visit, "reminder", "queued")
    await world.start(fanout=False, lanes=SMS_ONLY, sms_per_second=0.5)
    await world.settled(reminders[2], "reminder", "accepted")

    world.step(timedelta(hours=1))
    for visit in reminders:
        await world.settled(visit, "reminder", "accepted", "skipped")

    rows = [await world.row(visit, "reminder") for visit in reminders]
    became = [(row["state"], row["reason"]) for row in rows if row is not None]
    accepted = became.count(("accepted", None))
    assert became == [("accepted", None)] * accepted + [("skipped", Reason.TOO_LATE)] * (12 - accepted)
    assert 3 <= accepted < 12
    assert len(world.carriers.taken) == accepted
