"""Problems: the answers of RFC 9457 by which every API refuses."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from chassis.api.known_fields import UNKNOWN_FIELD, unknown_fields
from chassis.process.errors import AttendError, Unavailable


class Problem(HTTPException):
    """An answer of RFC 9457.

    It is Starlette's exception so that FastAPI, while it reads a body, lets it pass as it is.

    Attributes:
        detail: What is wrong, where, and the way out; never the input itself.
        errors: Further places, each {"place", "code"}.
        retry_after_s: Seconds after which the same request may be sent again; None: the answer will be the same.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.code = code
        self.errors = errors or []
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, object]:
        """Return the JSON members."""
        title = self.code.replace("_", " ").capitalize()
        members = {"type": "about:blank", "title": title, "status": self.status, "code": self.code}
        return {**members, "detail": self.detail, **({"errors": self.errors} if self.errors else {})}

    def response(self) -> Response:
        """Return the answer."""
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return JSONResponse(self.body(), self.status, headers, media_type="application/problem+json")


def away(error: Unavailable) -> Problem:
    """Return the answer where something needed is not there now."""
    return Problem(503, error.code, "A part this needs is not there now. Send the same request again.", None, 1)


def add_problems(api: FastAPI) -> None:
    """Make every refusal of an API a problem."""

    @api.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> Response:
        return error.response()

    @api.exception_handler(Unavailable)
    async def unavailable(_request: Request, error: Unavailable) -> Response:
        return away(error).response()

    @api.exception_handler(AttendError)
    async def rejected(_request: Request, error: AttendError) -> Response:
        return Problem(422, error.code, error.message).response()

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if unknown := unknown_fields(request.scope.get("route"), error.errors()):
            return Problem(422, UNKNOWN_FIELD, *unknown).response()
        places = [{"place": ".".join(map(str, e["loc"])), "code": str(e["type"])} for e in error.errors()]
        return Problem(422, "INVALID_REQUEST", "The request is not of this shape.", places).response()

    @api.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        return Problem(error.status_code, f"HTTP_{error.status_code}", str(error.detail)).response()

    @api.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Problem(400, "BODY_CUT_OFF", "The connection ended before the body.").response()  # nobody reads it
