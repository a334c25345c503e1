"""What those who run a process ask it: health, status, clock, metrics, and what its API is like (decision 0029).

On a port of its own and without a key: who reaches the API, as a carrier does with its callbacks, does not reach it.
"""

from functools import partial

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import generate_latest

from chassis.api.door import Bounds, Door, everybody
from chassis.api.problems import add_problems
from chassis.api.server import Patience, serve
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import DOOR, OPERATIONS, Run
from chassis.process.settings import ServiceSettings

BOUNDS = Bounds(body=1024, at_once=50)
PATIENCE = Patience(connections=64)
"""Beside those of the API: together they leave a process some of its 1,024 files for its databases and its logs."""


def operations_api(health: Health, metrics: Metrics, described: FastAPI | None = None) -> FastAPI:
    """Return an API with the routes of operation, behind a door that lets everybody in.

    Args:
        described: The API that `/docs` and `/openapi.json` describe; left out, they describe these routes.
    """
    # The docs page brings its scripts along: it must open where nothing beyond loopback can be reached. It sends
    # nothing: the API is of another origin, and lets no page of another origin call it.
    api = FastAPIOffline(
        title=described.title if described else f"Attend {health.service}",
        version="1",
        redoc_url=None,
        swagger_ui_parameters={"supportedSubmitMethods": []},
    )
    api.add_middleware(Door, admit=everybody, always=("/health",), bounds=BOUNDS)
    _add_routes(api, health, metrics)
    add_problems(api)
    if described is not None:
        api.openapi = described.openapi  # type: ignore[method-assign]  # as FastAPI's own pages do
    return api


def listeners(
    settings: ServiceSettings, health: Health, metrics: Metrics, api: FastAPI | None = None
) -> dict[str, Run]:
    """Return the parts of a process that listen: its operations and, where it has one, its API, each on its port.

    Args:
        api: What the process is for; None where it answers nobody else.
    """
    operations = operations_api(health, metrics, api)
    where = settings.operations_host, settings.operations_port
    parts: dict[str, Run] = {OPERATIONS: partial(serve, operations, *where, patience=PATIENCE)}
    if api is not None:
        parts[DOOR] = partial(serve, api, settings.http_host, settings.http_port)
    return parts


def _add_routes(api: FastAPI, health: Health, metrics: Metrics) -> None:
    @api.get("/health/live", tags=["operation"])
    async def live() -> Response:
        """200 while the process's loop runs and no part is stuck; else 503 with each reason: restart it."""
        reasons = health.dying()
        body = {"status": "stuck", "reasons": reasons} if reasons else {"status": "live"}
        return JSONResponse({**health.identity, **body}, 503 if reasons else 200)

    @api.get("/health/ready", tags=["operation"])
    async def ready() -> Response:
        """200 when every part is ready, else 503 with each reason."""
        reasons = health.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse({**health.identity, **body}, 503 if reasons else 200)

    @api.get("/clock", tags=["operation"])
    async def clock() -> dict[str, object]:
        """Epoch of domain time, whether all is done on it, and the next wake."""
        return await health.clock_state()

    @api.get("/status", tags=["operation"])
    async def status() -> dict[str, object]:
        """State, lag, outbox age, dead letters."""
        return dict(await health.status())

    @api.get("/metrics", tags=["operation"])
    async def exposition() -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")
