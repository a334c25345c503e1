"""The HTTP of every service: health, metrics, problems (RFC 9457), the operator's key, the server."""

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import generate_latest
from starlette.exceptions import HTTPException

from chassis.errors import AttendError, Unavailable
from chassis.health import Health
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings


class Problem(Exception):
    """An answer of RFC 9457.

    Attributes:
        status: HTTP status.
        code: A constant a program may branch on.
        detail: What is wrong, where, and the way out; never the input itself.
        errors: Further places, each {"place", "code"}.
    """

    def __init__(self, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors or []

    def body(self) -> dict[str, object]:
        """Return the JSON members."""
        title = self.code.replace("_", " ").capitalize()
        members = {"type": "about:blank", "title": title, "status": self.status, "code": self.code}
        return {**members, "detail": self.detail, **({"errors": self.errors} if self.errors else {})}

    def response(self) -> Response:
        """Return the answer."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse(self.body(), self.status, headers, media_type="application/problem+json")


def create_api(title: str, health: Health, metrics: Metrics, description: str = "") -> FastAPI:
    """Return an API with health, status, clock and metrics routes and problem answers."""
    # the docs page brings its scripts along: it must open where nothing beyond loopback can be reached
    api = FastAPIOffline(title=title, description=description, version="1", redoc_url=None)
    _add_routes(api, health, metrics)
    _add_problems(api)
    return api


def _add_routes(api: FastAPI, health: Health, metrics: Metrics) -> None:
    @api.get("/health/live", tags=["operation"])
    async def live() -> dict[str, str]:
        """Answer while the process's loop runs."""
        return {"status": "live"}

    @api.get("/health/ready", tags=["operation"])
    async def ready() -> Response:
        """200 when every part is ready, else 503 with each reason."""
        reasons = health.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse(body, 503 if reasons else 200)

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


def _add_problems(api: FastAPI) -> None:
    @api.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> Response:
        return error.response()

    @api.exception_handler(Unavailable)
    async def unavailable(_request: Request, error: Unavailable) -> Response:
        answer = Problem(503, error.code, "A part this needs is not there now. Send the same request again.").response()
        answer.headers["Retry-After"] = "1"
        return answer

    @api.exception_handler(AttendError)
    async def rejected(_request: Request, error: AttendError) -> Response:
        return Problem(422, error.code, error.message).response()

    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        places = [{"place": ".".join(map(str, e["loc"])), "code": str(e["type"])} for e in error.errors()]
        return Problem(422, "INVALID_REQUEST", "The request is not of this shape.", places).response()

    @api.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        return Problem(error.status_code, f"HTTP_{error.status_code}", str(error.detail)).response()


_bearer = HTTPBearer(auto_error=False, description="The operator's key: `attend key`.")


def operator(settings: ServiceSettings) -> Callable[..., object]:
    """Return a dependency that lets only the operator's key through; without one set, nobody (G9)."""
    expected = settings.operator_key_sha256.get_secret_value() if settings.operator_key_sha256 else ""

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> None:
        found = hashlib.sha256(given.credentials.encode()).hexdigest() if given else ""
        if not expected or not hmac.compare_digest(found, expected):
            raise Problem(401, "NO_KEY", "Send `Authorization: Bearer KEY` with the operator's key.")

    return check


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the process's own lifecycle takes the signals


async def serve(app: FastAPI, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then let requests under way finish (5 s at most)."""
    server = _Server(
        uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off",
            timeout_graceful_shutdown=5, server_header=False,
        )
    )  # fmt: skip
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
