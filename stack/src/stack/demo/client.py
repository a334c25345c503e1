"""The services' public APIs as the demo and the end-to-end tests call them."""

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2
import orjson

from stack.demo.installation import Installation

BATCH = 200
"""Events in one post; the door takes up to 1,000."""

AT_ONCE = 16
"""Requests in flight while reading back: enough to keep the services busy, few enough for their pools."""

INBOX_PAGE = 500


class Refused(Exception):
    """An answer that is not 2xx. `errors` are a problem's: each place, and what is wrong there."""

    def __init__(self, status: int, code: str | None, what: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(f"{what}: {status} {code or ''}".rstrip())
        self.status = status
        self.code = code
        self.errors = errors


AS_OPERATOR = "booking, as operator"
"""Names booking in `Client.ask` where the client `local` has not the right."""


class Client:
    """One connection pool to one installation. Use it as an async context manager."""

    def __init__(self, installation: Installation) -> None:
        self._urls = {**installation.urls, AS_OPERATOR: installation.urls["booking"]}
        self._operations_urls = installation.operations_urls
        self._keys = {"booking": installation.key}
        self._operator_key = installation.operator_key
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(30.0),
            limits=httpx2.Limits(max_connections=AT_ONCE * 2),
        )
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    def url(self, part: str) -> str:
        """Return where a part answers; empty where none of that name runs."""
        return self._urls.get(part, "")

    async def ask(self, service: str, method: str, path: str, body: object = None, **query: str | int) -> Any:
        """Return the JSON answer of one call."""
        content = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self._keys.get(service, self._operator_key)}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        async with self._slots:
            answer = await self._http.request(
                method,
                f"{self._urls[service]}{path}",
                content=content,
                params=query or None,
                headers=headers,
            )
        payload = _json(answer.content)
        if not answer.is_success:
            raise Refused(answer.status_code, _code(payload), f"{method} {service}{path}", _errors(payload))
        return payload

    async def post_events(self, events: Sequence[dict[str, object]]) -> list[dict[str, Any]]:
        """Post events in batches, in order, and return the answer to each."""
        answers: list[dict[str, Any]] = []
        for first in range(0, len(events), BATCH):
            batch = {"events": list(events[first : first + BATCH])}
            answers += (await self.ask("booking", "POST", "/v1/events", batch))["results"]
        return answers

    async def appointment(self, appointment_id: str) -> dict[str, Any]:
        """Return an appointment of any source as it is now."""
        told: dict[str, Any] = await self.ask(AS_OPERATOR, "GET", f"/v1/appointments/{appointment_id}")
        current: dict[str, Any] = told["current"]
        return current

    async def check_ins(self, appointment_id: str) -> list[dict[str, Any]]:
        """Return an appointment's check-ins, oldest first."""
        found: list[dict[str, Any]] = (await self.ask("booking", "GET", f"/v1/appointments/{appointment_id}"))[
            "check_ins"
        ]
        return found

    async def flags(self, clinic: str) -> list[dict[str, Any]]:
        """Return what is, or was, on booking's work list of a clinic's visits, the newest 1,000."""
        return _items(await self.ask("booking", "GET", "/v1/visit-flags", clinic=clinic, state="all", limit=1000))

    async def sub_files(self, appointment_id: str) -> list[dict[str, Any]]:
        """Return the sub-files that an appointment opened."""
        return _items(await self.ask("records", "GET", "/v1/subfiles", appointment=appointment_id))

    async def sub_files_of(self, patient_id: str) -> list[dict[str, Any]]:
        """Return a patient's sub-files."""
        return _items(await self.ask("records", "GET", "/v1/subfiles", patient=patient_id))

    async def reminders(self, appointment_id: str) -> list[dict[str, Any]]:
        """Return an appointment's reminder records, of every schedule it had."""
        return _items(await self.ask("reminders-api", "GET", "/v1/reminders", appointment=appointment_id))

    async def notifications(self, appointment_id: str) -> list[dict[str, Any]]:
        """Return an appointment's notifications with their outcomes."""
        return _items(await self.ask("notifier", "GET", "/v1/notifications", appointment=appointment_id))

    async def inbox(self, provider_id: str) -> list[dict[str, Any]]:
        """Return a provider's whole inbox, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["number"] if found else 0
            page = _items(await self.ask("notifier", "GET", f"/v1/inbox/{provider_id}", after=after, limit=INBOX_PAGE))
            found += page
            if len(page) < INBOX_PAGE:
                return found

    async def accepted(self) -> list[dict[str, Any]]:
        """Return what the carriers accepted, by their own log, oldest first."""
        accepted: list[dict[str, Any]] = await self.ask("sinks", "GET", "/accepted")
        return accepted

    async def clock(self, service: str) -> dict[str, Any]:
        """Return a process' `GET /clock`."""
        return await self._said(service, "/clock")

    async def status(self, service: str) -> dict[str, Any]:
        """Return a process' `GET /status`."""
        return await self._said(service, "/status")

    async def _said(self, service: str, path: str) -> dict[str, Any]:
        async with self._slots:
            answer = await self._http.get(f"{self._operations_urls[service]}{path}")
        said: dict[str, Any] = _json(answer.content)
        if not answer.is_success:
            raise Refused(answer.status_code, _code(said), f"GET {service}{path}")
        return said


async def gather_by_key[K](keys: Iterable[K], call: Any) -> dict[K, Any]:
    """Return `call(key)` for every key, many at once."""
    listed = list(keys)
    return dict(zip(listed, await asyncio.gather(*(call(key) for key in listed)), strict=True))


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return None


def _code(payload: Any) -> str | None:
    """Return the code of a problem, or of FHIR's OperationOutcome."""
    if not isinstance(payload, dict):
        return None
    if payload.get("resourceType") == "OperationOutcome":
        payload = payload["issue"][0].get("details", {}).get("coding", [{}])[0]
    code: str | None = payload.get("code")
    return code


def _errors(payload: Any) -> list[dict[str, Any]]:
    return (payload.get("errors") or []) if isinstance(payload, dict) else []


def _items(answer: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = answer["items"]
    return items
