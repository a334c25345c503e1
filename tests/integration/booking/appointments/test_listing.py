"""The list of visits from a moment on: soonest first, each once, and no more is read than is shown."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest

from booking.door.domain import Client
from chassis.postgres.database import Connection
from chassis.process.clock import RealClock
from tests.integration.booking.appointments.partitions import connected
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import KEY, OPERATOR_KEY, Door, booking, opened
from tests.support.installation import Installation

pytestmark = pytest.mark.integration

PAST, OTHERS, OWN = 200_000, 50_000, 90
FILL = """
INSERT INTO booking.appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode,
                                 clinic_id, patient_id, starts_at, schedule_gen)
SELECT uuidv7(), $1, 1, 'booked', now(), now(), false, 'live', $2, gen_random_uuid(),
       now() + $3::interval * (n % 1000 + 1), 1
FROM generate_series(1, $4::int) AS n
"""
WHO = {
    "operator": None,
    "all clinics": Client("all clinics", ("few",)),
    "one clinic": Client("one clinic", ("few",), ("ENT",)),
    "of many": Client("of many", ("few", "local", "none"), ("ENT", "HAND", "SKIN", "VOID")),
    "of all sources": Client("of all sources", ("*",), ("ENT",)),
}


async def fill(admin: Connection) -> None:
    """Make a long past, a future of others, and few visits of the source `few`, a third each at 3 clinics."""
    day = timedelta(days=1)
    await admin.execute(FILL, "local", "EYE", -day, PAST)
    await admin.execute(FILL, "local", "EYE", day / 50, OTHERS)
    await admin.execute(FILL, "others", "ENT", day / 50, OTHERS)
    for clinic in ("EYE", "ENT", "SKIN"):
        await admin.execute(FILL, "few", clinic, day / 3, OWN // 3)
    await admin.execute("VACUUM ANALYZE booking.appointment")


async def read(admin: Connection, door: Door) -> int:
    """Return how many rows and entries of indexes were read of the table so far."""
    await door.pool.execute("SELECT pg_stat_force_next_flush()")
    found = await admin.fetchval(
        "SELECT t.seq_tup_read + sum(i.idx_tup_read)::bigint FROM pg_stat_user_tables t "
        "JOIN pg_stat_user_indexes i USING (relid) WHERE t.relname = 'appointment' AND t.schemaname = 'booking' "
        "GROUP BY t.seq_tup_read"
    )
    return int(found)


@pytest.fixture(scope="module")
def full(postgres: PostgresServer, migrated_template: str) -> Iterator[str]:
    """Fill one database; each test copies it, in a tenth of the time."""

    async def prepare(name: str) -> None:
        async with connected(postgres.url(name)) as admin:
            await fill(admin)

    with databases.template(postgres, prepare, migrated_template) as name:
        yield name


@pytest.mark.parametrize("who", WHO)
async def test_a_page_reads_what_it_shows_whatever_is_past_or_others(
    postgres: PostgresServer, full: str, who: str
) -> None:
    """Ten times: PostgreSQL may then keep a plan for any value."""
    async with databases.fresh(postgres, full) as url, opened(Installation("127.0.0.1:1", url, "")) as door:
        client = WHO[who]
        key = OPERATOR_KEY if client is None else await door.client(client)
        async with connected(url) as admin:
            shown, looked_at = await paged(admin, door, key)

    assert shown >= OWN // 3
    assert shown <= looked_at <= 2 * shown + 10 * 30, "and at most one more of each source and clinic, a page"


async def paged(admin: Connection, door: Door, key: str) -> tuple[int, int]:
    """Return how many visits ten pages show, and how much was read for them."""
    asked = {"from": RealClock().now().isoformat(), "limit": 20}

    before, pages = await read(admin, door), []
    for _ in range(10):
        page = (await door.ask("GET", f"/v1/appointments?{urlencode(asked)}", key=key)).json()
        pages.append(page["items"])
        asked = {**asked, **({"after": page["next_after"]} if page["next_after"] else {})}
    return sum(map(len, pages)), await read(admin, door) - before


async def pages(door: Door, key: str = KEY, **asked: object) -> list[list[str]]:
    """Return the ids of every page."""
    found: list[list[str]] = []
    while True:
        answer = await door.ask("GET", f"/v1/appointments?{urlencode(asked)}", key=key)
        assert answer.status_code == 200, answer.text
        found.append([item["appointment_id"] for item in answer.json()["items"]])
        if answer.json()["next_after"] is None:
            return found
        asked["after"] = answer.json()["next_after"]


async def test_soonest_first_each_once_and_those_of_one_moment_too(door: Door) -> None:
    starts = [f"2027-03-{12 + n % 3}T10:00:00Z" for n in range(9)]
    booked = [booking(f"e{n}", f"v{n}", start=start, end=None) for n, start in enumerate(starts)]
    ids = [result["appointment_id"] for result in (await door.post(booked))["results"]]
    await door.post({"event_id": "never", "sequence": 1, "appointment": {"id": "never", "status": "cancelled"}})

    expected = [one for _, one in sorted(zip(starts, ids, strict=True))]
    for limit in (1, 2, 3, 4, 9, 10):
        found = await pages(door, limit=limit)
        assert [one for page in found for one in page] == expected
        assert all(len(page) == limit for page in found[:-1])
    later = await pages(door, **{"from": "2027-03-13T10:00:00Z"})
    assert later == [expected[3:]]


async def test_a_later_from_holds_in_the_middle_of_paging(door: Door) -> None:
    await door.post([booking(f"e{n}", f"v{n}", start=f"2027-03-{12 + n}T10:00:00Z", end=None) for n in range(4)])
    first = (await door.ask("GET", "/v1/appointments?limit=1")).json()

    rest = await pages(door, after=first["next_after"], **{"from": "2027-03-14T00:00:00Z"})

    assert [len(page) for page in rest] == [2]


async def test_each_sees_its_sources_at_its_clinics_and_the_operator_all(door: Door) -> None:
    await door.put("/v1/clinics/ENT", {"name": "Throat Clinic", "zone": "Europe/London"})
    every = {}
    for source in ("local", "other", "third"):
        key = KEY if source == "local" else await door.client(Client(source, (source,)))
        for clinic in ("EYE", "ENT"):
            body = booking(f"{source} {clinic}", f"{source} {clinic}", clinic=clinic)
            every[source, clinic] = (await door.ask("POST", "/v1/events", body, key=key)).json()["appointment_id"]

    for client in (
        Client("a", ("other",)),
        Client("b", ("other", "other"), ("EYE", "EYE")),
        Client("c", ("local", "third"), ("ENT",)),
        Client("d", ("*",), ("EYE",)),
        Client("e", ("other", "*")),
        Client("f", ("other",), ("EYE", "*")),
        Client("g", ("nobody",)),
        Client("h", ("other",), ("SKIN",)),
    ):
        own = {i for (source, clinic), i in every.items() if client.sees_source(source) and client.sees_clinic(clinic)}
        found = await pages(door, await door.client(client), limit=2)
        assert sorted(one for page in found for one in page) == sorted(own), client.client_id
    assert sorted(one for page in await pages(door, OPERATOR_KEY) for one in page) == sorted(every.values())


def cursor(text: str) -> str:
    """Return a place in a list, written as ours are."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    [
        "0189abcd-0000-7000-8000-000000000001",
        "",
        "x",
        "a" * 201,
        cursor("|0189abcd-0000-7000-8000-000000000001"),
        cursor("2027-03-12T10:00:00|0189abcd-0000-7000-8000-000000000001"),
        cursor("2027-03-12T10:00:00+00:00|x"),
    ],
)
async def test_an_after_that_no_page_gave_is_refused(door: Door, after: str) -> None:
    answer = await door.ask("GET", f"/v1/appointments?{urlencode({'after': after})}")

    assert answer.status_code == 422
    assert len(after) > 200 or answer.json()["code"] == "BAD_CURSOR"


async def test_an_after_of_zeros_begins(door: Door) -> None:
    await door.post([booking(f"e{n}", f"v{n}") for n in range(3)])

    assert await pages(door, after=UUID(int=0)) == await pages(door)
