"""`python -m notifier`: run everything or one part, migrate the schema, look after dead letters."""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from chassis.cli import openapi_command, service_cli, settings_of
from chassis.process.lifecycle import main, run
from chassis.process.metrics import Metrics
from notifier import retention
from notifier.callbacks.door import Door
from notifier.carriers import cli
from notifier.lanes.metrics import LaneMetrics
from notifier.settings import Settings
from notifier.template_tools import cli as templates_cli
from notifier.wiring.api import unplugged
from notifier.wiring.service import LANES, SERVICE, build, subscriptions
from schemas.notifications import Channel


class LaneName(StrEnum):
    """The lanes that can run as processes of their own."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"


def _role(name: str, *, fanout: bool, lanes: Sequence[Channel]) -> Callable[[Settings], None]:
    def serve(settings: Settings) -> None:
        async def main(stop: asyncio.Event) -> None:
            async with build(settings, stop, fanout=fanout, lanes=lanes) as service:
                await service.run(stop)

        run(SERVICE, settings, main)

    serve.__doc__ = name
    return serve


def _counts(metrics: Metrics) -> None:
    Door(metrics), LaneMetrics(metrics)


app = service_cli(
    SERVICE,
    SERVICE,
    Settings,
    {
        "run": _role("Run fan-out, all lanes, the inbox and the API in one process.", fanout=True, lanes=LANES),
        "fanout": _role("Run fan-out, the inbox and the API.", fanout=True, lanes=()),
    },
    subscriptions,
    retention.jobs,
    counts=_counts,
)


@app.command("lane")
def lane(channel: Annotated[LaneName, typer.Argument(help="email, sms or whatsapp.")]) -> None:
    """Run one lane; any number of them share the ledger."""
    _role(f"Run the {channel} lane.", fanout=False, lanes=(Channel(channel.value),))(settings_of(Settings))


app.command("openapi")(openapi_command(unplugged))
app.add_typer(templates_cli.app, name="templates")
app.add_typer(cli.app, name="senders")

if __name__ == "__main__":
    main(app)
