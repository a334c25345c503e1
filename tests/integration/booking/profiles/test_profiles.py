"""A source's profile: tried, given, read in every process, and kept for good (0060)."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from booking.door.domain import Client
from booking.profiles.current import CurrentProfiles
from tests.support.booking.door import OPERATOR_KEY, Door

PATH = "/v1/sources/local/profile"
LONDON = {"zone": "Europe/London", "hl7v2": {"events": {"S13": "cancelled"}, "words": {"Sch": "booked"}}}
MANAGER = Client("manager", ("local",), may_manage_clinics=True)


async def put(door: Door, profile: object, path: str = PATH, **headers: str) -> dict[str, Any]:
    body = {"profile": profile, "reason": "connected"}
    answer = await door.ask("PUT", path, body, key=OPERATOR_KEY, **headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_source_of_which_nothing_was_said_has_the_default_profile(door: Door) -> None:
    told = (await door.ask("GET", PATH)).json()

    assert (told["version"], told["profile"], told["applied_by"]) == (0, {}, None)
    assert told["in_force"]["hl7v2"]["times"]["start"][0] == "TQ1-7"


async def test_what_is_given_holds_at_once_in_this_process_and_at_the_next_look_in_another(door: Door) -> None:
    other = CurrentProfiles(door.pool)
    await other.refresh()
    given = await put(door, LONDON)
    before = other.of("local").zone
    await other.refresh()

    assert (given["version"], given["changed"], given["profile"]) == (1, True, LONDON)
    assert (before, other.of("local").zone, other.version_of("local")) == (None, "Europe/London", 1)
    assert {change["key"] for change in given["changes"]} == {"zone", "hl7v2.events.S13", "hl7v2.words.Sch"}


async def test_a_dry_run_says_what_each_key_would_mean_and_writes_nothing(door: Door) -> None:
    await put(door, {"zone": "Europe/London"})
    before = await door.counts()

    tried = await put(door, {"zone": "Europe/Paris", "mode": "backfill"}, f"{PATH}?dry_run=true")

    assert (tried["changed"], tried["dry_run"], tried["version"]) == (False, True, 1)
    zone, mode = tried["changes"]
    assert (zone["key"], zone["before"], zone["after"]) == ("zone", "Europe/London", "Europe/Paris")
    assert (
        "read in Europe/Paris (2027-07-27T13:30Z), until now read in Europe/London (2027-07-27T14:30Z)" in zone["means"]
    )
    assert "nothing is sent" in mode["means"]
    assert await door.counts() == before


async def test_the_same_again_writes_nothing_and_neither_does_a_default_that_is_said(door: Door) -> None:
    await put(door, LONDON)
    before = await door.counts()

    again = await put(door, LONDON)
    default = await put(door, {**LONDON, "mode": "live"})

    assert [(one["changed"], one["version"], one["changes"]) for one in (again, default)] == [(False, 1, [])] * 2
    assert await door.counts() == before


async def test_what_was_decided_on_another_version_is_refused(door: Door) -> None:
    await put(door, LONDON, if_match='"0"')

    late = await door.ask("PUT", PATH, {"profile": {}}, key=OPERATOR_KEY, if_match='"0"')
    taken = await put(door, {}, if_match='"1"')

    assert (late.status_code, late.json()["code"]) == (412, "VERSION_CHANGED")
    assert (taken["version"], taken["in_force"]["zone"]) == (2, None)


async def test_every_place_that_is_wrong_is_named_with_what_is_allowed_and_nothing_is_kept(door: Door) -> None:
    before = await door.counts()
    profile = {"zone": "Europe/Londn", "hl7v2": {"time": {}, "place": ["PV1.3"]}}

    answer = await door.ask("PUT", PATH, {"profile": profile}, key=OPERATOR_KEY)

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "UNKNOWN_ZONE")
    assert "did you mean Europe/London?" in told["detail"]
    assert [(error["place"], error["code"]) for error in told["errors"]] == [
        ("profile.zone", "UNKNOWN_ZONE"),
        ("profile.hl7v2.place.0", "WRONG_PATTERN"),
        ("profile.hl7v2.time", "UNKNOWN_FIELD"),
    ]
    assert "did you mean times?" in told["errors"][2]["detail"]
    assert await door.counts() == before


@pytest.mark.parametrize(
    ("client", "path", "status", "code"),
    [
        (replace(MANAGER, may_manage_clinics=False), PATH, 403, "MAY_NOT_MANAGE_CLINICS"),
        (replace(MANAGER, clinics=("EYE",)), PATH, 403, "FOREIGN_CLINIC"),
        (MANAGER, "/v1/sources/other/profile", 403, "FOREIGN_SOURCE"),
        (MANAGER, PATH, 200, None),
    ],
)
async def test_g9_a_profile_is_for_the_operator_or_a_client_of_that_source_with_the_right(
    door: Door, client: Client, path: str, status: int, code: str | None
) -> None:
    answer = await door.ask("PUT", path, {"profile": LONDON}, key=await door.client(client))

    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_a_clinic_that_nobody_entered_is_warned_of_and_a_known_default_clinics_zone_counts(door: Door) -> None:
    given = await put(door, {"clinic": "EYE", "hl7v2": {"clinics": {"RNJ": "NOSUCH"}}})
    current = CurrentProfiles(door.pool)
    await current.refresh()

    assert [(one["code"], one["place"]) for one in given["warnings"]] == [
        ("UNKNOWN_CLINIC", "profile.hl7v2.clinics.RNJ")
    ]
    zone = await door.pool.fetchval("SELECT zone FROM clinic WHERE clinic_id = 'EYE'")
    assert (current.zone_of("local"), current.zone_of("other")) == (ZoneInfo(zone), None)


async def test_versions_are_told_page_by_page_newest_first(door: Door) -> None:
    for zone in ("Europe/London", "Europe/Paris", "Europe/Rome"):
        await put(door, {"zone": zone})

    first = (await door.ask("GET", f"{PATH}/versions?limit=2")).json()
    rest = (await door.ask("GET", f"{PATH}/versions?limit=2&before={first['next_before']}")).json()

    items = first["items"] + rest["items"]
    assert [(one["version"], one["profile"]["zone"]) for one in items] == [
        (3, "Europe/Rome"), (2, "Europe/Paris"), (1, "Europe/London")
    ]  # fmt: skip
    assert {(one["applied_by"], one["reason"], len(one["sha256"])) for one in items} == {("operator", "connected", 64)}
    assert rest["next_before"] is None


async def test_keys_of_a_later_release_are_passed_over_and_the_rest_holds(door: Door) -> None:
    kept = '{"zone": "Europe/London", "newer": 1, "hl7v2": {"times": {"gap": "sideways", "default_minutes": 20}}}'
    await door.pool.execute(
        "INSERT INTO source_profile (source, version, profile, sha256, applied_at, applied_by)"
        " VALUES ('local', 7, $1, '', now(), 'x')",
        kept,
    )
    current = CurrentProfiles(door.pool)
    await current.refresh()

    held = current.of("local")
    assert (held.zone, held.hl7v2.times.default_minutes, held.hl7v2.times.gap) == ("Europe/London", 20, "later")
    assert (await door.ask("GET", PATH)).json()["in_force"]["zone"] == "Europe/London"


async def test_the_schema_is_told_to_whoever_may_ask(door: Door) -> None:
    schema = (await door.ask("GET", "/v1/sources/profile-schema")).json()

    assert schema["properties"]["zone"]["description"].startswith("IANA or Windows zone")
    assert schema["additionalProperties"] is False
