"""What a process says of its consumers: why it is not ready, and why only a restart may help (0019)."""

import asyncio
from collections.abc import Hashable, Mapping
from typing import Any, cast

from aiokafka.errors import KafkaConnectionError
from pydantic import SecretStr

from chassis.delivery.consumer import BatchConsumer
from chassis.delivery.unreadable_limit import PER_MINUTE
from chassis.process.clock import RealClock
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings
from chassis.process.stall import Stuck
from chassis.status import watch

STANDS = "stands still in spite of a new client: group"


class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0


class NoBroker:
    """A client that reaches nobody."""

    async def start(self) -> None:
        raise KafkaConnectionError

    async def stop(self) -> None:
        return None


def dead() -> Stuck:
    """Return the judge of one that stands still although its client was made anew."""
    stuck = Stuck()
    stuck.reason = STANDS
    return stuck


def consumer(stuck: Stuck) -> BatchConsumer:
    """Return one of no topics, without a database and a broker."""
    client, nobody = cast(Any, NoBroker()), cast(Any, None)
    settings = Settings(database_url=SecretStr("postgresql://"), kafka_bootstrap_servers="127.0.0.1:1")
    return BatchConsumer(
        "ledger", settings, nobody, [], RealClock(), Metrics("ledger"), stuck=stuck, new_client=lambda *_: client
    )


def test_a_consumer_that_only_a_restart_may_help_fails_liveness() -> None:
    health = Health("ledger", RealClock())

    watch(health, Metrics("ledger"), cast(Any, None), [consumer(dead())], [])

    assert health.dying() == {"consumer ledger": STANDS}
    assert health.reasons() == {"consumer ledger": "joining the consumer group"}


async def test_while_an_error_says_what_is_wrong_no_restart_is_asked_for() -> None:
    failing, stop = consumer(dead()), asyncio.Event()
    running = asyncio.create_task(failing.run(stop))

    async with asyncio.timeout(30):
        while "KAFKA_UNAVAILABLE" not in (failing.reason() or ""):  # noqa: ASYNC110  # a turn of the loop, no poll
            await asyncio.sleep(0)

    assert failing.dead() is None
    stop.set()
    await running


async def test_what_an_open_breaker_holds_back_is_not_stuck() -> None:
    class Membership:
        async def waiting(self) -> dict[str, int]:
            return {"p0": 7}

    class Looking(Stuck):
        seen: Mapping[Hashable, Hashable] = {}

        def look(self, waiting: Mapping[Hashable, Hashable]) -> bool:
            self.seen = waiting
            return False

    looking = Looking()
    made, behind = consumer(looking), cast(Any, Membership())

    await made._leads_nowhere(behind)
    assert looking.seen == {"p0": 7}

    made._breaker.count(PER_MINUTE, PER_MINUTE)
    await made._leads_nowhere(behind)
    assert looking.seen == {}
