"""Every part that a process is made of runs in it, and a database that is behind its topics ends the process (0026)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from pydantic import SecretStr

import booking.settings
import booking.wiring
import booking.wiring.mllp
import booking.wiring.service
import notifier.settings
import notifier.wiring.service
import records.settings
import records.wiring
import reminders.settings
import reminders.wiring
from chassis.delivery import high_water
from chassis.process.errors import Misconfigured
from stack.ports import free_port
from tests.support.installation import ADDRESS_PEPPER, Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration

LISTENERS = {"http", "operations"}
PARTS = {
    "booking": {
        *LISTENERS,
        *("consumer", "relay", "reference relay", "reissuer", "retention", "clocks", "profiles", high_water.PART),
    },
    "mllp": {"operations", "mllp", "profiles", "clocks", high_water.PART},
    "records": {*LISTENERS, "consumer", "relay", "retention", high_water.PART},
    "notifier": {
        *LISTENERS,
        *("consumer", "relay", "retention", "clocks", "streams", high_water.PART),
        *("waiting receipts", "look-up", "rekeying", "sms lane", "whatsapp lane", "email lane"),
    },
    "reminders": {"operations", "consumer", "relay", "retention", "clocks", "days", "closing"},
}
LETTER = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", value, headers, code, message, state, settled_at)
VALUES ('c', 't', 0, 1, 'body', '[]', 'INVALID', 'm', 'discarded', clock_timestamp() - interval '100 days')"""


class Behind(high_water.Ends):
    """Finds that the database was put back while the service runs."""

    def __init__(self) -> None:
        pass

    async def run(self, stop: asyncio.Event, every_s: float = 0) -> None:
        """See `behind.Ends`."""
        raise Misconfigured("the database is behind")


def told(installation: Installation, service: str) -> dict[str, Any]:
    return {
        "database_url": SecretStr(installation.service_url(service)),
        "kafka_bootstrap_servers": installation.bootstrap,
        "topic_prefix": installation.topic_prefix,
        "operator_key_sha256": SecretStr(sha256(b"the operator's key").hexdigest()),
        "address_pepper": SecretStr(ADDRESS_PEPPER),
        "http_port": free_port(),
        "operations_port": free_port(),
    }


type Service = (
    booking.wiring.service.Service
    | booking.wiring.mllp.Listening
    | records.wiring.Service
    | notifier.wiring.service.Service
)


@asynccontextmanager
async def built(installation: Installation, name: str, stop: asyncio.Event) -> AsyncIterator[Service]:
    """Give a service as its wiring puts it together."""
    given = told(installation, "booking" if name == "mllp" else name)
    async with AsyncExitStack() as opened:
        match name:
            case "booking":
                yield await opened.enter_async_context(booking.wiring.build(booking.settings.Settings(**given)))
            case "mllp":
                settings = booking.settings.Settings(**given, mllp_client="local", mllp_port=free_port())
                yield await opened.enter_async_context(booking.wiring.mllp.build(settings))
            case "records":
                yield await opened.enter_async_context(records.wiring.build(records.settings.Settings(**given)))
            case _:
                build = notifier.wiring.service.build(notifier.settings.Settings(**given), stop)
                yield await opened.enter_async_context(build)


@asynccontextmanager
async def process(installation: Installation, name: str, stop: asyncio.Event) -> AsyncIterator[Awaitable[None]]:
    """Give what runs the whole process until it is told to stop."""
    if name == "reminders":
        settings = reminders.settings.Settings(**told(installation, name))
        yield reminders.wiring.run_projector(settings, stop)
    else:
        async with built(installation, name, stop) as service:
            yield service.run(stop)


@pytest.mark.parametrize("name", PARTS)
async def test_every_part_of_a_process_runs(installation: Installation, name: str) -> None:
    stop, found = asyncio.Event(), set[str]()

    async def all_run() -> bool:
        assert not running.done()
        found.update(task.get_name() for task in asyncio.all_tasks())
        return found >= PARTS[name]

    async with process(installation, name, stop) as whole:
        running = asyncio.ensure_future(whole)
        try:
            await until(all_run)
        except AssertionError:
            pytest.fail(f"does not run: {PARTS[name] - found}")
        finally:
            stop.set()
            await running


@pytest.mark.parametrize("name", ["booking", "mllp", "records", "notifier"])
async def test_a_database_seen_to_be_behind_ends_the_process_with_the_reason(
    installation: Installation, name: str
) -> None:
    stop = asyncio.Event()
    async with built(installation, name, stop) as service:
        with pytest.raises(BaseExceptionGroup) as ended:
            async with asyncio.timeout(60):
                await replace(service, ends=Behind()).run(stop)

    assert ended.group_contains(Misconfigured, match="the database is behind")


@pytest.mark.parametrize("name", ["booking", "records", "notifier"])
async def test_what_a_service_forgets_it_forgets_in_its_daily_round(installation: Installation, name: str) -> None:
    pool, stop = await installation.pool(name), asyncio.Event()
    await pool.execute(LETTER)

    async def gone() -> bool:
        return not await pool.fetchval("SELECT EXISTS (SELECT FROM dead_letter)")

    async with built(installation, name, stop) as service:
        assert not isinstance(service, booking.wiring.mllp.Listening)
        assert service.retention is not None
        daily = asyncio.create_task(service.retention.run(stop, first_after_s=0))
        await until(gone)
        stop.set()
        await daily
