"""The HTTP of every service: its API behind the door, health, metrics, and the operator's key."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import generate_latest

from chassis.door import USUAL, Admit, Bounds, Door, no_key, nobody
from chassis.health import Health
from chassis.metrics import Metrics
from chassis.problems import Problem, add_problems
from chassis.serving import serve
from chassis.settings import ServiceSettings

OPERATION = ("/health", "/clock", "/status", "/metrics")
"""What is asked for by those who run the process: without a key, and however much is under way."""
DOCUMENTED = ("/docs", "/openapi.json", "/static-offline-docs")


def create_api(
    title: str,
    health: Health,
    metrics: Metrics,
    description: str = "",
    *,
    admit: Admit = nobody,
    public: tuple[str, ...] = (),
    bounds: Bounds = USUAL,
) -> FastAPI:
    """Return an API with health, status, clock and metrics routes and problem answers, behind the door.

    Args:
        title: Of its description.
        health: What the routes of operation show.
        metrics: Likewise.
        description: Of its description.
        admit: Which keys open anything under a path; left out, none does.
        public: Paths, each with all below it, whose routes check their callers themselves, and bound their bodies.
        bounds: What a request may bring.
    """
    # the docs page brings its scripts along: it must open where nothing beyond loopback can be reached
    api = FastAPIOffline(title=title, description=description, version="1", redoc_url=None)
    api.add_middleware(Door, admit=admit, public=(*public, *DOCUMENTED), always=OPERATION, bounds=bounds)
    _add_routes(api, health, metrics)
    add_problems(api)
    return api


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


_bearer = HTTPBearer(auto_error=False, description="The operator's key: `attend key`.")


class OperatorKey:
    """The operator's key, as a dependency of routes and for the door; without one set, it is nobody's (G9)."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._expected = settings.operator_key_sha256.get_secret_value() if settings.operator_key_sha256 else ""

    def opens(self, key: str) -> bool:
        """Say whether this is the key."""
        found = hashlib.sha256(key.encode()).hexdigest()
        return bool(key and self._expected) and hmac.compare_digest(found, self._expected)

    async def admit(self, key: str, _path: str) -> bool:
        """See `door.Admit`."""
        return self.opens(key)

    async def __call__(self, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> None:
        """Let the operator through.

        Raises:
            Problem: 401.
        """
        if given is None or not self.opens(given.credentials):
            raise no_key()


def operator(settings: ServiceSettings) -> OperatorKey:
    """Return what lets only the operator's key through."""
    return OperatorKey(settings)


__all__ = ["Bounds", "OperatorKey", "Problem", "create_api", "operator", "serve"]
