"""Booking's API as the commands of `attend` call it: with the local key, and problems as messages for people."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from chassis.errors import AttendError
from stack.connections import Connections, NothingRuns

URL_VARIABLE, KEY_VARIABLE = "ATTEND_BOOKING_URL", "ATTEND_KEY"
PATIENCE_S = 600.0
"""Between two lines of a stream, or for a whole answer: a dry run over millions takes minutes."""

_HINTS = {
    "NO_KEY": f"set {KEY_VARIABLE} to the operator's key, or to a client's that may set policies",
    "MAY_NOT_SET_POLICY": "`attend clients create NAME … --may-set-policy`, or use the operator's key",
}


@dataclass(frozen=True)
class Booking:
    """The way to booking's API.

    Attributes:
        url: Its address.
        key: A bearer key: the operator's, or a client's.
    """

    url: str
    key: str

    @classmethod
    def here(cls) -> "Booking":
        """Look at ATTEND_BOOKING_URL and ATTEND_KEY, else at the running installation.

        Raises:
            NothingRuns: There is none, and the environment does not name one.
        """
        url, key = os.environ.get(URL_VARIABLE), os.environ.get(KEY_VARIABLE)
        if url and key:
            return cls(url.rstrip("/"), key)
        connections = Connections.here()
        part = connections.state.part("booking") if connections.state else None
        if part is None or not part.url:
            raise NothingRuns("no booking service runs here", f"{URL_VARIABLE} and {KEY_VARIABLE}")
        return cls((url or part.url).rstrip("/"), key or connections.home.secrets.key)

    def ask(self, method: str, path: str, body: object = None, **query: str | int | None) -> Any:
        """Return the JSON answer.

        Raises:
            AttendError: Nobody answers, or the answer is a problem.
        """
        with self._http() as http:
            answer = http.request(method, path, content=_content(body), params=_given(query))
            _check(answer)
            return answer.json()

    def stream(self, path: str, body: object, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """Post, and yield each line of the answer as it comes.

        Raises:
            AttendError: As `ask`; also for a problem that comes as a line.
        """
        headers = {"accept": "application/x-ndjson"}
        with (
            self._http() as http,
            http.stream("POST", path, content=_content(body), params=_given(query), headers=headers) as answer,
        ):
            if not answer.is_success:
                answer.read()
            _check(answer)
            for line in answer.iter_lines():
                told = json.loads(line)
                if "problem" in told:
                    raise _error(told["problem"])
                yield told

    @contextmanager
    def _http(self) -> Iterator[httpx2.Client]:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        try:
            with httpx2.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S) as http:
                yield http
        except httpx2.HTTPError as error:
            reason = f"booking at {self.url} does not answer ({type(error).__name__}): see `attend status`"
            raise AttendError("NO_ANSWER", reason) from None


def clinic_path(clinic: str) -> str:
    """Return the path of a clinic's reminder policy."""
    return f"/v1/clinics/{quote(clinic, safe='')}/reminder-policy"


def _content(body: object) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _given(query: dict[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}


def _check(answer: httpx2.Response) -> None:
    if answer.is_success:
        return
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    raise _error(problem if isinstance(problem, dict) else {"code": f"HTTP_{answer.status_code}"})


def _error(problem: dict[str, Any]) -> AttendError:
    code = str(problem.get("code", "PROBLEM"))
    place = ", ".join(str(error.get("place", "")) for error in problem.get("errors", []))
    told = f"{code}: {problem.get('detail', 'no more is told')}" + (f" (at {place})" if place else "")
    return AttendError(code, told + (f"; {_HINTS[code]}" if code in _HINTS else ""))
