"""D51: who changed which safety flag and when can be asked, by those who may write it, and says no name."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.integration.booking.door.test_who_may_write import VISITS, ann_with, desk
from tests.support.booking.door import KEY, OPERATOR_KEY, Door

CANARIES = {"given_name": "Canary", "family_name": "Nightingale", "mobile": "+447736312544", "email": "c@example.org"}


async def changes(door: Door, key: str = OPERATOR_KEY, **query: Any) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await door.ask("GET", f"/v1/safety-changes?{asked}", key=key)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def status(door: Door, key: str, **query: str) -> tuple[int, str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await door.ask("GET", f"/v1/safety-changes?{asked}", key=key)
    return answer.status_code, answer.json().get("code", "")


async def test_the_operator_sees_what_changed_from_what_to_what_by_whom_and_when(door: Door) -> None:
    registered = await door.put("/v1/patients/ann", {**CANARIES, "do_not_contact": True})
    await door.put("/v1/patients/ann", {"do_not_contact": False, "deceased": True})

    queries = ({"patient": registered["patient_id"]}, {"source": "local", "id": "ann"})
    for query in queries:
        found = await changes(door, **query)
        assert [(one["flag"], one["was"], one["becomes"]) for one in found][-1] == ("do_not_contact", False, True)
        assert {(one["flag"], one["was"], one["becomes"]) for one in found[:2]} == {
            ("do_not_contact", True, False), ("deceased", False, True),
        }  # fmt: skip
        assert {(one["kind"], one["subject"], one["changed_by"]) for one in found} == {
            ("patient", registered["patient_id"], "local")
        }
        assert all(one["changed_at"] and one["caused_by"] for one in found)
        assert not any(told in str(found) for told in CANARIES.values())


async def test_they_are_read_page_by_page_newest_first(door: Door) -> None:
    for deceased in (True, False, True, False, True):
        await door.put("/v1/patients/ann", {"deceased": deceased})

    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"source": "local", "id": "ann", "limit": 2}
    while page := await changes(door, **query):
        seen += page
        query["before"] = page[-1]["change_id"]

    assert [one["becomes"] for one in seen] == [True, False, True, False, True]
    whole = (await door.ask("GET", "/v1/safety-changes?source=local&id=ann&limit=2")).json()
    assert whole["next_before"] == seen[1]["change_id"]
    assert (await door.ask("GET", "/v1/safety-changes?source=local&id=ann")).json()["next_before"] is None


async def test_a_patients_have_those_of_the_file_that_was_merged_into_his(door: Door) -> None:
    double = await door.put("/v1/patients/double", {"deceased": True})
    await door.put("/v1/patients/double", {"deceased": False})
    ann = await door.put("/v1/patients/ann", CANARIES)
    await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})

    assert len(await changes(door, patient=ann["patient_id"])) == 2
    assert len(await changes(door, source="local", id="double")) == 2
    assert {one["subject"] for one in await changes(door, patient=ann["patient_id"])} == {double["patient_id"]}


@pytest.mark.parametrize(("visits", "may"), [("none", True), ("its own", True), ("another's", False), ("both", False)])
async def test_g9_a_client_reads_of_whom_it_may_write(door: Door, visits: str, may: bool) -> None:
    assert visits in VISITS
    await ann_with(door, visits)
    await door.put("/v1/patients/ann", {"deceased": True})
    key = await desk(door, "EYE")

    told = await status(door, key, id="ann")

    assert told == ((200, "") if may else (403, "FOREIGN_PATIENT"))
    assert (await status(door, KEY, id="ann"))[0] == 200


async def test_g9_of_others_a_client_cannot_tell_whether_they_exist(door: Door) -> None:
    ann = await door.put("/v1/patients/ann", {"deceased": True})
    key = await door.client(Client("other", ("elsewhere",)))

    unknown = [
        await status(door, key, patient=ann["patient_id"]),
        await status(door, key, patient="01890000-0000-7000-8000-000000000001"),
        await status(door, key, id="ann"),
    ]

    assert unknown == [(404, "UNKNOWN_PATIENT")] * 3
    assert await status(door, key, source="local", id="ann") == (403, "FOREIGN_SOURCE")
    assert (await door.ask("GET", f"/v1/safety-changes?patient={ann['patient_id']}", key=None)).status_code == 401


async def test_a_clinics_are_read_by_who_sees_it(door: Door) -> None:
    clinic = {"name": "Blue Clinic", "zone": "Europe/London"}
    await door.put("/v1/clinics/HIV", {**clinic, "sensitive": True})
    await door.put("/v1/clinics/HIV", {**clinic, "sensitive": False})

    assert [(one["flag"], one["becomes"]) for one in await changes(door, clinic="HIV")] == [
        ("sensitive", False), ("sensitive", True),
    ]  # fmt: skip
    key = await desk(door, "EYE")
    assert await status(door, key, clinic="HIV") == (403, "FOREIGN_CLINIC")
    assert await changes(door, key, clinic="EYE") == []


@pytest.mark.parametrize("asked", ["", "patient=01890000-0000-7000-8000-000000000001&clinic=EYE", "id=a&clinic=EYE"])
async def test_one_subject_is_asked_for(door: Door, asked: str) -> None:
    answer = await door.ask("GET", f"/v1/safety-changes?{asked}", key=OPERATOR_KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "ONE_SUBJECT")
