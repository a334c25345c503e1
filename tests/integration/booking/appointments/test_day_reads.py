"""A day of a clinic among 400,000 visits reads the rows that it shows, and so does a provider's."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from booking.appointments.visits import page_statement
from booking.appointments.wanted import Wanted
from booking.door.domain import Client
from chassis.postgres.database import Connection
from tests.integration.booking.appointments.partitions import connected
from tests.integration.booking.appointments.test_listing import read
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation

pytestmark = pytest.mark.integration

VISITS, CLINICS, A_DAY = 400_000, 20, 125
"""160 days of 20 clinics."""
FIRST = datetime(2027, 1, 1, 8, tzinfo=UTC)
FILL = """
INSERT INTO booking.appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode,
                                 clinic_id, patient_id, provider_id, starts_at, schedule_gen)
SELECT uuidv7(), 'local', 1, 'booked', now(), now(), false, 'live', 'C' || n % 20, gen_random_uuid(),
       ('00000000-0000-7000-8000-' || lpad((n % 20 * 10 + n / 20 % 10)::text, 12, '0'))::uuid,
       $1::timestamptz + (n / 20 / 125) * interval '1 day' + (n / 20 % 125) * interval '4 minutes', 1
FROM generate_series(0, $2::int - 1) AS n
"""


@pytest.fixture(scope="module")
def full(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """Fill one database once."""

    async def prepare(name: str) -> None:
        async with connected(postgres.url(name)) as admin:
            await admin.execute(FILL, FIRST, VISITS)
            await admin.execute("VACUUM ANALYZE booking.appointment")

    with databases.template(postgres, prepare, migrated_template) as name:
        yield name


@pytest.fixture
async def door(postgres: PostgresServer, full: str) -> AsyncIterator[Door]:
    """Give the API on that many visits."""
    async with databases.fresh(postgres, full) as url, opened(Installation("127.0.0.1:1", url, "")) as found:
        for number in range(CLINICS):
            await found.put(f"/v1/clinics/C{number}", {"name": f"Clinic {number}", "zone": "UTC"})
        yield found


async def test_a_day_reads_its_rows_and_no_more(door: Door, postgres: PostgresServer) -> None:
    async with door.pool.acquire() as connection:
        whole = await looked_at(door, connection, clinic="C7", day="2027-06-01")
        one = await looked_at(door, connection, clinic="C7", day="2027-06-01", provider=provider(73))
        several = await looked_at(door, connection, provider=provider(73), to="2027-01-03T00:00:00Z")
        few = await looked_at(door, connection, clinic="C7", day="2027-06-01", status="cancelled")

    for (shown, rows), expected, read_ in zip(
        (whole, one, several, few), (A_DAY, 13, 25, 0), (A_DAY, 13, 25, A_DAY), strict=True
    ):
        assert abs(shown - expected) <= 1
        assert rows == pytest.approx(10 * read_, abs=15)
    assert await plan_reads(door) == (A_DAY, {"appointment_of_source_at_clinic"})


def provider(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


async def looked_at(door: Door, connection: Connection, **asked: Any) -> tuple[int, int]:
    """Return how many visits are shown, and how much is read for them in ten times: by then PostgreSQL keeps a plan."""
    before, shown = await read(connection, door), 0
    for _ in range(10):
        answer = await door.ask("GET", f"/v1/appointments?{urlencode(asked)}")
        assert answer.status_code == 200, answer.text
        shown = len(answer.json()["items"])
    return shown, await read(connection, door) - before


async def plan_reads(door: Door) -> tuple[int, set[str]]:
    """Return how many rows of visits the plan of a day reads, and by which indexes."""
    start = FIRST.replace(hour=0) + timedelta(days=151)
    day = Wanted(start, start + timedelta(days=1), clinic="C7")
    statement, values = page_statement(Client("local", ("local",)), ["local"], day, None, 1_000)
    told = json.loads(await door.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values))
    nodes = [node for node in below(told[0]["Plan"]) if node.get("Relation Name") == "appointment"]
    rows = sum(node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0) for node in nodes)
    return int(rows), {node.get("Index Name", node["Node Type"]) for node in nodes}


def below(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from below(part)


async def test_a_day_of_155_visits_of_150_patients_is_cancelled_by_three_calls_among_many(door: Door) -> None:
    """One to look, one to try, one to do: what took 158 calls and a script."""
    start = datetime(2028, 6, 1, 8, tzinfo=UTC)
    bodies = [
        booking(f"e{n}", f"v{n}", clinic="C7", patient={"id": f"p{n % 150}"}, end=None,
                start=f"{start + n * timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}")
        for n in range(155)
    ]  # fmt: skip
    await door.post(bodies)
    day = {"clinic": "C7", "day": "2028-06-01"}

    listed = (await door.ask("GET", f"/v1/appointments?{urlencode(day)}")).json()
    tried = (await door.ask("POST", "/v1/appointments/cancel", {**day, "dry_run": True})).json()
    done = (await door.ask("POST", "/v1/appointments/cancel", {**day, "event_id": "ill"})).json()

    assert len(listed["items"]) == 155
    assert tried["totals"] == done["totals"]
    assert (done["totals"]["applied"], done["totals"]["patients_told"], done["next_after"]) == (155, 150, None)
