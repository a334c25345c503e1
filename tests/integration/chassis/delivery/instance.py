"""One process of the made-up service, to be frozen and killed: `python instance.py JSON`."""

import asyncio
import json
import sys
from typing import Any

import uvloop
from pydantic import SecretStr

from chassis.delivery.consumer import BatchConsumer
from chassis.postgres.database import create_pool
from chassis.process import logs
from chassis.process.clock import RealClock
from chassis.process.metrics import Metrics
from tests.integration.chassis.ledger.apply import SUBSCRIPTION
from tests.integration.chassis.ledger.service import SERVICE, Settings
from tests.integration.chassis.ledger.slow import slowly


async def main(told: dict[str, Any]) -> None:
    logs.configure("ledger")
    settings = Settings(
        database_url=SecretStr(told["url"]), kafka_bootstrap_servers=told["bootstrap"], topic_prefix=told["prefix"]
    )
    pool = await create_pool(told["url"], SERVICE, max_size=6)
    consumer = BatchConsumer(
        "ledger",
        settings,
        pool,
        [slowly(SUBSCRIPTION, told["hold_lock"])],
        RealClock(),
        Metrics(SERVICE),
        session_timeout_ms=6_000,
    )
    await consumer.run(asyncio.Event())


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
