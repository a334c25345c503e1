"""The read API over real records: every filter, pages, the forecast, and what a wrong question is told."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from chassis.api.page_cursor import Cursor
from chassis.postgres.database import Pool
from reminders.projector import pages
from reminders.projector.pages import Filters
from reminders.settings import Settings
from reminders.wiring import reading_api
from schemas.notifications import Outcome
from schemas.planning import plan
from tests.integration.reminders.projector.test_forecast import due, outcome, planned, take, told
from tests.support.reminders.builders import ANY_HOUR, NOW, VISIT, appointment, id_of

pytestmark = pytest.mark.integration

KEY = "the operator's key"


class Api:
    """The read API without a server."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **params: Any) -> Any:
        """Ask and return the answer's body."""
        given = {name.rstrip("_"): str(value) for name, value in params.items()}
        answer = await self._client.get(path, params=given)
        assert answer.status_code in {200, 422}, answer.text
        return answer.json()

    async def rules(self, **params: Any) -> list[tuple[str, str]]:
        """Return the visits and rules of all pages, in order."""
        found: list[tuple[str, str]] = []
        after: dict[str, str] = {}
        while True:
            page = await self.get("/v1/reminders", **params, **after)
            found += [(item["appointment_id"], item["rule"]) for item in page["items"]]
            if page["next_after"] is None:
                return found
            after = {"after": page["next_after"]}


@pytest.fixture
async def api(pool: Pool) -> AsyncIterator[Api]:
    """Give the API over an empty database."""
    settings = Settings.model_construct(operator_key_sha256=SecretStr(hashlib.sha256(KEY.encode()).hexdigest()))
    app = reading_api(settings, pool)
    headers = {"Authorization": f"Bearer {KEY}"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield Api(client)


async def book(pool: Pool, count: int, starts_at: datetime = VISIT) -> None:
    """Take plans of visits one hour apart, in two clinics in turn."""
    visits = [
        appointment(f"visit {n}", starts_at=starts_at + timedelta(hours=n), window=ANY_HOUR).model_copy(
            update={"clinic_id": "EYE" if n % 2 == 0 else "SKIN"}
        )
        for n in range(count)
    ]
    await take(pool, [told(planned(visit)) for visit in visits])


async def test_r11_reminders_by_clinic_range_and_status_page_by_page(pool: Pool, api: Api) -> None:
    await book(pool, 12)
    first = plan(appointment("visit 0"))[0]
    await take(
        pool, [told(due(appointment("visit 0"), first)), told(outcome(appointment("visit 0"), first, Outcome.ACCEPTED))]
    )

    eye = await api.rules(clinic="EYE", limit=3)

    whole = await api.get("/v1/reminders", clinic="EYE")
    assert eye == [(item["appointment_id"], item["rule"]) for item in whole["items"]]
    assert len(eye) == len(set(eye)) == 12
    assert [item["scheduled_for"] for item in whole["items"]] == sorted(i["scheduled_for"] for i in whole["items"])
    assert len(await api.rules(patient=id_of("patient"), limit=5)) == 24
    assert len(await api.rules(clinic="EYE", patient=id_of("patient"), status="SCHEDULED")) == 11
    assert await api.rules(clinic="EYE", status="SENT") == [(str(id_of("visit 0")), "24h")]
    assert await api.rules(clinic="SKIN", status="FAILED") == []
    day_before = VISIT - timedelta(hours=24)
    inside = {"from_": day_before.isoformat(), "to": (day_before + timedelta(hours=2)).isoformat()}
    assert await api.rules(clinic="EYE", **inside) == [(str(id_of("visit 0")), "24h")]
    assert await api.rules(appointment=id_of("visit 1"), **inside) == [(str(id_of("visit 1")), "24h")]


async def test_a_page_holds_its_place_while_others_come_and_go(pool: Pool, api: Api) -> None:
    await book(pool, 6)
    first = await api.get("/v1/reminders", clinic="EYE", limit=2)

    await take(pool, [told(planned(appointment("earlier", starts_at=VISIT - timedelta(hours=30))))])
    rest = await api.get("/v1/reminders", clinic="EYE", limit=100, after=first["next_after"])

    assert [i["rule"] for i in first["items"] + rest["items"]] == ["24h"] * 3 + ["2h"] * 3


async def test_records_whose_time_is_not_known_yet_come_last(pool: Pool, api: Api) -> None:
    visit = appointment("visit 0")
    other = appointment("visit 0", schedule_gen=2)
    unknown = [told(outcome(other, reminder, Outcome.FAILED)) for reminder in plan(other)]
    await take(pool, [told(planned(visit)), *unknown])

    found = await api.rules(appointment=id_of("visit 0"), limit=1)

    assert [rule for _, rule in found] == ["24h", "2h", None, None]


REFUSED: list[tuple[dict[str, str], str]] = [
    ({}, "NO_FILTER"),
    ({"status": "SENT"}, "NO_FILTER"),
    ({"clinic": "EYE", "from": "2026-03-02T09:00:00Z", "to": "2026-03-02T09:00:00Z"}, "BAD_RANGE"),
    ({"clinic": "EYE", "after": "x"}, "BAD_CURSOR"),
    ({"clinic": "EYE", "after": "é"}, "BAD_CURSOR"),
    ({"clinic": "EYE", "after": Cursor(datetime(2026, 1, 1), id_of("x")).text()[:-3]}, "BAD_CURSOR"),  # noqa: DTZ001
    ({"clinic": "EYE", "from": "2026-03-02T09:00:00"}, "INVALID_REQUEST"),
    ({"clinic": "EYE", "to": "9999-12-31T23:59:59-14:00"}, "INVALID_REQUEST"),
    ({"clinic": "eye"}, "INVALID_REQUEST"),
    ({"clinic": "EYE", "limit": "0"}, "INVALID_REQUEST"),
    ({"clinic": "EYE", "limit": "1001"}, "INVALID_REQUEST"),
    ({"clinic": "EYE", "status": "sent"}, "INVALID_REQUEST"),
]


async def test_a_question_that_cannot_be_answered_is_told_why(api: Api) -> None:
    problems = [(params, await api.get("/v1/reminders", **params)) for params, _ in REFUSED]

    assert [problem["code"] for _, problem in problems] == [code for _, code in REFUSED]
    for params, problem in problems:
        assert not any(value in json.dumps(problem) for value in params.values() if len(value) > 4)


async def test_b9_the_forecast_by_minute_hour_and_day(pool: Pool, api: Api) -> None:
    await book(pool, 30)
    whole = {"from_": NOW.isoformat(), "to": (VISIT + timedelta(days=1, hours=23)).isoformat()}

    minutes = await api.get("/v1/forecast", clinic="EYE", **whole)
    hours = await api.get("/v1/forecast", step="hour", **whole)
    days = await api.get("/v1/forecast", step="day", zone="America/New_York", **whole)
    summed = [(await api.get("/v1/forecast", clinic=clinic, **whole))["total"] for clinic in ("EYE", "SKIN")]

    assert minutes["items"][0] == {"at": (VISIT - timedelta(hours=24)).isoformat().replace("+00:00", "Z"), "due": 1}
    assert minutes["total"] == 30
    assert sum(summed) == hours["total"] == days["total"] == 60
    assert max(item["due"] for item in hours["items"]) == 2
    assert {item["at"][11:] for item in days["items"]} == {"05:00:00Z"}


NO_FORECAST: list[tuple[dict[str, str], str]] = [
    ({}, "INVALID_REQUEST"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2026-03-01T09:00:00Z"}, "BAD_RANGE"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2026-04-02T09:00:00Z"}, "RANGE_TOO_LONG"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2028-04-02T09:00:00Z", "step": "day"}, "RANGE_TOO_LONG"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2026-03-03T09:00:00Z", "zone": "Mars/Base"}, "UNKNOWN_ZONE"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2026-03-03T09:00:00Z", "zone": "../etc"}, "UNKNOWN_ZONE"),
    ({"from": "2026-03-02T09:00:00Z", "to": "2026-03-03T09:00:00Z", "step": "week"}, "INVALID_REQUEST"),
]


async def test_a_forecast_that_cannot_be_given_is_told_why(api: Api) -> None:
    problems = [await api.get("/v1/forecast", **params) for params, _ in NO_FORECAST]

    assert [problem["code"] for problem in problems] == [code for _, code in NO_FORECAST]


async def test_no_list_scans_or_sorts(pool: Pool) -> None:
    """Every list is read in the order of an index: the time of a page does not grow with the records behind it."""
    await book(pool, 40)
    questions = {
        "reminder_clinic": {"clinic": "EYE", "from": NOW, "to": VISIT, "status": "SCHEDULED"},
        "reminder_patient": {"patient": id_of("patient")},
        "reminder_appointment": {"appointment": id_of("visit 0")},
        "reminder_failed": {"clinic": "EYE", "status": "FAILED"},
    }
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        for index, asked in questions.items():
            statement, arguments = pages.query(Filters.model_validate(asked))
            shown = "\n".join(r[0] for r in await connection.fetch(f"EXPLAIN {statement}", *arguments))
            assert f"using {index} " in shown, shown
            if index in ("reminder_clinic", "reminder_failed"):
                assert "Sort" not in shown
