"""Clinics and clinicians are read and changed in part, by those who may (RFC 7396, 0047)."""

from typing import Any

import httpx2
import pytest

from booking.door.domain import Client
from tests.support.booking.door import OPERATOR_KEY, Door, booking

HEART = {
    "name": "Heart Clinic", "zone": "Europe/London", "languages": ["en", "cy"], "country": "GB",
    "phone": "020 7946 0018", "address": "1 Long Street", "window": {"opens": "08:00", "closes": "20:00"},
    "identifiers": [{"system": "urn:c", "value": "1"}],
    "services": {"MRI": {"address": "Basement", "preparation": "No metal."}, "X-ray": {"phone": "020 7946 0019"}},
}  # fmt: skip


async def patch(door: Door, path: str, body: object, **headers: str) -> httpx2.Response:
    return await door.ask("PATCH", f"/v1/{path}", body, **headers)


async def shown(door: Door, path: str) -> dict[str, Any]:
    answer = await door.ask("GET", f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    found: dict[str, Any] = answer.json()
    return found


async def test_a_clinic_is_read_as_it_was_put(door: Door) -> None:
    assert (await door.put("/v1/clinics/HEART", HEART))["warnings"] == []
    found = await shown(door, "clinics/HEART")
    none = {"phone": None, "address": None, "directions_url": None, "preparation": None}
    assert found == {
        **none, **HEART, "clinic_id": "HEART", "version": 1, "phone": "+442079460018", "sensitive": False,
        "identifiers": [{"source": "local", "system": "urn:c", "value": "1"}],
        "services": {
            "MRI": {**none, "address": "Basement", "preparation": "No metal."},
            "X-ray": {**none, "phone": "+442079460019"},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ({"phone": None}, {"phone": None}),
        ({"window": {"closes": "21:00"}}, {"window": {"opens": "08:00", "closes": "21:00"}}),
        ({"sensitive": True}, {"sensitive": True}),
        ({"languages": None, "name": "Hearts"}, {"languages": ["en"], "name": "Hearts"}),
        ({"country": None, "address": "2 Long Street"}, {"country": None, "address": "2 Long Street"}),
        ({}, {}),
    ],
)
async def test_a_part_changes_it_as_putting_it_whole_does(
    door: Door, part: dict[str, Any], changes: dict[str, Any]
) -> None:
    await door.put("/v1/clinics/HEART", HEART)
    before = await shown(door, "clinics/HEART")
    answer = await patch(door, "clinics/HEART", part, content_type="application/merge-patch+json")
    version = 2 if changes else 1
    assert (answer.status_code, answer.json()["version"]) == (200, version), answer.text
    after = await shown(door, "clinics/HEART")
    assert after == {**before, **changes, "version": version}
    ours = ("clinic_id", "version", "services", "identifiers")
    whole = {name: one for name, one in after.items() if name not in ours}
    again = await door.ask(
        "PUT", "/v1/clinics/HEART", {k: v for k, v in whole.items() if v is not None or k != "country"}
    )
    assert again.json()["version"] == version


async def test_services_are_merged_one_by_one(door: Door) -> None:
    await door.put("/v1/clinics/HEART", HEART)
    await patch(
        door, "clinics/HEART", {"services": {"MRI": {"address": None}, "X-ray": None, "CT": {"address": "1st"}}}
    )
    held = (await shown(door, "clinics/HEART"))["services"]
    assert {name: {k: v for k, v in own.items() if v} for name, own in held.items()} == {
        "MRI": {"preparation": "No metal."},
        "CT": {"address": "1st"},
    }


async def test_a_part_of_a_clinic_is_refused_as_the_whole_is(door: Door) -> None:
    await door.put("/v1/clinics/HEART", HEART)
    for body, status, code in (
        ({"zone": "Europe/Paris"}, 409, "CLINIC_ZONE_FIXED"), ({"name": None}, 422, "MISSING_FIELD"),
        ({"phone": "111"}, 422, "BAD_PHONE"), ({"sensitive": None}, 422, "WRONG_TYPE"),
        ({"window": {"closes": "06:00"}}, 422, "BAD_WINDOW"), ([], 422, "WRONG_TYPE"),
    ):  # fmt: skip
        answer = await patch(door, "clinics/HEART", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    assert (await patch(door, "clinics/HEART", {"name": "A"}, if_match='"2"')).status_code == 412
    assert (await door.ask("PUT", "/v1/clinics/HEART", HEART, if_match='"0"')).json()["code"] == "VERSION_CHANGED"
    assert (await patch(door, "clinics/NONE", {"name": "A"})).json()["code"] == "UNKNOWN_CLINIC"
    assert (await shown(door, "clinics/HEART"))["version"] == 1


async def test_unknown_fields_of_a_clinic_are_named(door: Door) -> None:
    said = await door.put("/v1/clinics/HEART", {**HEART, "adress": "x", "services": {"MRI": {"Phone": "1"}}})
    assert [(one["code"], one["place"]) for one in said["warnings"]] == [
        ("UNKNOWN_FIELD", "adress"), ("UNKNOWN_FIELD", "services.MRI.Phone"),
    ]  # fmt: skip
    part = (await patch(door, "clinics/HEART", {"timezone": "UTC"})).json()
    assert [one["place"] for one in part["warnings"]] == ["timezone"]


async def test_who_sees_which_clinics(door: Door) -> None:
    await door.put("/v1/clinics/HEART", HEART)
    few = await door.client(Client("few", ("other",), ("HEART", "LUNG"), may_manage_clinics=True))
    listed = (await door.ask("GET", "/v1/clinics", key=few)).json()
    assert ([one["clinic_id"] for one in listed["items"]], listed["next_after"]) == (["HEART"], None)
    assert listed["items"][0]["identifiers"] == []
    everything = (await door.ask("GET", "/v1/clinics?limit=1", key=OPERATOR_KEY)).json()
    assert ([one["clinic_id"] for one in everything["items"]], everything["next_after"]) == (["EYE"], "EYE")
    assert (await door.ask("GET", "/v1/clinics?after=EYE", key=OPERATOR_KEY)).json()["items"][0]["name"] == HEART[
        "name"
    ]
    for path, status, code in (("EYE", 403, "FOREIGN_CLINIC"), ("NONE", 403, "FOREIGN_CLINIC"),
                               ("LUNG", 404, "UNKNOWN_CLINIC"), ("a b", 422, "ILLEGAL_CLINIC_CODE")):  # fmt: skip
        answer = await door.ask("GET", f"/v1/clinics/{path}", key=few)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await door.ask("PATCH", "/v1/clinics/EYE", {}, key=few)).json()["code"] == "FOREIGN_CLINIC"


async def test_a_clinician_is_read_and_changed_by_both_names(door: Door) -> None:
    told = await door.put("/v1/providers/dr-who", {"name": "Dr. Who", "nmae": "x"})
    assert [(one["code"], one["place"]) for one in told["warnings"]] == [("UNKNOWN_FIELD", "nmae")]
    found = await shown(door, "providers/dr-who")
    assert found == {
        "provider_id": told["provider_id"], "version": 1, "name": "Dr. Who",
        "names": [{"source": "local", "id": "dr-who"}],
    }  # fmt: skip
    assert await shown(door, f"providers/{told['provider_id']}") == found
    by_id = await patch(door, f"providers/{told['provider_id']}", {"name": "Dr. W"}, if_match='"1"')
    assert (by_id.json()["version"], by_id.headers["etag"]) == (2, '"2"')
    assert (await patch(door, "providers/dr-who", {})).json()["version"] == 2
    for body, status, code, match in (
        ({"name": None}, 422, "WRONG_TYPE", "*"), ({"name": "X"}, 412, "VERSION_CHANGED", '"1"'),
        ({"name": "a\nb"}, 422, "CONTROL_CHARACTER", "*"),
    ):  # fmt: skip
        answer = await patch(door, "providers/dr-who", body, if_match=match)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await shown(door, "providers/dr-who"))["name"] == "Dr. W"


async def test_clinicians_of_others_and_those_whom_visits_alone_name_are_unknown(door: Door) -> None:
    told = await door.put("/v1/providers/dr-who", {"name": "Dr. Who"})
    await door.post(booking(provider={"id": "dr-no"}))
    foreign = await door.client(Client("foreign", ("other",), may_manage_clinics=True))
    asked = [("dr-no", None), ("dr-who", foreign), (told["provider_id"], foreign), ("dr-nobody", None)]
    for path, key in asked:
        for method, body in (("GET", None), ("PATCH", {"name": "Evil"})):
            given = {} if key is None else {"key": key}
            answer = await door.ask(method, f"/v1/providers/{path}", body, **given)
            assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_PROVIDER"), path
    listed = (await door.ask("GET", "/v1/providers?limit=5")).json()
    assert ([one["name"] for one in listed["items"]], listed["next_after"]) == (["Dr. Who"], None)
    assert (await door.ask("GET", "/v1/providers?source=local", key=OPERATOR_KEY)).json() == listed
