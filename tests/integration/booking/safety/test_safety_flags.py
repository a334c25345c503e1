"""D51: a safety flag changes only when it is named, by every way in, and each change is written down."""

from typing import Any

import orjson
import pytest

from tests.integration.booking.door.test_who_may_write import message, send
from tests.support.booking.door import KEY, Door

FLAGS = {"consent": False, "do_not_contact": True, "deceased": True}
EYE = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}


async def flags_of(door: Door) -> dict[str, Any]:
    row = await door.pool.fetchrow("SELECT consent, do_not_contact, deceased FROM patient")
    assert row is not None
    return dict(row)


async def written(door: Door) -> list[tuple[Any, ...]]:
    """Return what was written down, oldest first."""
    rows = await door.pool.fetch("SELECT kind, flag, was, becomes, changed_by FROM safety_change ORDER BY change_id")
    return [tuple(row) for row in rows]


async def test_a_flag_that_a_put_leaves_out_stays_and_one_that_it_names_changes(door: Door) -> None:
    await door.put("/v1/patients/ann", {"given_name": "Ann", **FLAGS})

    await door.put("/v1/patients/ann", {"given_name": "Anna"})
    await door.put("/v1/patients", {"patients": [{"id": "ann", "mobile": "+447736312544"}]})
    assert await flags_of(door) == FLAGS

    await door.put("/v1/patients/ann", {"deceased": False})
    assert await flags_of(door) == {**FLAGS, "deceased": False}
    assert sorted(await written(door)) == sorted([
        ("patient", "consent", True, False, "local"), ("patient", "do_not_contact", False, True, "local"),
        ("patient", "deceased", False, True, "local"), ("patient", "deceased", True, False, "local"),
    ])  # fmt: skip


@pytest.mark.parametrize("flag", FLAGS)
async def test_null_is_no_value_of_a_flag(door: Door, flag: str) -> None:
    await door.put("/v1/patients/ann", FLAGS)
    refused = await door.ask("PUT", "/v1/patients/ann", {flag: None})
    assert (refused.status_code, refused.json()["code"]) == (422, "WRONG_TYPE")
    assert await flags_of(door) == FLAGS


async def test_a_clinic_stays_sensitive_until_it_is_named_otherwise(door: Door) -> None:
    versions = [
        (await door.put("/v1/clinics/EYE", {**EYE, **named}))["version"]
        for named in ({"sensitive": True}, {}, {"name": "Eyes"}, {"sensitive": False}, {})
    ]
    assert versions == [2, 2, 3, 4, 4]
    assert await written(door) == [
        ("clinic", "sensitive", False, True, "local"), ("clinic", "sensitive", True, False, "local"),
    ]  # fmt: skip
    refused = await door.ask("PUT", "/v1/clinics/EYE", {**EYE, "sensitive": None})
    assert (refused.status_code, refused.json()["code"]) == (422, "WRONG_TYPE")


async def test_a_clinic_that_is_entered_as_sensitive_is_written_down(door: Door) -> None:
    await door.put("/v1/clinics/HIV", {**EYE, "sensitive": True})
    assert await written(door) == [("clinic", "sensitive", False, True, "local")]


async def test_a_message_changes_deceased_only_when_it_says_so(door: Door) -> None:
    await door.put("/v1/clinics/EYE", {**EYE, "identifiers": [{"system": "Location", "value": "eye"}]})
    for key, said, held in (("m1", None, False), ("m2", True, True), ("m3", None, True), ("m4", False, False)):
        answer = await send(door, KEY, message(key=key, deceased=said))
        assert answer.status_code == 200, answer.text
        assert (await flags_of(door))["deceased"] is held
    causes = await door.pool.fetch("SELECT caused_by FROM safety_change ORDER BY change_id")
    assert [row["caused_by"] for row in causes] == ["local/m2", "local/m4"]


@pytest.mark.parametrize("flag", FLAGS)
async def test_d44_of_two_files_of_one_person_the_safer_value_counts(door: Door, flag: str) -> None:
    await door.put("/v1/patients/ann", {"given_name": "Ann"})
    double = await door.put("/v1/patients/double", {flag: FLAGS[flag]})

    await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})

    values = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'patients' ORDER BY id")
    kept = next(
        e
        for e in map(orjson.loads, (row["value"] for row in values[::-1]))
        if e["version"] == 2 and e["patient_id"] != double["patient_id"]
    )
    assert kept[flag] is FLAGS[flag]
    last = await door.pool.fetchrow("SELECT flag, becomes, caused_by FROM safety_change ORDER BY change_id DESC")
    assert last is not None
    assert tuple(last) == (flag, FLAGS[flag], "local/merge/double")


async def test_a_flag_of_the_one_who_is_kept_stands_whatever_the_other_file_says(door: Door) -> None:
    await door.put("/v1/patients/ann", FLAGS)
    await door.put("/v1/patients/double", {})
    await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})
    row = await door.pool.fetchrow("SELECT * FROM patient WHERE merged_into IS NULL")
    assert row is not None
    assert ({flag: row[flag] for flag in FLAGS}, row["version"]) == (FLAGS, 1)
