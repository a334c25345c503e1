"""Patients are read, and changed in part, by a source's name and by our id, by those who may (RFC 7396, 0025, 0047)."""

from typing import Any

import httpx2
import pytest

from booking.door.domain import ALL, Client
from tests.support.booking.door import KEY, OPERATOR_KEY, Door, booking

ANN = {
    "given_name": "Ann", "family_name": "Smith", "mobile": "+447736312544", "email": "ann@example.org",
    "language": "en", "do_not_contact": False,
}  # fmt: skip
MERGE_PATCH = {"content_type": "application/merge-patch+json"}


async def patch(door: Door, body: object, path: str = "ann", **headers: str) -> httpx2.Response:
    return await door.ask("PATCH", f"/v1/patients/{path}", body, **{**MERGE_PATCH, **headers})


async def ann(door: Door) -> dict[str, Any]:
    answer = await door.ask("GET", "/v1/patients/ann")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    found: dict[str, Any] = answer.json()
    return found


async def test_what_was_put_is_read_by_both_names(door: Door) -> None:
    put = await door.ask("PUT", "/v1/patients/ann", ANN)
    assert put.headers["etag"] == '"1"'
    told = put.json()
    shown = await ann(door)
    assert shown == {
        **ANN, "patient_id": told["patient_id"], "version": 1, "main_file": told["main_file"], "contact_of": None,
        "consent": True, "deceased": False, "names": [{"source": "local", "id": "ann"}],
    }  # fmt: skip
    for path in (told["patient_id"], told["patient_id"].upper(), "ann?source=local"):
        assert (await door.ask("GET", f"/v1/patients/{path}")).json() == shown
    for ours in (told["patient_id"], told["main_file"]):
        assert (await door.ask("GET", f"/v1/patients/{ours}", key=OPERATOR_KEY)).json() == shown


@pytest.mark.parametrize("number", ["FILE-2027-999999", "FILE-2027-1", "file-2027-000001", "FILE-2027-000001-EYE-01"])
async def test_a_number_that_no_main_file_has_is_nobodys(door: Door, number: str) -> None:
    answer = await door.ask("GET", f"/v1/patients/{number}", key=OPERATOR_KEY)

    assert (answer.status_code, answer.json()["code"]) in {(404, "UNKNOWN_PATIENT"), (422, "SOURCE_REQUIRED")}


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ({"mobile": "+447736312545"}, {"mobile": "+447736312545"}),
        ({"email": None}, {"email": None}),
        ({"do_not_contact": True, "family_name": "Jones"}, {"do_not_contact": True, "family_name": "Jones"}),
        ({"contact_of": "guardian"}, {"contact_of": "guardian"}),
        ({"given_name": None, "family_name": None}, {"given_name": None, "family_name": None}),
        ({}, {}),
    ],
)
async def test_a_part_changes_him_as_putting_him_whole_does(
    door: Door, part: dict[str, Any], changes: dict[str, Any]
) -> None:
    await door.put("/v1/patients/ann", ANN)
    before = await ann(door)
    answer = await patch(door, part)
    assert (answer.status_code, answer.json()["version"]) == (200, 2 if changes else 1)
    after = await ann(door)
    assert after == {**before, **changes, "version": 2 if changes else 1}
    whole = {name: after[name] for name in (*ANN, "contact_of") if after[name] is not None}
    assert (await door.put("/v1/patients/ann", whole))["version"] == after["version"]


async def test_by_our_id_and_whom_bookings_alone_named(door: Door) -> None:
    await door.post(booking())
    nobody = await ann(door)
    assert (nobody["version"], nobody["main_file"], nobody["given_name"]) == (0, None, None)
    answer = await patch(door, {"given_name": "Ann"}, nobody["patient_id"], if_match='"0"')
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert [one["code"] for one in answer.json()["warnings"]] == ["NO_CONTACT"]
    assert (await ann(door))["main_file"] == answer.json()["main_file"]


async def test_what_was_decided_on_another_version_is_refused(door: Door) -> None:
    await door.put("/v1/patients/ann", ANN)
    assert (await patch(door, {"email": None}, if_match='"1"')).status_code == 200
    for answer in (
        await patch(door, {"mobile": None}, if_match='"1"'),
        await door.ask("PUT", "/v1/patients/ann", ANN, if_match='"1"'),
        await door.ask("PUT", "/v1/patients/new", ANN, if_match='"1"'),
    ):
        assert (answer.status_code, answer.json()["code"]) == (412, "VERSION_CHANGED")
    assert (await door.ask("GET", "/v1/patients/new")).status_code == 404
    assert (await patch(door, {"email": "ann@example.org"}, if_match='W/"2"')).headers["etag"] == '"3"'
    assert (await patch(door, {}, if_match="latest")).json()["code"] == "BAD_VERSION"


@pytest.mark.parametrize(
    ("body", "status", "code", "headers"),
    [
        ({"mobile": "+4412"}, 422, "BAD_PHONE", {}),
        ({"consent": None}, 422, "WRONG_TYPE", {}),
        ({"main_file": None}, 409, "MAIN_FILE_FIXED", {}),
        ([{"op": "remove", "path": "/email"}], 415, "UNSUPPORTED_MEDIA_TYPE",
         {"content_type": "application/json-patch+json"}),
        ([{"op": "remove", "path": "/email"}], 422, "WRONG_TYPE", {}),
        (b"{", 400, "TRUNCATED_JSON", {}),
    ],
)  # fmt: skip
async def test_a_part_that_cannot_be_taken_changes_nothing(
    door: Door, body: object, status: int, code: str, headers: dict[str, str]
) -> None:
    await door.put("/v1/patients/ann", ANN)
    answer = await patch(door, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await ann(door))["version"] == 1


async def test_unknown_fields_are_named_and_the_rest_is_taken(door: Door) -> None:
    put = await door.put("/v1/patients/zoe", {"givenname": "Zoe", "mobil": "1", "dateOfBirth": "2000-01-01"})
    assert [(one["code"], one["place"]) for one in put["warnings"]] == [
        ("UNKNOWN_FIELD", "dateOfBirth"), ("UNKNOWN_FIELD", "givenname"), ("UNKNOWN_FIELD", "mobil"),
        ("NO_NAME", ""), ("NO_CONTACT", ""),
    ]  # fmt: skip
    assert "did you mean given_name?" in put["warnings"][1]["detail"]
    part = (await patch(door, {"Mobile": "1", "given_name": "Zoe"}, "zoe")).json()
    assert [(one["code"], one["place"]) for one in part["warnings"]] == [
        ("UNKNOWN_FIELD", "Mobile"),
        ("NO_CONTACT", ""),
    ]
    many = (
        await door.ask("PUT", "/v1/patients", {"patients": [{"id": "z", **ANN, "eMail": "x"}], "sorce": "a"})
    ).json()
    assert [one["place"] for one in many["results"][0]["warnings"]] == ["eMail"]
    assert [one["place"] for one in many["warnings"]] == ["sorce"]


async def test_others_patients_are_unknown_and_those_of_others_clinics_foreign(door: Door) -> None:
    await door.put("/v1/clinics/HIV", {"name": "Blue Clinic", "zone": "Europe/London"})
    told = await door.put("/v1/patients/ann", ANN)
    await door.post(booking(clinic="HIV"))
    foreign = await door.client(Client("foreign", ("other",), may_register=True))
    few = await door.client(Client("few", ("local",), ("EYE",), may_register=True))
    for method, body in (("GET", None), ("PATCH", {"email": None})):
        for path in (told["patient_id"], "ann", "nobody", "019a0000-0000-7000-8000-000000000001"):
            answer = await door.ask(method, f"/v1/patients/{path}", body, key=foreign)
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_PATIENT"), path
        answer = await door.ask(method, "/v1/patients/ann?source=local", body, key=foreign)
        assert (answer.status_code, answer.json()["code"]) == (403, "FOREIGN_SOURCE")
        answer = await door.ask(method, "/v1/patients/ann", body, key=few)
        assert (answer.status_code, answer.json()["code"]) == (403, "FOREIGN_PATIENT")
    none = await door.client(Client("books", ("local",)))
    assert (await door.ask("PATCH", "/v1/patients/ann", {}, key=none)).json()["code"] == "MAY_NOT_REGISTER"
    assert (await door.ask("PATCH", "/v1/patients/ann", {}, key=OPERATOR_KEY)).status_code == 401
    several = await door.client(Client("several", ("local", "other")))
    assert (await door.ask("GET", "/v1/patients/ann", key=several)).json()["code"] == "SOURCE_REQUIRED"
    assert (await door.ask("GET", f"/v1/patients/{told['patient_id']}", key=several)).status_code == 200


async def test_a_list_has_pages_and_is_found_by_the_beginning_of_a_name(door: Door) -> None:
    people = [{"id": f"p{n}", "given_name": name, "family_name": f"Kim{n}"} for n, name in enumerate("ABCDE")]
    await door.ask("PUT", "/v1/patients", people)
    await door.put("/v1/patients/zoe", {"given_name": "Kim_ball"})
    await door.put("/v1/clinics/HIV", {"name": "Blue Clinic", "zone": "Europe/London"})
    await door.post(booking(patient={"id": "p3"}, clinic="HIV"))
    found, after = [], ""
    while after is not None:
        page = (await door.ask("GET", f"/v1/patients?limit=2&after={after}")).json()
        found += [one["names"][0]["id"] for one in page["items"]]
        after = page["next_after"]
    assert found == ["p0", "p1", "p2", "p3", "p4", "zoe"]

    async def named(body: Any, key: str = KEY) -> Any:
        answer = await door.ask("POST", "/v1/patients/find", body, key=key)
        items = answer.json().get("items")
        return answer.json()["code"] if items is None else [one["names"][0]["id"] for one in items]

    assert await named({"name": "kIM"}) == ["p0", "p1", "p2", "p3", "p4", "zoe"]
    assert await named({"name": "kim", "limit": 2, "after": "p1"}) == ["p2", "p3"]
    assert await named({"name": "kim_"}) == ["zoe"]
    assert await named({"name": "%im"}) == []
    assert await named({"name": "kim3", "source": "local"}, OPERATOR_KEY) == ["p3"]
    assert await named({"name": "kim"}, OPERATOR_KEY) == "SOURCE_REQUIRED"
    assert await named({"name": "kim", "sourc": "local"}) == "UNKNOWN_FIELD"
    few = await door.client(Client("few", ("local",), ("EYE",)))
    shown = (await door.ask("GET", "/v1/patients?limit=10", key=few)).json()["items"]
    assert [one["names"][0]["id"] for one in shown] == ["p0", "p1", "p2", "p4", "zoe"]
    assert await named({"name": "kim"}, few) == "MAY_NOT_REGISTER"
    other = await door.client(Client("other", ("other",), may_register=True))
    assert await named({"name": "kim", "source": "local"}, other) == "FOREIGN_SOURCE"


async def test_a_name_stands_in_no_url(door: Door) -> None:
    refused = (await door.ask("GET", "/v1/patients?name=kim")).json()
    assert (refused["code"], refused["errors"][0]["place"]) == ("UNKNOWN_PARAMETER", "query.name")


async def test_names_of_a_file_that_was_merged_away_lead_to_the_one_that_is_kept(door: Door) -> None:
    kept = await door.put("/v1/patients/ann", ANN)
    away = await door.put("/v1/patients/double", {"given_name": "Anne"})
    assert (await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})).status_code == 200
    for path in ("double", away["patient_id"], "ann", kept["patient_id"]):
        shown = (await door.ask("GET", f"/v1/patients/{path}")).json()
        assert (shown["patient_id"], shown["given_name"]) == (kept["patient_id"], "Ann")
    assert (await patch(door, {"given_name": "A"}, away["patient_id"])).json()["patient_id"] == kept["patient_id"]


async def test_a_client_of_all_sources_names_one_or_gives_our_id(door: Door) -> None:
    told = await door.put("/v1/patients/ann", ANN)
    every = await door.client(Client("every", (ALL,), may_register=True))
    assert (await door.ask("GET", "/v1/patients/ann", key=every)).json()["code"] == "SOURCE_REQUIRED"
    answer = await door.ask("PATCH", f"/v1/patients/{told['patient_id']}", {"email": None}, key=every)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
