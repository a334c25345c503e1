"""A service's API as the commands of `attend` call it: with the operator's key, and problems as messages for people."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx2

from chassis.process.errors import AttendError, Misconfigured
from chassis.process.settings import FILE, secret_of
from stack.connections import Connections, NothingRuns, variable_of

KEY_VARIABLE = "ATTEND_OPERATOR_KEY"
CLIENT_KEY_VARIABLE = "ATTEND_CLIENT_KEY"
PREFIX = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{1,4})*", re.IGNORECASE)
"""The beginning of an id, as the services take it."""

PATIENCE_S = 600.0
"""Between two lines of a stream, or for a whole answer: a dry run over millions takes minutes."""

_HINTS = {
    "NO_KEY": f"set {KEY_VARIABLE} to the operator's key",
    "WRONG_KEY": f"{KEY_VARIABLE} holds another key: `attend key --operator` shows the operator's",
}


type Parameter = str | int | list[str] | None
"""A value in a query; a list is given several times, None not at all."""


class ProblemTold(AttendError):
    """A service refused, and said why.

    Attributes:
        problem: As RFC 9457 has it; of `errors`, the first is what its `detail` speaks of.
    """

    def __init__(self, code: str, message: str, problem: Mapping[str, Any]) -> None:
        super().__init__(code, message)
        self.problem = problem


@dataclass(frozen=True)
class ServiceApi:
    """The way to a service's API."""

    url: str
    key: str
    name: str = "the service"
    hints: Mapping[str, str] = field(default_factory=lambda: _HINTS)
    from_variable: str | None = None
    """The variable that names its address; None for that of this machine's installation."""

    @classmethod
    def at(cls, name: str, hints: Mapping[str, str] = _HINTS, key_variable: str = KEY_VARIABLE) -> Self:
        """Look at ATTEND_<NAME>_URL and the variable of the key (or the file of …_FILE), else at what runs here.

        Raises:
            NothingRuns: Neither says where the service is.
            Misconfigured: The address is none, or one elsewhere has no key: that of this machine is another's.
        """
        variable = variable_of(name)
        url, key = os.environ.get(variable, "").rstrip("/"), secret_of(key_variable)
        connections = Connections.here()
        part = connections.state.part(name) if connections.state else None
        here = part.url.rstrip("/") if part else ""
        if not url and not here:
            raise NothingRuns(
                f"no {name} service runs here", f"{variable} and {key_variable} to those of another machine"
            )
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise Misconfigured(f"{variable}: http://HOST:PORT or https://HOST is needed")
        if url and url != here and not key:
            whose = "a client's key" if key_variable == CLIENT_KEY_VARIABLE else "the operator's key"
            ways = f"set it to {whose} there, or {key_variable}{FILE} to a file with it"
            raise Misconfigured(f"{variable} is set and {key_variable} is not: {ways}")
        if not key:
            secrets = connections.home.secrets
            key = secrets.key if key_variable == CLIENT_KEY_VARIABLE else secrets.operator_key
        return cls(url or here, key, name, hints, variable if url else None)

    def ask(self, method: str, path: str, body: object = None, if_match: int | None = None, **query: Parameter) -> Any:
        """Return the JSON answer."""
        headers = {} if if_match is None else {"if-match": f'"{if_match}"'}
        return self._asked(method, path, _content(body), headers, query)

    def send(self, path: str, body: bytes, media_type: str, **query: Parameter) -> Any:
        """Post a body as it is, and return the JSON answer."""
        return self._asked("POST", path, body, {"content-type": media_type}, query)

    def _asked(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], query: dict[str, Parameter]
    ) -> Any:
        with self._http() as http:
            answer = http.request(method, path, content=content, params=_given(query), headers=headers)
            self._check(answer)
            try:
                return answer.json()
            except ValueError:
                raise self._unlike(answer) from None

    def stream(self, path: str, body: object, **query: Parameter) -> Iterator[dict[str, Any]]:
        """Post, and yield each line of the answer as it comes."""
        headers = {"accept": "application/x-ndjson"}
        with (
            self._http() as http,
            http.stream("POST", path, content=_content(body), params=_given(query), headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
            self._check(answer)
            for line in answer.iter_lines():
                told = json.loads(line)
                if "problem" in told:
                    raise self._error(told["problem"])
                yield told

    @contextmanager
    def _http(self) -> Iterator[httpx2.Client]:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        try:
            with httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S) as http:
                yield http
        except httpx2.HTTPError as error:
            why = f"{type(error).__name__}{f': {error}' if str(error) else ''}"
            way_out = f"{self.from_variable} names it" if self.from_variable else "see `attend status`"
            raise AttendError("NO_ANSWER", f"{self.name} at {self.url} does not answer ({why}): {way_out}") from None

    def _unlike(self, answer: httpx2.Response) -> AttendError:
        way_out = f": is {self.from_variable} the address of its API?" if self.from_variable else ""
        told = f"{self.name} at {self.url} answers {answer.status_code}, but not as {self.name} does{way_out}"
        return AttendError("NO_ANSWER", told)

    def _check(self, answer: httpx2.Response) -> None:
        if answer.is_success:
            return
        try:
            problem = answer.json()
        except ValueError:
            problem = None
        raise self._error(problem) if isinstance(problem, dict) and "code" in problem else self._unlike(answer)

    def _error(self, problem: dict[str, Any]) -> AttendError:
        code = str(problem.get("code", "PROBLEM"))
        errors = problem.get("errors", [])
        place = ", ".join(str(error.get("place", "")) for error in errors if "detail" not in error)
        told = f"{code}: {problem.get('detail', 'no more is told')}" + (f" (at {place})" if place else "")
        told += f"; {self.hints[code]}" if code in self.hints else ""
        each = [f"\n  {one['place']} ({one['code']}): {one['detail']}" for one in errors if "detail" in one]
        return ProblemTold(code, told + "".join(each), problem)


def _content(body: object) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _given(query: dict[str, Parameter]) -> dict[str, str | int | list[str]]:
    return {name: value for name, value in query.items() if value is not None}


_BOOKING_HINTS = {
    "NO_KEY": f"set {KEY_VARIABLE} to the operator's key, or to a client's that may set policies",
    "WRONG_KEY": f"{KEY_VARIABLE} holds another key: `attend key --operator` shows the operator's",
    "MAY_NOT_SET_POLICY": "`attend clients create NAME … --may-set-policy`, or use the operator's key",
    "MAY_NOT_MANAGE_CLINICS": "`attend clients create NAME … --may-manage-clinics`",
    "MAY_NOT_OVERRIDE": "`attend clients create NAME … --may-override-clearance`",
    "MAY_NOT_CLEAR": "`attend clients create NAME … --may-clear`",
}


_CLIENT_HINTS = {
    "NO_KEY": f"set {CLIENT_KEY_VARIABLE} to a client's key",
    "WRONG_KEY": f"{CLIENT_KEY_VARIABLE} holds no client's key: `attend key` shows the local one's",
    "OPERATOR_BOOKS_NOTHING": f"set {CLIENT_KEY_VARIABLE} to a client's key",
    "NOT_CLEARED": "who may override adds --override --reason WHY",
    "MAY_NOT_OVERRIDE": "`attend clients create NAME … --may-override-clearance`",
}


class Booking(ServiceApi):
    """The way to booking's API."""

    @classmethod
    def here(cls) -> Self:
        """Look at ATTEND_BOOKING_URL and ATTEND_OPERATOR_KEY, else at the running installation."""
        return cls.at("booking", _BOOKING_HINTS)

    @classmethod
    def as_client(cls) -> Self:
        """Look at ATTEND_BOOKING_URL and ATTEND_CLIENT_KEY, else at the running installation and its `local`."""
        return cls.at("booking", _CLIENT_HINTS, CLIENT_KEY_VARIABLE)


def clinic_path(clinic: str) -> str:
    """Return the path of a clinic's reminder policy."""
    return f"/v1/clinics/{quote(clinic, safe='')}/reminder-policy"
