"""`python -m records`: run the service, migrate its schema, look after its dead letters."""

import asyncio

from chassis.cli import openapi_command, service_cli
from chassis.process.lifecycle import main, run
from records.settings import Settings
from records.wiring import SERVICE, build, subscriptions, unplugged


def serve(settings: Settings) -> None:
    """Run the service until it is asked to stop."""

    async def main(stop: asyncio.Event) -> None:
        async with build(settings) as service:
            await service.run(stop)

    run(SERVICE, settings, main)


app = service_cli(SERVICE, SERVICE, Settings, {"run": serve}, subscriptions)
app.command("openapi")(openapi_command(unplugged))

if __name__ == "__main__":
    main(app)
