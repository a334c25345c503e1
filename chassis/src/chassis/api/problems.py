"""Problems: the answers of RFC 9457 by which every API refuses."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from chassis.api.causes import CAUSES
from chassis.api.codes import COMMON, code_of, shape_code
from chassis.api.known_fields import EXTRA, UNKNOWN_FIELD, unknown_fields, unread_fields
from chassis.process.errors import AttendError, Unavailable

PROBLEM_JSON = "application/problem+json"


class Problem(HTTPException):
    """An answer of RFC 9457.

    It is Starlette's exception so that FastAPI, while it reads a body, lets it pass as it is.

    Attributes:
        detail: What is wrong, where, and the way out; never the input itself.
        errors: Further places, each {"place", "code"}, and "detail" where there is more to say of it.
        retry_after_s: Seconds after which the same request may be sent again; None: the answer will be the same.
        allowed: Of 405 only: the methods that the path takes.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        retry_after_s: int | None = None,
        allowed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.code = code
        self.errors = errors or []
        self.retry_after_s = retry_after_s
        self.allowed = allowed

    def body(self) -> dict[str, object]:
        """Return the JSON members."""
        title = self.code.replace("_", " ").capitalize()
        members = {"type": "about:blank", "title": title, "status": self.status, "code": self.code}
        return {**members, "detail": self.detail, **({"errors": self.errors} if self.errors else {})}

    def response(self) -> Response:
        """Return the answer."""
        return JSONResponse(self.body(), self.status, self.response_headers(), media_type=PROBLEM_JSON)

    def response_headers(self) -> dict[str, str]:
        """Return the headers of the answer, whoever writes its body."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return {**headers, "Allow": ", ".join(self.allowed)} if self.allowed else headers


class Dialect(NamedTuple):
    """How refusals are written under a path whose callers go by a standard with a shape of its own.

    Attributes:
        body: Makes the JSON of a refusal.
        name: What the description calls its schema.
    """

    media_type: str
    body: Callable[[Problem], dict[str, object]]
    name: str
    schema: dict[str, object]


type Dialects = Mapping[str, Dialect]
"""Path, with all below it → the dialect of its refusals; elsewhere they are problems."""


def dialect_of(path: str, dialects: Dialects) -> Dialect | None:
    """Return the dialect that counts at a path, if any does."""
    return next((one for prefix, one in dialects.items() if path == prefix or path.startswith(f"{prefix}/")), None)


def written(problem: Problem, path: str, dialects: Dialects) -> Response:
    """Return the refusal of a request for a path."""
    dialect = dialect_of(path, dialects)
    if dialect is None:
        return problem.response()
    headers = problem.response_headers()
    return JSONResponse(dialect.body(problem), problem.status, headers, media_type=dialect.media_type)


def away(error: Unavailable) -> Problem:
    """Return the answer where something needed is not there now, and log what."""
    CAUSES.tell(error)
    return Problem(503, error.code, "A part this needs is not there now. Send the same request again.", None, 1)


def add_problems(api: FastAPI, dialects: Dialects | None = None) -> None:
    """Make every refusal of an API a problem."""

    def answer(problem: Problem, request: Request) -> Response:
        return written(problem, request.url.path, dialects or {})

    @api.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(error, request)

    @api.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Unavailable) -> Response:
        return answer(away(error), request)

    @api.exception_handler(AttendError)
    async def rejected(request: Request, error: AttendError) -> Response:
        return answer(Problem(422, error.code, error.message), request)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if unknown := unknown_fields(request.scope.get("route"), error.errors()):
            return answer(Problem(422, UNKNOWN_FIELD, *unknown), request)
        return answer(_invalid(error, request.scope.get("route")), request)

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        code = code_of(error)
        allowed = _allowed(request) if error.status_code == 405 else ()
        return answer(Problem(error.status_code, code, COMMON[code], allowed=allowed), request)

    @api.exception_handler(ClientDisconnect)
    async def gone(request: Request, _error: ClientDisconnect) -> Response:
        return answer(Problem(400, "BODY_CUT_OFF", COMMON["BODY_CUT_OFF"]), request)  # nobody reads it

    @api.exception_handler(Exception)
    async def fault(request: Request, _error: Exception) -> Response:
        return answer(Problem(500, "INTERNAL_ERROR", COMMON["INTERNAL_ERROR"]), request)  # and it is raised on


def _invalid(error: RequestValidationError, route: object) -> Problem:
    wrong = [one for one in error.errors() if one["type"] != EXTRA]
    found = [(".".join(map(str, e["loc"])), shape_code(str(e["type"]), e.get("ctx"))) for e in wrong]
    places = [{"place": place, "code": code} for place, code in found] + unread_fields(route, error.errors())
    words = " ".join(COMMON[code] for code in dict.fromkeys(one["code"] for one in places))
    return Problem(422, "INVALID_REQUEST", f"The request is not of this shape. {words}", places)


def _allowed(request: Request) -> tuple[str, ...]:
    """Return the methods of all routes at the path of a request."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return tuple(sorted(found))
