"""D44: deceased, do-not-contact, no consent: the visits ahead say so at once, and that it is over when it is."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.door.domain import Client
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.patients.handle import Rules
from booking.patients.store import MOST_COUNTED
from schemas.appointments import Appointment
from schemas.planning import plan
from schemas.wire import decode
from tests.integration.booking.door.test_who_may_write import message
from tests.integration.booking.policies.policy import PATH, WEEK, put, reissuer, tried, worked_off
from tests.integration.booking.policies.test_policy_change import aged
from tests.support.booking.builders import NOW
from tests.support.booking.door import Door, booking
from tests.support.examples import ROOT
from tests.support.installation import Installation
from tests.support.waiting import until

LOCAL = Client("local", ("local",), may_register=True)
FLAGS: dict[str, tuple[dict[str, bool], str]] = {
    "deceased": ({"deceased": True}, "DECEASED"),
    "do-not-contact": ({"do_not_contact": True}, "DO_NOT_CONTACT"),
    "no consent": ({"consent": False}, "NO_CONSENT"),
}
BARRED = {"do_not_contact": True}


def visit(name: str, patient: str = "ann", days: float = 3, **given: Any) -> dict[str, Any]:
    """Return the event that books a visit of a patient so many days from now."""
    start = datetime.now(UTC) + timedelta(days=days)
    return booking(f"e-{name}", name, patient={"id": patient}, start=start.isoformat(), end=None, **given)


async def booked(door: Door, *events: dict[str, Any]) -> list[str]:
    """Book visits; return their ids."""
    return [result["appointment_id"] for result in (await door.post(list(events)))["results"]]


async def versions(door: Door, *appointment_ids: str) -> list[tuple[int, str | None]]:
    """Return of each visit its version and what that says of its patient."""
    rows = [
        (await door.ask("GET", f"/v1/appointments/{appointment_id}")).json()["current"]
        for appointment_id in appointment_ids
    ]
    return [(row["version"], row.get("barred")) for row in rows]


async def snapshots(door: Door) -> list[tuple[Appointment, str | None]]:
    """Return the last version of every visit, with what is so of its patient."""
    rows = await door.pool.fetch(
        "SELECT h.snapshot, CASE WHEN p.deceased THEN 'DECEASED' WHEN p.do_not_contact THEN 'DO_NOT_CONTACT'"
        " WHEN NOT p.consent THEN 'NO_CONSENT' END AS bar FROM appointment a"
        " JOIN appointment_history h USING (appointment_id, version)"
        " LEFT JOIN LATERAL kept_patients(ARRAY[a.patient_id]) k ON true"
        " JOIN patient p ON p.patient_id = coalesce(k.kept, a.patient_id)"
    )
    return [(decode(Appointment, row["snapshot"].encode()), row["bar"]) for row in rows]


@pytest.mark.parametrize(("flags", "bar"), FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("batch", [False, True])
async def test_d44_visits_ahead_say_why_no_message_may_go_to_the_patient(
    door: Door, flags: dict[str, bool], bar: str, batch: bool
) -> None:
    await door.put("/v1/patients/ann", {"given_name": "Ann"})
    near, far, past, off, bobs = await booked(
        door, visit("near"), visit("far", days=80), visit("past", days=-1), visit("off"), visit("bobs", "bob")
    )
    await door.post({"event_id": "off", "appointment": {"id": "off", "status": "cancelled"}})

    if batch:
        await door.put("/v1/patients", {"patients": [{"id": "bob"}, {"id": "ann", **flags}]})
    else:
        await door.put("/v1/patients/ann", flags)
    await worked_off(door)

    assert await versions(door, near, far, past, off, bobs) == [(2, bar), (2, bar), (1, None), (2, None), (1, None)]
    told = (await door.ask("GET", f"/v1/appointments/{near}")).json()["current"]
    assert (told["schedule_gen"], told["status"], told["caused_by"]) == (1, "booked", "local/registration")


@pytest.mark.parametrize("flags", [flags for flags, _ in FLAGS.values()], ids=FLAGS)
@pytest.mark.parametrize("batch", [False, True])
async def test_r14_the_answer_says_how_many_reminders_a_flag_takes_back(
    door: Door, flags: dict[str, bool], batch: bool
) -> None:
    """Those whose moment lies ahead, of all visits: as the answer to a cancellation says it."""
    await door.put("/v1/patients/ann", {"given_name": "Ann"})
    ids = await booked(
        door, visit("near", days=0.5), visit("far", days=80), visit("past", days=-1), visit("off"), visit("b", "bob")
    )
    await door.post({"event_id": "off", "appointment": {"id": "off", "status": "cancelled"}})
    current = [(await door.ask("GET", f"/v1/appointments/{one}")).json()["current"] for one in ids[:2]]
    planned = [reminder for one in current for reminder in plan(Appointment.model_validate(one))]
    expected = sum(reminder.reason is None and reminder.due > datetime.now(UTC) for reminder in planned)
    assert expected >= 2

    async def told(**given: bool) -> dict[str, Any]:
        if not batch:
            return await door.put("/v1/patients/ann", given)
        results = (await door.put("/v1/patients", {"patients": [{"id": "ann", **given}, {"id": "cid", **given}]}))[
            "results"
        ]
        assert results[1]["reminders_cancelled"] == 0
        return dict(results[0])

    assert (await door.put("/v1/patients/ann", {"given_name": "Ann-Marie"}))["reminders_cancelled"] == 0
    assert (await told(**flags))["reminders_cancelled"] == expected
    assert (await told(**flags))["reminders_cancelled"] == 0, "nothing more is taken back by the same again"
    assert (await door.put("/v1/patients/ann", {**flags, "given_name": "Anna"}))["reminders_cancelled"] == 0
    assert (await told(consent=True, deceased=False, do_not_contact=False))["reminders_cancelled"] == 0


async def test_r14_no_reminders_are_said_to_be_taken_back_where_none_is_and_where_they_are_not_counted(
    door: Door,
) -> None:
    assert (await door.put("/v1/patients/new", {"deceased": True}))["reminders_cancelled"] == 0
    await booked(door, *(visit(f"v{n}", days=2 + n / 100) for n in range(MOST_COUNTED)))
    await booked(door, visit("one more"))
    first, again = [await door.put("/v1/patients/ann", {"deceased": True}) for _ in range(2)]
    assert (first["reminders_cancelled"], again["reminders_cancelled"]) == (None, 0)
    batch = await door.put("/v1/patients", {"patients": [{"id": "ann", "deceased": True}, {"id": "cid"}]})
    assert [one["reminders_cancelled"] for one in batch["results"]] == [0, 0], "whatever is told, the answer has it"


async def test_what_an_answer_says_of_reminders_is_in_the_description_with_its_bound(door: Door) -> None:
    models = (await door.look("/openapi.json")).json()["components"]["schemas"]
    one, listed, refused = (models[name] for name in ("PatientAnswer", "ListedAnswer", "ListedRefusal"))
    for answer in (one, listed):
        assert f"{MOST_COUNTED:,} visits ahead together" in answer["properties"]["reminders_cancelled"]["description"]
    told = await door.put("/v1/patients/ann", {})
    assert set(one["required"]) == set(told) == set(one["properties"])
    results = (await door.put("/v1/patients", [{"id": "ann"}, {"id": "bob", "mobile": "none", "givenname": "Bob"}]))[
        "results"
    ]
    assert set(listed["required"]) == set(results[0]) == set(listed["properties"])
    assert set(results[1]) == set(refused["properties"])


async def test_r14_visits_of_a_file_that_was_merged_away_are_counted_too(door: Door) -> None:
    await door.put("/v1/patients/ann", {})
    await door.put("/v1/patients/anne", {})
    await booked(door, visit("one", days=9), visit("two", "anne", days=9))
    merged = await door.ask("POST", "/v1/patients/anne/merge", {"into": {"id": "ann"}})
    assert merged.status_code == 200, merged.text
    (after,) = await booked(door, visit("three", days=9))
    current = (await door.ask("GET", f"/v1/appointments/{after}")).json()["current"]
    each = sum(reminder.reason is None for reminder in plan(Appointment.model_validate(current)))

    assert (await door.put("/v1/patients/ann", {"deceased": True}))["reminders_cancelled"] == 3 * each


@pytest.mark.parametrize(("flags", "bar"), FLAGS.values(), ids=FLAGS)
async def test_d44_a_visit_booked_for_such_a_patient_plans_nothing_from_the_start(
    door: Door, flags: dict[str, bool], bar: str
) -> None:
    await door.put("/v1/patients/ann", flags)
    (one,) = await booked(door, visit("v1"))

    assert await versions(door, one) == [(1, bar)]
    ((snapshot, _),) = await snapshots(door)
    assert {reminder.reason for reminder in plan(snapshot)} == {bar}


async def test_d44_a_patient_who_is_registered_after_his_booking(door: Door) -> None:
    (one,) = await booked(door, visit("v1"))
    await door.put("/v1/patients/ann", {"consent": False})
    await worked_off(door)
    assert await versions(door, one) == [(2, "NO_CONSENT")]


async def test_d44_a_message_that_says_deceased_bars_its_own_visit_and_the_others(door: Door) -> None:
    eye = {"name": "Eye", "zone": "Europe/London", "country": "GB"}
    await door.put("/v1/clinics/EYE", {**eye, "identifiers": [{"system": "Location", "value": "eye"}]})
    before = await door.ask("POST", "/fhir/R4/$process-message", message(key="m1"))
    after = await door.ask("POST", "/fhir/R4/$process-message", message(key="m2", deceased=True))
    await worked_off(door)
    ids = [answer.headers["attend-appointment"].split("/")[-1] for answer in (before, after)]
    assert await versions(door, *ids) == [(2, "DECEASED"), (1, "DECEASED")]


@pytest.mark.parametrize("worse", ["ann", "double"])
async def test_d44_a_merge_bars_the_visits_of_both_files(door: Door, worse: str) -> None:
    for name in ("ann", "double"):
        await door.put(f"/v1/patients/{name}", {})
    ids = await booked(door, visit("anns"), visit("doubles", "double"))
    await door.put(f"/v1/patients/{worse}", BARRED)
    await worked_off(door)

    await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})
    await worked_off(door)

    assert [bar for _, bar in await versions(door, *ids)] == ["DO_NOT_CONTACT", "DO_NOT_CONTACT"]


async def test_d44_a_flag_taken_back_lets_the_visits_be_reminded_again_on_the_same_schedule(door: Door) -> None:
    (one,) = await booked(door, visit("v1"))
    for flags in (BARRED, {"deceased": True}, {"do_not_contact": False}, {"deceased": False}):
        await door.put("/v1/patients/ann", flags)
        await worked_off(door)
    rows = await door.pool.fetch("SELECT barred, snapshot FROM appointment_history ORDER BY version")
    assert [row["barred"] for row in rows] == [None, "DO_NOT_CONTACT", "DECEASED", None]
    assert {decode(Appointment, row["snapshot"].encode()).schedule_gen for row in rows} == {1}
    assert await versions(door, one) == [(4, None)]


@pytest.mark.parametrize("again", [{}, BARRED, {"given_name": "Anna"}, {"consent": True}])
async def test_d44_what_changes_no_reason_gives_no_version(door: Door, again: dict[str, Any]) -> None:
    await door.put("/v1/patients/ann", BARRED)
    (one,) = await booked(door, visit("v1"))
    await door.put("/v1/patients/ann", again)
    await worked_off(door)
    assert await versions(door, one) == [(1, "DO_NOT_CONTACT")]


async def test_d44_r14_a_cancellation_takes_back_no_reminder_of_a_patient_who_has_none(door: Door) -> None:
    await booked(door, visit("v1"))
    await door.put("/v1/patients/ann", BARRED)
    await worked_off(door)
    answer = await door.post({"event_id": "off", "appointment": {"id": "v1", "status": "cancelled"}})
    assert answer["reminders_cancelled"] == 0


async def test_d44_a_changed_policy_reaches_such_a_visit_when_it_may_be_reminded_again(door: Door) -> None:
    await door.put("/v1/patients/ann", BARRED)
    (one,) = await booked(door, visit("v1", days=30))
    assert (await tried(door, WEEK))["ahead"]["appointments"] == 0
    await put(door, WEEK)
    await worked_off(door)
    assert await versions(door, one) == [(1, "DO_NOT_CONTACT")]

    await door.put("/v1/patients/ann", {"do_not_contact": False})
    await worked_off(door)

    told = (await door.ask("GET", f"/v1/appointments/{one}")).json()["current"]
    assert ([rule["slug"] for rule in told["policy"]["rules"]], told.get("barred")) == (["7d", "24h", "2h"], None)
    assert (await door.ask("GET", f"{PATH}/changes/1")).json()["reissue"]["appointments"] == 0


async def test_d44_b4_a_dead_patients_past_months_count_no_reminder(door: Door) -> None:
    await door.put("/v1/patients/ann", {"deceased": True})
    await booked(door, visit("anns", days=30), visit("bobs", "bob", days=30))
    await aged(door, timedelta(days=45))
    months = (await tried(door, {**WEEK, "past_months": 3}))["past"]
    totals = [sum(month[name] for month in months) for name in ("visits", "as_it_was", "with_these_rules")]
    assert totals == [2, 2, 3]  # bob's alone


async def test_d44_very_many_visits_are_worked_off_in_batches_and_each_once(door: Door) -> None:
    ids = await booked(door, *(visit(f"v{n}", ("ann", "bob")[n % 2], days=2 + n) for n in range(31)))
    await door.put("/v1/patients", {"patients": [{"id": "ann", **BARRED}, {"id": "bob", "deceased": True}]})
    first = reissuer(door, batch=7)
    assert await first.step() == 7
    await asyncio.gather(worked_off(door, batch=7), worked_off(door, batch=4))
    assert {version for version, _ in await versions(door, *ids)} == {2}
    assert all(snapshot.barred == bar for snapshot, bar in await snapshots(door))
    assert await door.pool.fetchval("SELECT count(*) FROM patient_reissue") == 0


async def test_d44_a_process_killed_half_way_leaves_a_job_that_the_next_one_ends(
    door: Door, base: Installation, tmp_path: Path
) -> None:
    ids = await booked(door, *(visit(f"v{n}", days=2 + n) for n in range(40)))
    await door.put("/v1/patients/ann", BARRED)
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.booking.policies.policy",
        base.service_url("booking"),
        tmp_path / "no-step",
        cwd=ROOT,
    )

    async def half_way() -> bool:
        told = await door.pool.fetchval("SELECT count(*) FROM appointment_history WHERE barred IS NOT NULL")
        return bool(told >= 3)

    await until(half_way)
    worker.kill()
    await worker.wait()
    assert await door.pool.fetchval("SELECT count(*) FROM appointment_history WHERE barred IS NOT NULL") < 40
    await worked_off(door)
    assert await versions(door, *ids) == [(2, "DO_NOT_CONTACT")] * 40


async def test_d44_it_runs_by_itself_soon_after_the_flag_changed(door: Door) -> None:
    (one,) = await booked(door, visit("v1"))
    stop, job = asyncio.Event(), reissuer(door)
    running = asyncio.create_task(job.run(stop))
    await door.put("/v1/patients/ann", BARRED)
    await until(job.idle)
    assert await versions(door, one) == [(2, "DO_NOT_CONTACT")]
    stop.set()
    await running


@pytest.mark.parametrize("event", ["book", "move"])
async def test_d44_whoever_read_the_flags_of_before_leaves_no_ghost(door: Door, event: str) -> None:
    """A booking or a move that began before the flag, and commits after the visits were looked at."""
    await door.put("/v1/patients/ann", {})
    (seen,) = await booked(door, visit("seen"))
    if event == "move":
        await booked(door, visit("v1"))
    order = PlainJson().read({**visit("v1", days=5), "event_id": "late"}, Hints(LOCAL, NOW))[0]
    assert isinstance(order, BookAppointment)
    job = reissuer(door)
    async with door.pool.acquire() as connection, connection.transaction():
        (answer,) = await accept(PostgresStore(connection), [order], {"local": LOCAL}, datetime.now(UTC), Rules())
        assert answer.recorded is not None
        await door.put("/v1/patients/ann", BARRED)
        if event == "book":  # a move holds its visit, and who looks after it waits
            assert await job.step() == 1  # what is committed is told at once
            assert await versions(door, seen) == [(2, "DO_NOT_CONTACT")]
            assert await job.step() is None
            assert not await job.idle()
    await worked_off(door)
    assert [snapshot.barred for snapshot, _ in await snapshots(door)] == ["DO_NOT_CONTACT"] * 2


async def test_d44_visits_are_locked_in_the_order_of_their_ids_as_everywhere(door: Door) -> None:
    """Whoever holds the first of two and then wants the second does not meet a job that holds the second."""
    first, second = sorted(await booked(door, visit("v1", days=9), visit("v2", days=2)))
    await door.pool.execute(
        "UPDATE appointment SET confirmed = true WHERE appointment_id = $1", first
    )  # last in the heap
    await door.put("/v1/patients/ann", BARRED)
    lock = "SELECT FROM appointment WHERE appointment_id = $1 FOR UPDATE"

    async def waits() -> bool:
        return bool(await door.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    async with door.pool.acquire() as connection, connection.transaction():
        await connection.execute(lock, first)
        step = asyncio.create_task(reissuer(door).step())
        await until(waits)
        await connection.execute(lock, second)
    assert await step == 2


async def test_d44_a_booking_under_the_name_of_a_patient_who_is_merged_away_meanwhile(door: Door) -> None:
    await door.put("/v1/patients/ann", {"deceased": True})
    await door.put("/v1/patients/double", {})
    await worked_off(door)
    order = PlainJson().read(visit("v1", "double"), Hints(LOCAL, NOW))[0]
    assert isinstance(order, BookAppointment)
    async with door.pool.acquire() as connection, connection.transaction():
        await accept(PostgresStore(connection), [order], {"local": LOCAL}, datetime.now(UTC), Rules())
        answer = await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})
        assert answer.json()["appointments"] == 0
    await worked_off(door)
    ((snapshot, bar),) = await snapshots(door)
    assert (snapshot.barred, bar) == ("DECEASED", "DECEASED")


@pytest.mark.parametrize("seed", range(3))
async def test_d44_flags_bookings_moves_and_merges_at_once_end_with_what_is_so(door: Door, seed: int) -> None:
    """Nobody waits for another in a ring, and no version ahead contradicts its patient when all is quiet."""
    names = [f"p{n}" for n in range(4)]
    await door.put("/v1/patients", {"patients": [{"id": name} for name in names]})
    stop, job = asyncio.Event(), reissuer(door, batch=3)
    running = asyncio.create_task(job.run(stop))

    async def flags(n: int) -> int:
        flag = list(FLAGS.values())[(n + seed) % 3][0]
        body = flag if n % 2 else {name: not value for name, value in flag.items()}
        return (await door.ask("PUT", f"/v1/patients/{names[n % 4]}", body)).status_code

    async def visits(n: int) -> int:
        events = [visit(f"v{(n + k) % 6}", names[(n + k) % 4], days=2 + (n + k) % 9) for k in range(3)]
        events = [{**event, "event_id": f"{n}-{k}"} for k, event in enumerate(events)]
        return (await door.ask("POST", "/v1/events", events)).status_code

    async def merge(n: int) -> int:
        into = {"into": {"id": names[0]}}
        return (await door.ask("POST", f"/v1/patients/{names[3]}/merge", into)).status_code if n == 25 else 200

    answers = await asyncio.gather(*(ask(n) for n in range(40) for ask in (flags, visits, merge)))
    assert set(answers) == {200}
    await until(job.idle)
    stop.set()
    await running
    found = await snapshots(door)
    assert len(found) == 6
    assert all(snapshot.barred == bar for snapshot, bar in found)
