"""A clinic's day is one question: which visits, when by its clock, with whom, and who comes if he may be shown."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from booking.door.domain import Client
from chassis.process.clock import StillClock
from tests.integration.booking.appointments.test_two_writers import SOON
from tests.support.booking.door import KEY, OPERATOR_KEY, PROVIDER, Door, booking, opened
from tests.support.installation import Installation


@pytest.fixture
async def door(base: Installation) -> AsyncIterator[Door]:
    """Give the API a day before the visits, with two clinics and two doctors."""
    async with opened(base, StillClock(SOON)) as found:
        await found.put("/v1/clinics/ENT", {"name": "Throat Clinic", "zone": "America/New_York", "country": "US"})
        await found.put("/v1/providers/dr-who", {"name": "Dr Who"})
        yield found


async def asked(door: Door, key: str = KEY, code: int = 200, **query: Any) -> Any:
    answer = await door.ask("GET", f"/v1/appointments?{urlencode(query, doseq=True)}", key=key)
    assert answer.status_code == code, answer.text
    return answer.json()


async def names(door: Door, key: str = KEY, **query: Any) -> list[str]:
    return [one["source_id"] for one in (await asked(door, key, **query))["items"]]


async def week(door: Door) -> None:
    """Book visits at both clinics around the 12th of March, and on the day on which the clocks change."""
    visits = {
        "before": ("2027-03-11T23:59:00Z", "EYE", "ann"),
        "first": ("2027-03-12T00:00:00Z", "EYE", "ann"),
        "noon": ("2027-03-12T12:00:00Z", "EYE", "ben"),
        "last": ("2027-03-12T23:59:00Z", "EYE", "ben"),
        "after": ("2027-03-13T00:00:00Z", "EYE", "ann"),
        "evening": ("2027-03-13T03:00:00Z", "ENT", "ann"),
        "spring": ("2027-03-28T22:30:00Z", "EYE", "ann"),
        "spring's next": ("2027-03-28T23:30:00Z", "EYE", "ann"),
    }
    await door.post(
        [
            booking(f"e-{name}", name, start=start, end=None, clinic=clinic, patient={"id": patient})
            for name, (start, clinic, patient) in visits.items()
        ]
    )


async def test_a_day_is_the_clinics_own(door: Door) -> None:
    await week(door)

    assert await names(door, clinic="EYE", day="2027-03-12") == ["first", "noon", "last"]
    assert await names(door, clinic="EYE", day="tomorrow") == ["first", "noon", "last"]
    assert await names(door, clinic="EYE", day="today") == ["before"]
    assert await names(door, clinic="ENT", day="2027-03-12") == ["evening"]
    assert await names(door, clinic="EYE", day="2027-03-28") == ["spring"]
    assert await names(door, clinic="EYE", day="2027-03-29") == ["spring's next"]


async def test_an_item_has_what_a_desk_needs(door: Door) -> None:
    await door.put("/v1/patients/ann", {"given_name": "Ann", "family_name": "Onymous", "mobile": "+447700900123"})
    await week(door)

    first = (await asked(door, clinic="EYE", day="2027-03-28"))["items"][0]

    ids = {name: first.pop(name) for name in ("appointment_id", "patient_id")}
    assert all(ids.values())
    assert first == {
        "version": 1, "schedule_gen": 1, "source": "local", "source_id": "spring", "status": "booked",
        "confirmed": False, "starts_at": "2027-03-28T22:30:00Z", "starts_local": "2027-03-28T23:30:00",
        "ends_at": None, "zone": "Europe/London", "clinic_id": "EYE", "service_type": "Check", "reason": None,
        "provider_id": PROVIDER, "provider_name": "Dr Who",
        "patient_name": "Ann Onymous", "patient_mobile": "+447700900123", "patient_withheld": None,
    }  # fmt: skip


async def test_filters_by_our_ids_and_the_sources_and_all_together(door: Door) -> None:
    await week(door)
    await door.post(
        [
            booking("x", "noon", status="cancelled", start=None, end=None, patient={"id": "ben"}),
            booking(
                "y", "two", start="2027-03-12T09:00:00Z", end=None, provider={"id": "dr-two"}, patient={"id": "ben"}
            ),
        ]
    )
    day: dict[str, Any] = {"clinic": "EYE", "day": "2027-03-12"}
    ben = (await asked(door, **day))["items"][1]["patient_id"]

    assert await names(door, **day, provider="dr-who") == ["first", "noon", "last"]
    assert await names(door, **day, provider=PROVIDER) == ["first", "noon", "last"]
    assert await names(door, **day, status="cancelled") == ["noon"]
    assert await names(door, **day, status=["cancelled", "booked"], patient="ben") == ["two", "noon", "last"]
    assert await names(door, patient=ben) == ["two", "noon", "last"]
    assert await names(door, patient=ben, provider="dr-two") == ["two"]
    assert await names(door, provider="dr-who", to="2027-03-12T12:00:00Z") == ["before", "first"]
    assert await names(door, **{"from": "2027-03-12T12:00:00Z", "to": "2027-03-13T03:00:00Z"}) == [
        "noon",
        "last",
        "after",
    ]
    assert await names(door, OPERATOR_KEY, clinic="ENT") == ["evening"]


async def test_pages_follow_each_other(door: Door) -> None:
    await week(door)
    found: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = await asked(door, clinic="EYE", limit=2, **after)
        found += [one["source_id"] for one in page["items"]]
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}

    assert found == ["before", "first", "noon", "last", "after", "spring", "spring's next"]


async def test_the_forms_of_before_answer_as_they_did(door: Door) -> None:
    await week(door)

    later: dict[str, Any] = {"from": "2027-03-12T12:00:00Z"}
    items = (await asked(door, **later))["items"]

    assert {tuple(one) for one in items} == {("appointment_id", "version", "schedule_gen")}
    assert (await asked(door, id="noon"))["source_id"] == "noon"


async def test_a_name_is_shown_to_whoever_may_read_the_patient(door: Door) -> None:
    await door.put("/v1/patients/ann", {"given_name": "Ann", "mobile": "+447700900123"})
    await week(door)

    async def shown(key: str, clinic: str = "EYE", day: str = "2027-03-12") -> list[tuple[str | None, str | None]]:
        items = (await asked(door, key, clinic=clinic, day=day))["items"]
        assert all((one["patient_name"] is None) == (one["patient_mobile"] is None) for one in items)
        return [(one["patient_name"], one["patient_withheld"]) for one in items]

    ben = (None, "UNREGISTERED")
    assert await shown(KEY) == [("Ann", None), ben, ben]
    assert await shown(OPERATOR_KEY) == [("Ann", None), ben, ben]
    one_clinic = await door.client(Client("eye", ("local",), ("EYE",)))
    assert await shown(one_clinic) == [(None, "FOREIGN_PATIENT"), ben, ben], "she visits ENT as well"
    both = await door.client(Client("both", ("local",), ("EYE", "ENT")))
    assert await shown(both) == [("Ann", None), ben, ben]
    assert await shown(await door.client(Client("other", ("other",)))) == []


async def test_a_file_that_was_merged_is_found_by_the_one_that_is_kept(door: Door) -> None:
    await door.put("/v1/patients/kept", {"given_name": "Ben"})
    await week(door)
    await door.post(booking("x", "noon", status="cancelled", start=None, end=None, patient={"id": "ben"}))
    await door.ask("POST", "/v1/patients/ben/merge", {"into": {"id": "kept"}})

    assert await names(door, patient="kept") == ["noon", "last"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"day": "2027-03-12"}, 422, "CLINIC_REQUIRED"),
        ({"clinic": "EYE", "day": "12.3.2027"}, 422, "BAD_DAY"),
        ({"clinic": "EYE", "day": "yesterday"}, 422, "BAD_DAY"),
        ({"clinic": "EYE", "day": "2027-03-12", "to": "2027-03-13T00:00:00Z"}, 422, "DAY_OR_RANGE"),
        ({"clinic": "EYE", "day": "2027-03-12", "from": "2027-03-13T00:00:00Z"}, 422, "DAY_OR_RANGE"),
        ({"clinic": "NOPE"}, 422, "UNKNOWN_CLINIC"),
        ({"clinic": "e"}, 422, "ILLEGAL_CLINIC_CODE"),
        ({"to": "2027-03-12"}, 422, "BAD_TIME"),
        ({"status": "gone"}, 422, "INVALID_REQUEST"),
        ({"provider": "dr-nobody"}, 404, "UNKNOWN_PROVIDER"),
        ({"provider": "0189abcd-0000-7000-8000-000000000001"}, 404, "UNKNOWN_PROVIDER"),
        ({"patient": "nobody"}, 404, "UNKNOWN_PATIENT"),
        ({"patient": "0189abcd-0000-7000-8000-000000000001"}, 404, "UNKNOWN_PATIENT"),
        ({"patient": "ann", "source": "other"}, 403, "FOREIGN_SOURCE"),
        ({"clinik": "EYE"}, 422, "UNKNOWN_PARAMETER"),
    ],
)
async def test_a_question_that_is_none_says_so(door: Door, query: dict[str, Any], status: int, code: str) -> None:
    await week(door)

    assert (await asked(door, KEY, status, **query))["code"] == code


async def test_ids_of_ours_are_enough_for_whoever_has_several_sources(door: Door) -> None:
    await week(door)
    several = await door.client(Client("several", ("local", "other")))
    ann = (await asked(door, clinic="EYE", day="2027-03-12"))["items"][0]["patient_id"]

    assert await names(door, several, patient=ann, clinic="ENT") == ["evening"]
    assert await names(door, several, provider=PROVIDER, clinic="ENT") == ["evening"]
    assert (await asked(door, several, 422, patient="ann"))["code"] == "SOURCE_REQUIRED"
    assert await names(door, several, patient="ann", source="local", clinic="ENT") == ["evening"]
    stranger = await door.client(Client("stranger", ("other",)))
    assert (await asked(door, stranger, 404, patient=ann))["code"] == "UNKNOWN_PATIENT"


async def test_a_source_is_asked_for_alone(door: Door) -> None:
    await week(door)
    both = await door.client(Client("both", ("local", "web")))
    web = {**booking("w", "w", start="2027-03-12T15:00:00Z", end=None, patient={"id": "ann"}), "source": "web"}
    assert (await door.ask("POST", "/v1/events", web, key=both)).status_code == 200
    day = {"clinic": "EYE", "day": "2027-03-12"}

    assert await names(door, both, **day) == ["first", "noon", "w", "last"]
    ever: dict[str, Any] = {"from": "2027-03-01T00:00Z"}
    for key in (both, OPERATOR_KEY):
        assert await names(door, key, **day, source="web") == ["w"]
        assert await names(door, key, **day, source="local") == ["first", "noon", "last"]
        assert await names(door, key, **day, provider=PROVIDER, source="web") == []
        (light,) = (await asked(door, key, **ever, source="web"))["items"]
        assert "source" not in light
    for query in (day, {"from": "2027-03-01T00:00Z"}, {"provider": PROVIDER}):
        assert (await asked(door, both, 403, **query, source="x"))["code"] == "FOREIGN_SOURCE"
