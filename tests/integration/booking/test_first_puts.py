"""Several enter one thing at once: one of them is first, and the others change what is there."""

import asyncio
from typing import Any

import httpx2
import orjson

from tests.support.booking.door import OPERATOR_KEY, Door

AT_ONCE = 20
ROUNDS = 8
"""Of what only meets when all of the pool's connections are open."""


async def put_at_once(door: Door, path: str, bodies: list[dict[str, Any]], **asked: Any) -> list[httpx2.Response]:
    """Put all bodies to one path together; the pool lets eight of them be in transactions at the same time."""
    return await asyncio.gather(*(door.ask("PUT", path, body, **asked) for body in bodies))


async def published(door: Door, topic: str, key: str) -> list[dict[str, Any]]:
    """Return what waits in the outbox under this key, in order."""
    query = "SELECT value FROM outbox WHERE topic = $1 AND key = $2 ORDER BY id"
    return [orjson.loads(row["value"]) for row in await door.pool.fetch(query, topic, key.encode())]


def named(name: str) -> dict[str, Any]:
    return {"name": name, "zone": "Europe/London", "country": "GB"}


async def test_one_clinic_entered_many_times_at_once_has_one_first_version(door: Door) -> None:
    for code in (f"NEW{number}" for number in range(ROUNDS)):
        answers = await put_at_once(door, f"/v1/clinics/{code}", [named("New Clinic")] * AT_ONCE)

        first = {"clinic_id": code, "version": 1, "warnings": []}
        assert [answer.json() for answer in answers] == [first] * AT_ONCE
        assert [event["version"] for event in await published(door, "clinics", code)] == [1]


async def test_d2_a_clinic_entered_under_many_names_at_once_counts_its_versions(door: Door) -> None:
    bodies = [named(f"Clinic {number}") for number in range(AT_ONCE)]

    for code in (f"NEW{number}" for number in range(ROUNDS)):
        answers = await put_at_once(door, f"/v1/clinics/{code}", bodies)

        assert sorted(answer.json()["version"] for answer in answers) == list(range(1, AT_ONCE + 1))
        events = await published(door, "clinics", code)
        assert [event["version"] for event in events] == list(range(1, AT_ONCE + 1))
        assert await door.pool.fetchval("SELECT name FROM clinic WHERE clinic_id = $1", code) == events[-1]["name"]


async def test_d2_a_clinic_entered_in_two_zones_at_once_is_in_one_of_them(door: Door) -> None:
    bodies = [{**named("New Clinic"), "zone": zone} for zone in ("Europe/London", "Europe/Berlin")] * (AT_ONCE // 2)

    for code in (f"NEW{number}" for number in range(ROUNDS)):
        answers = await put_at_once(door, f"/v1/clinics/{code}", bodies)

        codes = [answer.json().get("code") for answer in answers]
        assert (codes.count(None), codes.count("CLINIC_ZONE_FIXED")) == (AT_ONCE // 2, AT_ONCE // 2)
        assert len(await published(door, "clinics", code)) == 1


async def test_one_clinician_made_known_many_times_at_once_has_one_first_version(door: Door) -> None:
    answers = await put_at_once(door, "/v1/providers/dr-no", [{"name": "Dr No"}] * AT_ONCE)

    assert {answer.json()["version"] for answer in answers} == {1}
    provider_id = answers[0].json()["provider_id"]
    assert [event["version"] for event in await published(door, "providers", provider_id)] == [1]


async def test_d4_one_patient_registered_many_times_at_once_has_one_main_file(door: Door) -> None:
    answers = await put_at_once(door, "/v1/patients/ann", [{"given_name": "Ann"}] * AT_ONCE)

    assert len({orjson.dumps(answer.json()) for answer in answers}) == 1
    found = answers[0].json()
    assert (found["version"], found["main_file"][10:]) == (1, "000001")
    assert [event["version"] for event in await published(door, "patients", found["patient_id"])] == [1]
    assert await door.pool.fetchval("SELECT last FROM main_file_counter") == 1


async def test_d13_one_policy_set_many_times_at_once_has_one_first_version(door: Door) -> None:
    path, body = "/v1/clinics/EYE/reminder-policy", {"rules": [{"lead_days": 7}]}

    answers = await put_at_once(door, path, [body] * AT_ONCE, key=OPERATOR_KEY)

    assert {answer.status_code for answer in answers} == {200}
    assert await door.pool.fetchval("SELECT count(*) FROM reminder_policy") == 1
