"""The feed of outcomes on a real database: in one order, nothing twice, and nothing comes behind a reader's back."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from pydantic import SecretStr

from chassis.api.app import OperatorKey, create_api
from chassis.api.client_access import ClientAccess
from chassis.postgres.database import Connection, Pool
from chassis.postgres.retention import remove
from chassis.process.settings import ServiceSettings
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store import rows
from notifier.outcomes.http import OPEN_TO_CLIENTS, routes
from notifier.outcomes.place import Place
from notifier.outcomes.store import PostgresOutcomes
from notifier.outcomes.waiting import WaitingForOutcomes
from notifier.retention import jobs
from notifier.settings import Settings
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
KEY = "the operator's key"
BEGINNING = Place(0, 0)


@pytest.fixture
async def pool(installation: Installation) -> Pool:
    """Return the notifier's own connections."""
    return await installation.pool("notifier")


@pytest.fixture
async def http(pool: Pool) -> AsyncIterator[httpx2.AsyncClient]:
    """Give the route to the operator; nobody has said where booking answers."""
    settings = ServiceSettings.model_construct(operator_key_sha256=SecretStr(sha256(KEY.encode()).hexdigest()))
    access, outcomes = ClientAccess(OperatorKey(settings), None, OPEN_TO_CLIENTS), PostgresOutcomes(pool)
    api = create_api("Feed", admit=access.admit)
    api.include_router(routes(outcomes, WaitingForOutcomes(outcomes.newest, asyncio.Event()), access))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=api), base_url="http://x", headers=headers
    ) as client:
        yield client


def message(**given: Any) -> Notification:
    """Return a message of which something is known for good."""
    told: dict[str, Any] = {
        "notification_id": uuid4(), "kind": Kind.CONFIRMATION, "recipient": "patient", "appointment_id": uuid4(),
        "schedule_gen": 1, "reminder_id": None, "caused_by": "x", "state": NotificationState.ACCEPTED,
        "lane": Channel.SMS, "not_after": NOW, "next_attempt_at": NOW, "version": 1, **given,
    }  # fmt: skip
    return Notification(**told)


async def write(connection: Connection, *messages: Notification, at: datetime = NOW) -> None:
    await rows.insert(connection, messages, at)


async def read(pool: Pool, place: Place = BEGINNING, limit: int = 1_000) -> list[tuple[Place, UUID]]:
    return [(at, row["notification_id"]) for at, row in await PostgresOutcomes(pool).after(place, limit)]


async def wait_for(pool: Pool, *expected: UUID) -> list[tuple[Place, UUID]]:
    """Wait until these can be read, in this order: what other tests' transactions hold open is over by then."""

    async def there() -> bool:
        return len(await read(pool)) >= len(expected)

    await until(there)
    found = await read(pool)
    assert [one for _, one in found] == list(expected)
    return found


async def test_what_is_committed_late_is_never_passed_over(pool: Pool) -> None:
    """A transaction is held open while a later one commits: a reader waits for the first, and then has both."""
    early, late, last = message(), message(), message()
    async with pool.acquire() as slow:
        held = slow.transaction()
        await held.start()
        await write(slow, early)
        async with pool.acquire() as quick:
            await write(quick, late)
        assert await read(pool) == []
        await held.commit()
    async with pool.acquire() as quick:
        await write(quick, last)

    found = await wait_for(pool, early.notification_id, late.notification_id, last.notification_id)

    places = [place for place, _ in found]
    assert places == sorted(places)
    assert await read(pool, places[0]) == found[1:]
    assert await read(pool, places[0], 1) == found[1:2]


async def test_transactions_are_in_the_order_of_their_numbers_and_not_of_their_digits(pool: Pool) -> None:
    numbers = (8, 9, 10, 11, 99, 100)
    for xid in numbers:
        await pool.execute(
            """INSERT INTO outcome (xid, notification_id, version, kind, recipient, appointment_id, state,
                                    delivery_state, at)
               VALUES ($1::text::xid8, $2, 1, 'confirmation', 'patient', $2, 'accepted', 'unknown', $3)""",
            str(xid), uuid4(), NOW,
        )  # fmt: skip

    async def newest() -> bool:
        return (await PostgresOutcomes(pool).newest()).xid == 100

    await until(newest, within_s=30)
    assert [place.xid for place, _ in await read(pool)] == list(numbers)
    assert [place.xid for place, _ in await read(pool, Place(9, 2**62))] == [10, 11, 99, 100]


async def test_writers_that_end_in_any_order_leave_a_reader_without_a_gap(pool: Pool) -> None:
    chance, ended = random.Random(7), asyncio.Event()
    written: list[UUID] = []
    read_so_far: list[UUID] = []

    async def writer() -> None:
        for _ in range(15):
            async with pool.transaction() as connection:
                for _ in range(chance.randint(1, 3)):
                    one = message()
                    await write(connection, one)
                    written.append(one.notification_id)
                    await connection.execute("SELECT pg_sleep($1)", chance.random() / 200)

    async def reader() -> None:
        place, last = BEGINNING, False
        while not last:
            last = ended.is_set() and len(read_so_far) >= len(written)
            for at, one in await read(pool, place, 5):
                read_so_far.append(one)
                place = at

    reading = asyncio.create_task(reader())
    await asyncio.gather(*(writer() for _ in range(5)))
    ended.set()
    async with asyncio.timeout(60):
        await reading

    assert len(read_so_far) == len(set(read_so_far))
    assert set(read_so_far) == set(written)


async def test_every_outcome_of_a_message_is_one_and_nothing_else_is(pool: Pool) -> None:
    """Rows are copied in large batches and inserted in small ones; what is still worked on has no outcome."""
    queued = message(state=NotificationState.QUEUED, version=0)
    day_list = message(appointment_id=None, kind=Kind.PROVIDER_DAY, recipient="provider", lane=Channel.IN_APP)
    copied = [message(state=NotificationState.SKIPPED, lane=None, reason=Reason.NO_CONTACT) for _ in range(150)]
    async with pool.transaction() as connection:
        await write(connection, queued, day_list)
        await rows.copy_notifications(connection, copied, NOW)
    for state, version, delivery in (
        (NotificationState.QUEUED, 0, DeliveryState.UNKNOWN),
        (NotificationState.ACCEPTED, 1, DeliveryState.UNKNOWN),
        (NotificationState.ACCEPTED, 2, DeliveryState.READ),
        (NotificationState.ACCEPTED, 2, DeliveryState.READ),
    ):
        async with pool.transaction() as connection:
            now = queued.but(state=state, version=version, delivery_state=delivery)
            await rows.write(connection, [now], NOW + timedelta(minutes=version))

    found = await wait_for(pool, *(one.notification_id for one in copied), *[queued.notification_id] * 2)

    outcomes = [row for _, row in await PostgresOutcomes(pool).after(found[149][0], 10)]
    assert [(one["version"], one["delivery_state"], one["at"]) for one in outcomes] == [
        (1, "unknown", NOW + timedelta(minutes=1)),
        (2, "read", NOW + timedelta(minutes=2)),
    ]


async def test_what_did_not_arrive_is_an_outcome_also_if_its_next_channel_is_tried_at_once(pool: Pool) -> None:
    """The ledger keeps the row as queued, with the version under which the loss was published."""
    sent = message()
    lost = sent.but(state=NotificationState.QUEUED, version=2, delivery_state=DeliveryState.UNDELIVERED)
    tried = lost.but(lane=Channel.EMAIL, attempts=2)
    arrived = tried.but(state=NotificationState.ACCEPTED, version=3, delivery_state=DeliveryState.DELIVERED)
    async with pool.acquire() as connection:
        await write(connection, sent)
    for now in (lost, tried, arrived):
        async with pool.transaction() as connection:
            await rows.write(connection, [now], NOW + timedelta(minutes=now.version))

    await wait_for(pool, *[sent.notification_id] * 3)

    outcomes = [row for _, row in await PostgresOutcomes(pool).after(BEGINNING, 10)]
    told = [(one["version"], one["channel"], one["state"], one["reason"], one["delivery_state"]) for one in outcomes]
    assert told == [
        (1, "sms", "accepted", None, "unknown"),
        (2, "sms", "accepted", None, "undelivered"),
        (3, "email", "accepted", None, "delivered"),
    ]
    assert outcomes[1]["at"] == NOW + timedelta(minutes=2)


async def test_the_operator_reads_the_feed_page_by_page_and_waits_for_the_next(
    pool: Pool, http: httpx2.AsyncClient
) -> None:
    one, other = message(), message()
    async with pool.acquire() as connection:
        await write(connection, one)
    await wait_for(pool, one.notification_id)
    page = (await http.get("/v1/outcomes")).json()
    assert [item["notification_id"] for item in page["items"]] == [str(one.notification_id)]
    assert (page["items"][0]["source"], page["more"]) == (None, False)

    waiting = asyncio.create_task(http.get("/v1/outcomes", params={"after": page["next_after"], "wait_s": 30}))
    async with pool.acquire() as connection:
        await write(connection, other)
    after = (await waiting).json()

    assert [item["notification_id"] for item in after["items"]] == [str(other.notification_id)]
    nothing = (await http.get("/v1/outcomes", params={"after": after["next_after"], "wait_s": 1})).json()
    assert nothing == {"items": [], "next_after": after["next_after"], "more": False}


async def test_whoever_read_up_to_less_than_what_was_removed_is_told(pool: Pool, http: httpx2.AsyncClient) -> None:
    old, new = message(), message()
    async with pool.acquire() as connection:
        await write(connection, old, at=NOW - timedelta(days=61))
        await write(connection, new)
    await wait_for(pool, old.notification_id, new.notification_id)
    first = (await http.get("/v1/outcomes", params={"limit": 1})).json()["next_after"]
    beginning = BEGINNING.text()
    assert (await http.get("/v1/outcomes", params={"after": beginning})).status_code == 200

    rules = jobs(Settings.model_construct(database_url=SecretStr("-"), kafka_bootstrap_servers="-"))
    assert (await remove(pool, rules, NOW))["outcomes of the feed"] == 1

    refused = await http.get("/v1/outcomes", params={"after": beginning})
    assert (refused.status_code, refused.json()["code"]) == (410, "CURSOR_TOO_OLD")
    for query in ({}, {"after": first}):
        left = (await http.get("/v1/outcomes", params=query)).json()["items"]
        assert [item["notification_id"] for item in left] == [str(new.notification_id)]
    assert (await http.get("/v1/outcomes", params={"after": "none of ours"})).json()["code"] == "BAD_CURSOR"
    assert (await remove(pool, rules, NOW))["outcomes of the feed"] == 0
