"""The door of every API: who may come in is settled before anything of a body is read (G9).

FastAPI reads and parses a body before it asks a dependency who is calling; so whoever has no key could make a
process parse what he likes. Here the key comes first, and bodies, headers and the number of requests have bounds.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.api.problems import Dialects, Problem, away, written
from chassis.process.errors import Unavailable

type Admit = Callable[[str, str, str], Awaitable[bool]]
"""Says whether a key opens anything by a method under a path; the route then asks for its own right."""

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""No answer is guessed to be another type, framed by another page, or named to the next one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one API takes at most.

    Attributes:
        body: Bytes of a body.
        head: Bytes of all headers together, path and query included.
        at_once: Requests under way; one more is answered 503 with Retry-After.
    """

    body: int = 64 * 1024
    head: int = 16 * 1024
    at_once: int = 500


USUAL = Bounds()


async def everybody(_key: str, _method: str, _path: str) -> bool:
    """Admit everybody: an API that only those can reach who run the process."""
    return True


async def nobody(_key: str, _method: str, _path: str) -> bool:
    """Admit nobody: an API without routes of its own."""
    return False


class Door:
    """ASGI middleware: the key, then the bounds, then the application; and headers that keep browsers safe.

    Args:
        public: Paths, each with all below it, that prove their callers otherwise (signatures) or reveal nothing.
        dialects: How refusals are written where they are no problems.
    """

    def __init__(
        self,
        app: ASGIApp,
        admit: Admit,
        bounds: Bounds,
        public: Sequence[str] = (),
        always: Sequence[str] = (),
        dialects: Dialects | None = None,
    ) -> None:
        self._app, self._admit, self._bounds = app, admit, bounds
        self._public, self._always, self._dialects = tuple(public), tuple(always), dialects or {}
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, safe = scope["path"], _with_safe_headers(send)
        try:
            await self._check(path, Headers(scope=scope), scope)
        except Problem as refusal:
            await written(refusal, path, self._dialects)(scope, receive, safe)
            return
        self._inside += 1
        try:
            await self._app(scope, _bounded(receive, self._bounds.body), safe)
        finally:
            self._inside -= 1

    async def _check(self, path: str, headers: Headers, scope: Scope) -> None:
        given = len(scope["raw_path"] or b"") + len(scope["query_string"])
        if given + sum(len(name) + len(value) for name, value in headers.raw) > self._bounds.head:
            raise Problem(431, "HEADERS_TOO_LARGE", f"Path, query and headers have at most {self._bounds.head} bytes.")
        if self._inside >= self._bounds.at_once and not _is_under(path, self._always):
            raise busy()
        if _is_under(path, self._public):
            return
        key, unreadable = "", None
        try:
            key = bearer(headers)
        except Problem as problem:
            unreadable = problem  # where no key is asked for, any header may come
        try:
            known = await self._admit(key, scope["method"], path)
        except Unavailable as error:
            raise away(error) from None
        if not known:
            raise unreadable or refused(key)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._bounds.body:
            raise too_large(self._bounds.body)


def bearer(headers: Headers) -> str:
    """Return the key in `Authorization: Bearer KEY`; empty without the header.

    Raises:
        Problem: 401 UNREADABLE_KEY: the header is there, and has not one key.
    """
    given = headers.getlist("authorization")
    if not given:
        return ""
    scheme, _, rest = given[0].strip().partition(" ")
    key = rest.strip()
    if len(given) > 1:
        raise _unreadable("it is there more than once")
    if scheme.lower() != "bearer":
        raise _unreadable("it has another scheme, or none")
    if not key:
        raise _unreadable("its key is empty: is the variable set that holds it?")
    if not key.isprintable():
        raise _unreadable("its key has an unprintable character in it")
    return key


def refused(key: str) -> Problem:
    """Return the answer to a key that does not open what was asked for, and to none.

    An unknown key, one that was revoked and one for something else get the same: what other keys there are is not told.
    """
    if not key:
        return Problem(401, "NO_KEY", "Send `Authorization: Bearer KEY` with a key that opens this.", _at("NO_KEY"))
    return Problem(
        401, "WRONG_KEY",
        "The key that was sent does not open this. Compare it with the one that was issued: it may be cut off, "
        "revoked, for something else or of another installation. `attend key --operator` shows the operator's; "
        "`attend clients create` and an inbox's `tokens` issue others.",
        _at("WRONG_KEY"),
    )  # fmt: skip


def _unreadable(why: str) -> Problem:
    told = f"Send `Authorization: Bearer KEY` once: {why}."
    return Problem(401, "UNREADABLE_KEY", told, _at("UNREADABLE_KEY"))


def _at(code: str) -> list[dict[str, str]]:
    return [{"place": "header.authorization", "code": code}]


def busy() -> Problem:
    """Return the answer to a request beyond what can be under way."""
    return Problem(503, "BUSY", "Too much is under way. Send the same request again.", retry_after_s=1)


def too_large(limit: int) -> Problem:
    """Return the answer to a body beyond the bound."""
    return Problem(413, "BODY_TOO_LARGE", f"at most {limit} bytes")


def _is_under(path: str, prefixes: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def _bounded(receive: Receive, limit: int) -> Receive:
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:  # no length was declared, or a wrong one
            raise too_large(limit)
        return message

    return bounded


def _with_safe_headers(send: Send) -> Send:
    async def safe(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *SAFE_HEADERS]}
        await send(message)

    return safe
