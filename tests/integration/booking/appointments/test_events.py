"""`POST /v1/events` on a real database: G1, D40-D43."""

import asyncio
from typing import Any

import orjson

from booking.door import client_keys
from booking.door.domain import Client
from tests.support.booking.door import KEY, OPERATOR_KEY, PROVIDER, Door, booking
from tests.support.waiting import until


async def test_a_booking_is_kept_published_and_shown_with_its_history(door: Door) -> None:
    answer = await door.post(booking())
    assert (answer["event_id"], answer["version"], answer["result"]) == ("e1", 1, "applied")
    await door.post({"event_id": "e2", "appointment": {"id": "v1", "status": "cancelled"}, "reason": "unwell"})

    shown = (await door.ask("GET", f"/v1/appointments/{answer['appointment_id']}")).json()
    assert [v["status"] for v in shown["history"]] == ["booked", "cancelled"]
    assert shown["current"] == shown["history"][1]
    assert (shown["current"]["reason"], shown["current"]["caused_by"]) == ("unwell", "local/e2")
    assert (shown["source"], shown["source_id"], shown["current"]["provider_id"]) == ("local", "v1", PROVIDER)
    outbox = await door.pool.fetch("SELECT topic, value FROM outbox WHERE topic = 'appointments' ORDER BY id")
    assert [orjson.loads(row["value"]) for row in outbox] == shown["history"]
    by_source = await door.ask("GET", "/v1/appointments?source=local&id=v1")
    assert by_source.json() == shown


async def test_d41_the_same_event_again_gets_the_same_answer_and_has_no_second_effect(door: Door) -> None:
    first = await door.post(booking())
    before = await door.counts()
    again = await door.post(booking())
    assert again == {**first, "result": "repeat", "original_result": "applied"}
    assert await door.counts() == before


async def test_g1_the_same_event_sent_twenty_times_at_once_has_one_effect(door: Door) -> None:
    answers = await asyncio.gather(*(door.post(booking()) for _ in range(20)))
    assert sorted(answer["result"] for answer in answers) == ["applied"] + ["repeat"] * 19
    assert len({answer["appointment_id"] for answer in answers}) == 1
    assert (await door.counts())["appointment_history"] == 1


async def test_d40_twenty_events_of_one_appointment_at_once_get_twenty_versions(door: Door) -> None:
    await door.post(booking())
    moves = [booking(f"m{n}", start=f"2027-03-{n + 1:02d}T09:00:00Z", end=None) for n in range(20)]
    answers = await asyncio.gather(*(door.post(move) for move in moves))
    assert sorted(answer["version"] for answer in answers) == list(range(2, 22))
    rows = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'appointments' ORDER BY id")
    assert [orjson.loads(row["value"])["version"] for row in rows] == list(range(1, 22))


async def test_a_batch_is_one_transaction_with_an_answer_for_each(door: Door) -> None:
    events: list[dict[str, Any]] = [
        booking("e1", "v1"),
        booking("e2", "v2", clinic="NOWHERE"),
        {"event_id": "e3", "appointment": {"id": "v1", "status": "cancelled"}},
        booking("e1", "v1"),
        booking("e4", "v3", start="tomorrow"),
    ]
    results = (await door.post({"events": events}))["results"]
    assert [r.get("result", r.get("code")) for r in results] == [
        "applied",
        "UNKNOWN_CLINIC",
        "applied",
        "repeat",
        "BAD_TIME",
    ]
    assert [r["status"] for r in results] == [200, 422, 200, 200, 422]
    assert results[2]["version"] == 2
    assert await door.pool.fetchval("SELECT count(*) FROM appointment_alias") == 1


async def test_a_thousand_events_in_one_post(door: Door) -> None:
    events = [booking(f"e{n}", f"v{n}", patient={"id": f"p{n % 100}"}) for n in range(1000)]
    results = (await door.post(events))["results"]
    assert {r["result"] for r in results} == {"applied"}
    counts = await door.counts()
    assert (counts["appointment"], counts["patient"], counts["appointment_history"]) == (1000, 100, 1000)


async def test_d41_a_cancel_before_its_book_is_a_tombstone_that_publishes_nothing(door: Door) -> None:
    early = {**booking("e2", status="cancelled"), "sequence": 2}
    assert (await door.post(early))["result"] == "tombstone"
    late = await door.post({**booking("e1"), "sequence": 1})
    assert (late["result"], late["version"]) == ("stale", 0)
    counts = await door.counts()
    assert counts["appointment_history"] == 0
    assert await door.pool.fetchval("SELECT count(*) FROM outbox WHERE topic = 'appointments'") == 0


async def test_g1_a_rejected_event_may_be_sent_again_once_it_can_be_taken(door: Door) -> None:
    assert (await door.ask("POST", "/v1/events", booking(clinic="ENT"))).status_code == 422
    await door.put("/v1/clinics/ENT", {"name": "Throat Clinic", "zone": "Europe/London"})
    assert (await door.post(booking(clinic="ENT")))["result"] == "applied"


async def test_g9_without_a_key_nothing_is_told(door: Door) -> None:
    for key, code in ((None, "NO_KEY"), ("wrong", "WRONG_KEY"), ("two\twords", "UNREADABLE_KEY")):
        for method, path in (("POST", "/v1/events"), ("GET", "/v1/appointments?id=v1"), ("PUT", "/v1/clinics/EYE")):
            answer = await door.ask(method, path, booking(), key=key)
            assert (answer.status_code, answer.json()["code"]) == (401, code)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_g9_a_client_neither_changes_nor_sees_what_belongs_to_others(door: Door) -> None:
    held = await door.post(booking())
    other = await door.client(Client("other", ("other",), ("ENT",)))
    foreign = await door.ask("POST", "/v1/events", {**booking("e2"), "source": "local"}, key=other)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FOREIGN_SOURCE")
    clinic = await door.ask("POST", "/v1/events", booking("e2"), key=other)
    assert (clinic.status_code, clinic.json()["code"]) == (403, "FOREIGN_CLINIC")
    seen = await door.ask("GET", f"/v1/appointments/{held['appointment_id']}", key=other)
    missing = await door.ask("GET", "/v1/appointments/00000000-0000-7000-8000-000000000000", key=other)
    assert (seen.status_code, seen.json()) == (404, missing.json())
    register = await door.ask("PUT", "/v1/patients/bob", {}, key=other)
    assert (register.status_code, register.json()["code"]) == (403, "MAY_NOT_REGISTER")
    assert (await door.ask("GET", "/v1/appointments", key=other)).json()["items"] == []


async def test_d40_the_same_source_id_of_two_sources_is_two_appointments(door: Door) -> None:
    other = await door.client(Client("other", ("other",)))
    ours = await door.post(booking())
    theirs = (await door.ask("POST", "/v1/events", booking(), key=other)).json()
    assert ours["appointment_id"] != theirs["appointment_id"]


async def test_the_operator_reads_everything_and_commands_nothing(door: Door) -> None:
    held = await door.post(booking())
    shown = await door.ask("GET", f"/v1/appointments/{held['appointment_id']}", key=OPERATOR_KEY)
    assert shown.status_code == 200
    assert (await door.ask("POST", "/v1/events", booking("e2"), key=OPERATOR_KEY)).status_code == 401


async def test_appointments_ahead_are_read_page_by_page(door: Door) -> None:
    await door.post([booking(f"e{n}", f"v{n}") for n in range(5)])
    await door.post(booking("past", "v9", start="2020-01-01T10:00:00Z", end=None))
    seen: list[dict[str, Any]] = []
    after = "00000000-0000-0000-0000-000000000000"
    while after:
        path = f"/v1/appointments?from=2027-01-01T00:00:00Z&limit=2&after={after}"
        page = (await door.ask("GET", path)).json()
        seen += page["items"]
        after = page["next_after"]
    assert len({item["appointment_id"] for item in seen}) == 5
    assert {(item["version"], item["schedule_gen"]) for item in seen} == {(1, 1)}


async def test_the_result_of_an_event_is_read_by_its_id(door: Door) -> None:
    held = await door.post(booking())
    found = (await door.ask("GET", "/v1/inbound/e1")).json()
    assert (found["result"], found["appointment_id"]) == ("applied", held["appointment_id"])
    assert (await door.ask("GET", "/v1/inbound/e9")).status_code == 404


async def test_answers_and_refusals_are_counted(door: Door) -> None:
    await door.post(booking())
    await door.ask("POST", "/v1/events", b"{")
    text = (await door.look("/metrics")).text
    assert 'attend_booking_answers_total{result="applied"} 1.0' in text
    assert 'attend_booking_refusals_total{code="TRUNCATED_JSON"} 1.0' in text


async def refused(door: Door) -> bool:
    return (await door.ask("GET", "/v1/appointments", key=KEY)).status_code == 401


async def test_a_revoked_client_is_unknown(door: Door) -> None:
    assert await client_keys.revoke(door.pool, "local")
    await until(lambda: refused(door))


async def test_a_rotated_key_ends_the_old_one(door: Door) -> None:
    new = client_keys.new_key()
    assert await client_keys.rotate(door.pool, "local", new)
    await until(lambda: refused(door))
    assert (await door.ask("POST", "/v1/events", booking(), key=new)).status_code == 200


async def test_the_api_describes_itself_with_examples(door: Door) -> None:
    description = (await door.look("/openapi.json")).json()
    body = description["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    assert set(body["examples"]) == {"booked", "moved", "cancelled", "batch"}
    await door.put("/v1/clinics/CARDIO", {"name": "Heart Clinic", "zone": "Europe/London"})
    for name in ("booked", "moved", "cancelled"):
        assert (await door.post(body["examples"][name]["value"]))["result"] == "applied"


async def test_b1_an_appointment_is_found_by_the_beginning_of_its_id(door: Door) -> None:
    taken = await door.post(booking())
    whole = taken["appointment_id"]

    for beginning in (whole[:8], whole[:13], whole.replace("-", "")[:20], whole):
        answer = await door.ask("GET", f"/v1/appointments?prefix={beginning}")
        assert [item["appointment_id"] for item in answer.json()["items"]] == [whole]
    assert (await door.ask("GET", "/v1/appointments?prefix=00000000")).json()["items"] == []
    assert (await door.ask("GET", "/v1/appointments?prefix=xyz")).status_code == 422


async def test_r14_a_cancellation_is_answered_with_the_number_of_reminders_that_it_takes_back(door: Door) -> None:
    booked = await door.post(booking())
    cancelled = await door.post(booking("e2", status="cancelled"))

    assert "reminders_cancelled" not in booked
    assert cancelled["reminders_cancelled"] == 2
