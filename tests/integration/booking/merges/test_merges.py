"""D44: two files of one person become linked, and the visits ahead go with the one that is kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import orjson

from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.door.domain import Client
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.no_shows.domain import NoShowRule
from booking.no_shows.handle import mark_no_shows
from booking.no_shows.store import PostgresUnattended
from booking.patients.handle import Rules
from tests.support.booking.builders import NOW
from tests.support.booking.door import OPERATOR_KEY, Door, booking
from tests.support.installation import Installation

LOCAL = Client("local", ("local",))

ANN = {"given_name": "Ann", "family_name": "Smith", "mobile": "+447736312544", "email": "ann@example.org"}


async def merge(door: Door, one: str, into: str, **more: Any) -> httpx2.Response:
    return await door.ask("POST", f"/v1/patients/{one}/merge", {"into": {"id": into}, **more})


async def shown(door: Door, appointment_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await door.ask("GET", f"/v1/appointments/{appointment_id}")).json()["current"]
    return found


def visit(number: int, patient: str, start: datetime) -> dict[str, Any]:
    """Return the event that books a visit of this patient."""
    event = booking(f"e{number}", id=f"v{number}")
    event["appointment"] |= {
        "patient": {"id": patient}, "start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat(),
    }  # fmt: skip
    return event


async def test_d44_the_visits_ahead_go_with_the_patient_who_is_kept_and_both_files_stay_linked(door: Door) -> None:
    ann, double = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    now = datetime.now(UTC)
    ahead = await door.post(visit(1, "double", now + timedelta(days=3)))
    past = await door.post(visit(2, "double", now - timedelta(days=3)))

    answer = await merge(door, "double", "ann", reason="registered twice")

    assert answer.json() == {
        "patient_id": double["patient_id"], "main_file": double["main_file"], "merged_into": ann["patient_id"],
        "main_file_kept": ann["main_file"], "appointments": 1, "result": "merged",
    }  # fmt: skip
    now_his, stays = await shown(door, ahead["appointment_id"]), await shown(door, past["appointment_id"])
    assert (now_his["patient_id"], now_his["version"], now_his["schedule_gen"]) == (ann["patient_id"], 2, 1)
    assert (now_his["caused_by"], now_his["reason"]) == ("local/merge/double", "the patient's files were merged")
    assert (stays["patient_id"], stays["version"]) == (double["patient_id"], 1)
    values = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'patients' ORDER BY id")
    last = orjson.loads(values[-1]["value"])
    assert (last["patient_id"], last["merged_into"], last["version"]) == (double["patient_id"], ann["patient_id"], 2)


async def test_d44_every_name_of_the_one_means_the_other_from_now_on(door: Door) -> None:
    ann, _ = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    await merge(door, "double", "ann")

    booked = await door.post(visit(1, "double", datetime.now(UTC) + timedelta(days=3)))
    changed = await door.put("/v1/patients/double", {**ANN, "given_name": "Anna"})

    assert (await shown(door, booked["appointment_id"]))["patient_id"] == ann["patient_id"]
    assert changed == {
        "patient_id": ann["patient_id"],
        "main_file": ann["main_file"],
        "version": 2,
        "reminders_cancelled": 0,
        "warnings": [],
    }


async def test_d44_the_same_merge_again_is_a_repeat_however_often_it_comes_at_once(door: Door) -> None:
    await door.put("/v1/patients/ann", ANN)
    await door.put("/v1/patients/double", ANN)
    await door.post(visit(1, "double", datetime.now(UTC) + timedelta(days=3)))

    answers = await asyncio.gather(*(merge(door, "double", "ann") for _ in range(6)))

    assert {answer.status_code for answer in answers} <= {200, 503}
    told = [answer.json() for answer in answers if answer.status_code == 200]
    assert [one["appointments"] for one in told if one["result"] == "merged"] == [1]
    assert await door.pool.fetchval("SELECT count(*) FROM patient_merge") == 1
    assert (await merge(door, "double", "ann")).json()["result"] == "repeat"


async def test_d44_a_patient_who_was_only_booked_is_merged_into_one_who_is_registered(door: Door) -> None:
    ann = await door.put("/v1/patients/ann", ANN)
    booked = await door.post(visit(1, "stranger", datetime.now(UTC) + timedelta(days=3)))

    backwards = await merge(door, "ann", "stranger")
    answer = await merge(door, "stranger", "ann")

    assert (backwards.status_code, backwards.json()["code"]) == (409, "NOT_REGISTERED")
    assert (answer.json()["main_file"], answer.json()["appointments"]) == (None, 1)
    assert (await shown(door, booked["appointment_id"]))["patient_id"] == ann["patient_id"]


async def test_d44_a_merge_that_makes_no_sense_changes_nothing(door: Door) -> None:
    for name in ("ann", "double", "third"):
        await door.put(f"/v1/patients/{name}", ANN)
    before = await door.counts()

    unknown, same = await merge(door, "nobody", "ann"), await merge(door, "ann", "ann")
    keyless = await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}}, key=None)
    operator = await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}}, key=OPERATOR_KEY)
    shapeless = await door.ask("POST", "/v1/patients/double/merge", {"into": "ann"})

    assert (unknown.status_code, unknown.json()["code"]) == (422, "UNKNOWN_PATIENT")
    assert (same.status_code, same.json()["code"]) == (409, "SAME_PATIENT")
    assert [answer.status_code for answer in (keyless, operator, shapeless)] == [401, 401, 422]
    assert await door.counts() == before


async def test_d44_merges_follow_one_another(door: Door) -> None:
    for name in ("ann", "double", "third"):
        await door.put(f"/v1/patients/{name}", ANN)
    booked = await door.post(visit(1, "third", datetime.now(UTC) + timedelta(days=3)))

    await merge(door, "third", "double")
    chain = (await merge(door, "double", "ann")).json()

    assert chain["appointments"] == 1
    assert (await shown(door, booked["appointment_id"]))["patient_id"] == chain["merged_into"]
    assert (await merge(door, "third", "ann")).json()["code"] == "SAME_PATIENT"


async def gate(door: Door, base: Installation, *appointment_ids: str) -> dict[str, dict[str, Any]]:
    """Return what the notifier is told of these visits."""
    notifier = await asyncpg.connect(base.service_url("notifier"))
    try:
        rows = await notifier.fetch("SELECT * FROM booking.send_gate($1::uuid[])", list(appointment_ids))
        return {str(row["appointment_id"]): dict(row) for row in rows}
    finally:
        await notifier.close()


async def test_d44_a_visit_without_a_time_goes_along(door: Door) -> None:
    ann, _ = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    listed = {"id": "w1", "status": "waitlist", "patient": {"id": "double"}, "clinic": "EYE"}
    waiting = await door.post({"event_id": "e1", "appointment": listed})
    assert (await merge(door, "double", "ann")).json()["appointments"] == 1
    assert (await shown(door, waiting["appointment_id"]))["patient_id"] == ann["patient_id"]


async def test_d44_what_a_merge_left_behind_is_repaired_by_the_next_word_about_it(door: Door) -> None:
    ann, _ = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    await door.put("/v1/patients/third", ANN)
    now = datetime.now(UTC)
    called_off = await door.post(visit(1, "third", now + timedelta(days=3)))
    past = await door.post(visit(2, "third", now - timedelta(hours=3)))
    await door.post({"event_id": "off", "appointment": {"id": "v1", "status": "cancelled"}})
    await merge(door, "third", "double")
    await merge(door, "double", "ann")

    await door.post({"event_id": "on", "appointment": {"id": "v1", "status": "booked"}})
    await door.post({"event_id": "came", "appointment": {"id": "v2", "status": "arrived"}})

    for one in (called_off, past):
        assert (await shown(door, one["appointment_id"]))["patient_id"] == ann["patient_id"]


async def test_d44_the_send_gate_never_speaks_of_who_was_merged_away(door: Door, base: Installation) -> None:
    ann = await door.put("/v1/patients/ann", {**ANN, "mobile": "+447700900001"})
    for name in ("double", "third"):
        await door.put(f"/v1/patients/{name}", ANN)
    past = await door.post(visit(1, "third", datetime.now(UTC) - timedelta(hours=1)))
    await merge(door, "third", "double")
    await merge(door, "double", "ann")
    told = (await gate(door, base, past["appointment_id"]))[past["appointment_id"]]
    assert (str(told["patient_id"]), told["mobile"]) == (ann["patient_id"], "+447700900001")


async def test_d44_a_booking_under_way_at_the_merge_is_the_kept_ones_at_the_gate_and_in_its_next_version(
    door: Door, base: Installation
) -> None:
    ann, _ = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    start = datetime.now(UTC) + timedelta(days=3)
    order = PlainJson().read(visit(1, "double", start), Hints(LOCAL, NOW))[0]
    assert isinstance(order, BookAppointment)
    async with door.pool.acquire() as connection, connection.transaction():
        (answer,) = await accept(PostgresStore(connection), [order], {"local": LOCAL}, datetime.now(UTC), Rules())
        assert (await merge(door, "double", "ann")).json()["appointments"] == 0
    assert answer.recorded is not None
    booked = str(answer.recorded.appointment_id)

    assert str((await gate(door, base, booked))[booked]["patient_id"]) == ann["patient_id"]
    await door.post({"event_id": "e2", "appointment": {"id": "v1", "status": "booked", "service_type": "Scan"}})
    assert (await shown(door, booked))["patient_id"] == ann["patient_id"]


async def test_d44_a_no_show_of_a_visit_left_behind_is_the_kept_ones(door: Door) -> None:
    ann, _ = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    began = datetime.now(UTC) - timedelta(hours=1)
    past = await door.post(visit(1, "double", began))
    await door.pool.execute("UPDATE appointment SET schedule_set_at = $1", began - timedelta(days=1))
    await merge(door, "double", "ann")
    rule, due = NoShowRule(timedelta(hours=2), timedelta(minutes=30), timedelta(minutes=30)), datetime.now(UTC)
    async with door.pool.acquire() as connection, connection.transaction():
        unattended, store = PostgresUnattended(connection), PostgresStore(connection)
        assert await mark_no_shows(unattended, store, "EYE", ("slot", due + timedelta(hours=1)), rule, 10, due) == 1
    now_held = await shown(door, past["appointment_id"])
    assert (now_held["status"], now_held["patient_id"]) == ("noshow", ann["patient_id"])
