"""Who may give orders at a desk, what is kept of them, and what no order is."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.support.booking.desk import DAY, ILL, booked, desk, statuses
from tests.support.booking.door import OPERATOR_KEY, Door, booking


async def test_who_may(door: Door) -> None:
    await booked(door)
    refused = await desk(door, "cancel", ILL, status=403, key=OPERATOR_KEY)
    assert refused["code"] == "OPERATOR_BOOKS_NOTHING"
    await door.put("/v1/clinics/ENT", {"name": "Throat Clinic", "zone": "Europe/London"})
    elsewhere = await door.client(Client("elsewhere", ("local",), ("ENT",)))
    assert (await desk(door, "cancel", ILL, status=403, key=elsewhere))["code"] == "FOREIGN_CLINIC"
    other = await door.client(Client("other", ("other",)))
    assert (await desk(door, "cancel", ILL, key=other))["visits"] == 0
    assert set((await statuses(door)).values()) == {"booked"}


async def test_a_source_names_what_came_from_it_alone(door: Door) -> None:
    both = await door.client(Client("both", ("local", "web")))
    await booked(door, 2)
    web = {**booking("w", "w0", start="2027-03-12T15:00:00Z", end=None), "source": "web"}
    assert (await door.ask("POST", "/v1/events", web, key=both)).status_code == 200

    assert (await desk(door, "cancel", {**ILL, "source": "x"}, status=403, key=both))["code"] == "FOREIGN_SOURCE"
    assert (await desk(door, "cancel", {**ILL, "source": ""}, status=422, key=both))["code"] == "EMPTY_TEXT"
    moved = await desk(door, "move", {**ILL, "event_id": "m", "by_minutes": 15, "source": "local"}, key=both)
    assert [one["source_id"] for one in moved["results"]] == ["v0", "v1"]
    told = await desk(door, "cancel", {**ILL, "source": "web"}, key=both)

    assert [one["source_id"] for one in told["results"]] == ["w0"]
    assert await statuses(door) == {"v0": "booked", "v1": "booked", "w0": "cancelled"}


async def test_every_order_is_kept_with_who_and_why(door: Door) -> None:
    await booked(door)
    await desk(door, "move", {**ILL, "event_id": "m", "by_minutes": 15, "reason": None, "by": None})
    await desk(door, "cancel", ILL)

    mine = (await door.ask("GET", "/v1/desk-changes")).json()["items"]
    assert [(one["event_id"], one["act"], one["by"], one["reason"], one["visits"]) for one in mine] == [
        ("day-1", "cancel", "Ms Desk", "Dr Who is ill", 4), ("m", "move", None, "moved at the clinic's desk", 4),
    ]  # fmt: skip
    assert (await door.ask("GET", "/v1/desk-changes", key=OPERATOR_KEY)).json()["items"] == mine
    other = await door.client(Client("other", ("other",)))
    assert (await door.ask("GET", "/v1/desk-changes", key=other)).json() == {"items": [], "next_before": None}
    (last,) = (await door.ask("GET", f"/v1/desk-changes?limit=1&before={mine[0]['change_id']}")).json()["items"]
    assert last == mine[1]


@pytest.mark.parametrize(
    ("act", "body", "code", "place"),
    [
        ("cancel", {"event_id": "a"}, "WHICH_VISITS", "clinic"),
        ("cancel", {"event_id": "a", "clinic": "EYE"}, "WHICH_VISITS", "day"),
        ("cancel", {"event_id": "a", **DAY, "ids": ["0189abcd-0000-7000-8000-000000000001"]}, "WHICH_VISITS", "ids"),
        (
            "cancel",
            {"event_id": "a", "source": "local", "ids": ["0189abcd-0000-7000-8000-000000000001"]},
            "WHICH_VISITS",
            "ids",
        ),
        ("cancel", {**DAY}, "MISSING_FIELD", "event_id"),
        ("cancel", {**ILL, "provder": "dr-who"}, "UNKNOWN_FIELD", "provder"),
        ("cancel", {**ILL, "day": "12.3.2027"}, "BAD_DAY", "day"),
        ("cancel", {**ILL, "clinic": "NOPE"}, "UNKNOWN_CLINIC", "clinic"),
        ("cancel", {**ILL, "status": ["gone"]}, "UNKNOWN_STATUS", "status.0"),
        ("cancel", {**ILL, "to_day": "2027-03-15"}, "UNKNOWN_FIELD", "to_day"),
        ("cancel", {**ILL, "reason": "two\nlines"}, "CONTROL_CHARACTER", "reason"),
        ("cancel", {**ILL, "event_id": "k" * 151}, "FIELD_TOO_LONG", "event_id"),
        ("cancel", {**ILL, "dry_run": "yes"}, "WRONG_TYPE", "dry_run"),
        ("move", {**ILL}, "WHERE_TO", "to_day"),
        ("move", {**ILL, "by_minutes": 0}, "WHERE_TO", "to_day"),
        ("move", {**ILL, "by_minutes": 30, "to_day": "2027-03-15"}, "WHERE_TO", "to_day"),
        ("move", {**ILL, "by_minutes": 10**7}, "NUMBER_OUT_OF_RANGE", "by_minutes"),
        ("move", {**ILL, "to_day": "tomorrow"}, "BAD_DAY", "to_day"),
        ("cancel", {"event_id": "a", "ids": ["7"]}, "WRONG_TYPE", "ids.0"),
        ("cancel", {"event_id": "a", "ids": []}, "EMPTY_TEXT", "ids"),
    ],
)
async def test_a_bad_order_names_its_place_and_leaves_nothing(
    door: Door, act: str, body: Any, code: str, place: str
) -> None:
    await booked(door, 1)
    before = await door.counts()

    told = await desk(door, act, body, status=422)

    assert (told["code"], told["errors"][0]["place"]) == (code, place)
    assert await door.counts() == before


async def test_an_unknown_provider_is_no_empty_day(door: Door) -> None:
    await booked(door, 1)

    assert (await desk(door, "cancel", {**ILL, "provider": "dr-nobody"}, status=404))["code"] == "UNKNOWN_PROVIDER"


async def test_what_lies_in_the_past_is_left_to_events(door: Door) -> None:
    await door.post(
        [
            booking("a", "early", start="2027-03-11T08:00:00Z", end=None),
            booking("b", "late", start="2027-03-11T15:00:00Z", end=None),
        ]
    )
    told = await desk(door, "cancel", {**ILL, "day": "2027-03-11"})
    assert [one["code"] for one in told["results"]] == ["ALREADY_BEGUN", None]

    await door.post(booking("c", "next", start="2027-03-12T15:00:00Z", end=None))
    (one,) = (await desk(door, "move", {**ILL, "event_id": "m", "to_day": "2027-03-10"}))["results"]
    assert (one["status"], one["code"]) == (422, "START_PASSED")
