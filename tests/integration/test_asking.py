"""Those who sent ask what followed, with their own key, at every service that has it (decision 0048)."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking.door import client_keys
from booking.door.domain import Client
from tests.support.asking import Asked, asking
from tests.support.booking.door import OPERATOR_KEY
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
async def asked(installation: Installation) -> AsyncIterator[Asked]:
    """Give booking with visits, and the others with what followed them."""
    async with asking(installation) as made:
        yield made


LISTS = {"records": "/v1/subfiles", "reminders": "/v1/reminders", "notifier": "/v1/notifications"}


@pytest.mark.parametrize("service", LISTS)
async def test_g9_a_clients_key_reads_what_followed_its_own_visits_and_nothing_of_others(
    asked: Asked, service: str
) -> None:
    path, found = LISTS[service], {}
    for name, visit in asked.visits.items():
        answer = await asked.get(service, path, appointment=visit)
        assert answer.status_code == 200, answer.text
        found[name] = (len(answer.json()["items"]), answer.json().get("next_after"))
        assert len((await asked.get(service, path, OPERATOR_KEY, appointment=visit)).json()["items"]) == 1

    assert found.pop("own") == (1, None)
    assert set(found.values()) == {(0, None)}, "others' visits are as those that are not there"


@pytest.mark.parametrize("service", LISTS)
async def test_a_visit_is_asked_for_by_the_sources_own_id(asked: Asked, service: str) -> None:
    path = LISTS[service]
    for key in (asked.key, OPERATOR_KEY):
        assert len((await asked.get(service, path, key, source="local", id="v1")).json()["items"]) == 1
    assert len((await asked.get(service, path, id="v1")).json()["items"]) == 1, "its only source"
    for source, name in (("local", "v2"), ("other", "v3"), ("local", "none"), ("nowhere", "v1")):
        answer = await asked.get(service, path, source=source, id=name)
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await asked.get(service, path, OPERATOR_KEY, id="v1")).json()["code"] == "SOURCE_REQUIRED"


@pytest.mark.parametrize(("service", "path"), [("records", "/v1/subfiles"), ("reminders", "/v1/reminders")])
async def test_g9_lists_are_as_if_there_were_no_others_and_no_place_in_them_tells_of_any(
    asked: Asked, service: str, path: str
) -> None:
    async def listed(key: str | None = None, **query: Any) -> tuple[list[UUID], Any]:
        answer = await asked.get(service, path, key, limit=1, **query)
        assert answer.status_code == 200, answer.text
        return [UUID(one["appointment_id"]) for one in answer.json()["items"]], answer.json()["next_after"]

    own: tuple[list[UUID], Any] = ([asked.visits["own"]], None)
    nothing: tuple[list[UUID], Any] = ([], None)
    assert await listed(clinic="EYE") == own
    assert await listed(patient=asked.patient) == own
    assert await listed(clinic="ENT") == nothing
    assert await listed(patient=asked.patient, clinic="ENT") == nothing
    ours, place = await listed(OPERATOR_KEY, clinic="EYE")
    assert len(ours) == 1
    assert place is not None
    [bob], _ = await listed(OPERATOR_KEY, clinic="ENT")
    assert bob == asked.visits["another clinic's"]
    for query in ({}, {"status": "PARKED" if service == "records" else "SCHEDULED"}):
        refused = await asked.get(service, path, **query)
        assert (refused.status_code, refused.json()["code"]) == (422, "NO_FILTER")


async def test_a_reminders_history_is_its_visits_owners(asked: Asked) -> None:
    lengths = {
        name: len((await asked.get("reminders", f"/v1/reminders/{one}/history")).json()["items"])
        for name, one in asked.reminders.items()
    }
    assert lengths.pop("own") == 1
    assert set(lengths.values()) == {0}
    assert (await asked.get("reminders", f"/v1/reminders/{uuid4()}/history")).json() == {"items": []}
    foreign = asked.reminders["another source's"]
    assert len((await asked.get("reminders", f"/v1/reminders/{foreign}/history", OPERATOR_KEY)).json()["items"]) == 1


async def test_outcomes_of_its_own_visits_come_as_a_feed_with_its_own_names(asked: Asked) -> None:
    """Another's outcome is passed over, and the cursor goes on behind it."""
    first = (await asked.get("notifier", "/v1/outcomes")).json()
    every = (await asked.get("notifier", "/v1/outcomes", OPERATOR_KEY)).json()

    [own] = first["items"]
    assert (own["appointment_id"], own["source"], own["source_id"]) == (str(asked.visits["own"]), "local", "v1")
    assert (own["state"], own["channel"], own["kind"], own["version"]) == ("accepted", "sms", "confirmation", 1)
    assert {one["source_id"] for one in every["items"]} == {"v1", "v2", "v3", None}
    assert first["next_after"] == every["next_after"]
    again = (await asked.get("notifier", "/v1/outcomes", after=first["next_after"])).json()
    assert again == {"items": [], "next_after": first["next_after"], "more": False}
    one_by_one = [(await asked.get("notifier", "/v1/outcomes", limit=1)).json()]
    while one_by_one[-1]["more"]:
        one_by_one.append(
            (await asked.get("notifier", "/v1/outcomes", limit=1, after=one_by_one[-1]["next_after"])).json()
        )
    assert [item for page in one_by_one for item in page["items"]] == [own]


async def test_b1_the_timeline_of_others_visits_is_not_there(asked: Asked) -> None:
    answers = {
        name: await asked.get("notifier", f"/v1/appointments/{visit}/timeline") for name, visit in asked.visits.items()
    }
    own = answers.pop("own")
    named = await asked.get("notifier", "/v1/appointments/timeline", source="local", id="v1")
    foreign = await asked.get("notifier", "/v1/appointments/timeline", source="other", id="v3")

    assert (own.status_code, own.json()["source_id"]) == (200, "v1")
    assert named.json() == own.json()
    assert {(one.status_code, one.text) for one in (*answers.values(), foreign)} == {(404, foreign.text)}


ACTS = {
    "records": [("POST", f"/v1/subfiles/{UUID(int=1)}/close"), ("GET", f"/v1/subfiles/{UUID(int=1)}/commands")],
    "reminders": [("GET", "/v1/forecast")],
    "notifier": [
        ("GET", "/v1/work-list"),
        ("PUT", "/v1/sending"),
        ("POST", "/v1/opt-outs/stop"),
        ("GET", "/v1/replies"),
    ],
}


@pytest.mark.parametrize("service", ACTS)
async def test_g9_what_staff_do_stays_the_operators(asked: Asked, service: str) -> None:
    for method, path in ACTS[service]:
        answer = await asked.http[service].request(
            method, path, headers={"Authorization": f"Bearer {asked.key}"}, content=b"{"
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "WRONG_KEY"), (method, path)


async def test_g9_a_revoked_key_opens_nothing_any_more_anywhere(asked: Asked) -> None:
    async def open_at(service: str) -> bool:
        answer = await asked.get(service, LISTS[service], appointment=asked.visits["own"])
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    assert all([await open_at(service) for service in LISTS])
    await client_keys.revoke(asked.door.pool, "desk")
    fresh = await asked.door.ask("GET", "/v1/client", key=asked.key)
    assert fresh.status_code == 401, "what others remember for two seconds is not told from what booking remembers"
    for service in LISTS:

        async def closed(service: str = service) -> bool:
            return not await open_at(service)

        await until(closed)


async def test_while_booking_is_away_clients_may_come_again_and_the_operator_reads_on(asked: Asked) -> None:
    asked.stop_booking.set()
    await asked.serving

    for service, path in LISTS.items():
        refused = await asked.get(service, path, appointment=asked.visits["own"])
        assert (refused.status_code, refused.json()["code"]) == (503, "BOOKING_UNAVAILABLE")
        assert refused.headers["retry-after"] == "1"
        read = await asked.get(service, path, OPERATOR_KEY, appointment=asked.visits["own"])
        assert (read.status_code, len(read.json()["items"])) == (200, 1)
    assert (await asked.get("notifier", "/v1/outcomes")).status_code == 503
    every = (await asked.get("notifier", "/v1/outcomes", OPERATOR_KEY)).json()["items"]
    assert [one["source"] for one in every] == [None] * 4


async def test_booking_says_whose_key_it_is_and_whom_its_holder_may_write(asked: Asked) -> None:
    who = await asked.door.ask("GET", "/v1/client", key=asked.key)
    operator = await asked.door.ask("GET", "/v1/client", key=OPERATOR_KEY)
    asking = asked.door.ask
    ann = (await asking("GET", "/v1/client/patient?source=local&id=ann", key=asked.key)).json()

    assert who.json() == {
        "client_id": "desk", "sources": ["local"], "clinics": ["EYE"], "default_clinic": None, "may_register": True,
        "may_set_policy": False, "may_manage_clinics": False, "may_clear": False,
        "may_override_clearance": False,
    }  # fmt: skip
    assert operator.json()["client_id"] == "operator"
    assert ann == {"patient_id": asked.patient}
    by_id = await asking("GET", f"/v1/client/patient?patient={asked.patient}", key=asked.key)
    assert by_id.json() == ann
    cases = {
        "?source=local&id=bob": (403, "FOREIGN_PATIENT"),
        "?source=other&id=cid": (403, "FOREIGN_SOURCE"),
        "?source=local&id=none": (404, "UNKNOWN_PATIENT"),
        f"?patient={uuid4()}": (404, "UNKNOWN_PATIENT"),
        "": (422, "ONE_SUBJECT"),
        f"?patient={asked.patient}&id=ann": (422, "ONE_SUBJECT"),
    }
    for query, expected in cases.items():
        answer = await asking("GET", f"/v1/client/patient{query}", key=asked.key)
        assert (answer.status_code, answer.json()["code"]) == expected, query
    plain = await asked.door.client(Client("plain", ("local",)))
    refused = await asking("GET", "/v1/client/patient?id=ann", key=plain)
    assert (refused.status_code, refused.json()["code"]) == (403, "MAY_NOT_REGISTER")
