"""The made-up service's command, run as an operator runs it."""

import asyncio

from typer.testing import CliRunner, Result

from chassis.cli import service_cli
from tests.integration.chassis.ledger.apply import SUBSCRIPTION
from tests.integration.chassis.ledger.service import LedgerService, Settings

APP = service_cli("records", "tests.integration.chassis.ledger", Settings, {}, lambda settings: [SUBSCRIPTION])


async def command(ledger: LedgerService, *arguments: str) -> Result:
    """Run the service's command, in a thread: it has a loop of its own."""
    environment = {
        "LEDGER_DATABASE_URL": ledger.url,
        "KAFKA_BOOTSTRAP_SERVERS": ledger.bootstrap,
        "ATTEND_TOPIC_PREFIX": ledger.prefix,
    }
    return await asyncio.to_thread(lambda: CliRunner().invoke(APP, list(arguments), env=environment))
