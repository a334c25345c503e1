"""What booking says of a caller's key: whose it is, and which visits and patients its holder sees (decision 0048)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.api.door import refused
from chassis.api.problems import Problem
from chassis.api.remembered_keys import RememberedKeys
from chassis.process.errors import Unavailable

SHORTEST_KEY = 32
"""Characters of any client's key: booking is not asked about less."""
MOST_IDS = 1_000
"""Visits in one question."""
TIMEOUT_S = 3.0
ALL = "*"
"""What booking says instead of every clinic."""
CONNECTIONS = 20
"""At once to booking, whatever strangers send: the others wait, and are answered 503 after `TIMEOUT_S`."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Who(_Read):
    """Whose key it is, and whose clinics' visits its holder sees."""

    client_id: str
    clinics: tuple[str, ...]

    def sees_clinic(self, clinic: str) -> bool:
        """Say whether visits at this clinic may be its holder's."""
        return ALL in self.clinics or clinic in self.clinics


class SeenVisit(_Read):
    """A visit that the key's holder sees: our id of it, and the name that its source gave it."""

    appointment_id: UUID
    source: str
    source_id: str | None = None


class _Seen(_Read):
    items: list[SeenVisit]


class _Patient(_Read):
    patient_id: UUID


class BookingRights:
    """Booking, asked with the key of whoever asks here. Every method raises `Unavailable` while it does not answer."""

    def __init__(self, http: httpx2.AsyncClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._keys = RememberedKeys(self._ask_who, monotonic)

    async def who(self, key: str) -> Who | None:
        """Return whose key it is, as of `remembered_keys.REMEMBERED_S` ago at most; None: nobody's."""
        return None if len(key) < SHORTEST_KEY else await self._keys.holder(key)

    async def seen(self, key: str, ids: Collection[UUID]) -> Mapping[UUID, SeenVisit]:
        """Return those of these visits that the key's holder sees, by their ids."""
        wanted, found = sorted(set(ids)), dict[UUID, SeenVisit]()
        for first in range(0, len(wanted), MOST_IDS):
            body = {"ids": [str(one) for one in wanted[first : first + MOST_IDS]]}
            told = await self._ask(_Seen, key, "POST", "/v1/appointments/seen", json=body)
            found |= {one.appointment_id: one for one in (told.items if told else ())}
        return found

    async def visit_named(self, key: str, source: str | None, name: str) -> UUID | None:
        """Return the visit that a source calls so, if the key's holder sees it.

        Args:
            source: None: the holder's only one.
        """
        query = {"id": name} if source is None else {"source": source, "id": name}
        told = await self._ask(SeenVisit, key, "GET", "/v1/appointments", params=query)
        return None if told is None else told.appointment_id

    async def patient(self, key: str, query: Mapping[str, str]) -> UUID:
        """Return the patient, if the key's holder may write him.

        Args:
            query: `{"patient": our id}`, or `{"id": …}` with its `source`.

        Raises:
            Problem: As booking refuses it, 403 and 404 included.
        """
        told = await self._ask(_Patient, key, "GET", "/v1/client/patient", hides=False, params=dict(query))
        if told is None:
            raise refused(key)
        return told.patient_id

    async def _ask_who(self, key: str) -> Who | None:
        try:
            return await self._ask(Who, key, "GET", "/v1/client")
        except Problem as problem:
            if problem.status != 401:
                raise
            return None

    async def _ask[T: BaseModel](
        self, shape: type[T], key: str, method: str, path: str, *, hides: bool = True, **given: Any
    ) -> T | None:
        """Return the answer; None for what is not there or, with `hides`, is others'."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._http.request(method, path, headers=_with(key), **given)
        except (TimeoutError, httpx2.HTTPError) as error:
            raise _away(type(error).__name__) from None
        if answer.status_code == 401:
            raise refused(key)
        if hides and answer.status_code in {403, 404}:
            return None
        if 400 <= answer.status_code < 500:
            raise _passed_on(answer)
        if answer.status_code != 200:
            raise _away(f"HTTP {answer.status_code}")
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError:
            raise _away("an answer that is not of the shape known") from None


@asynccontextmanager
async def booking_rights(url: str | None) -> AsyncIterator[BookingRights | None]:
    """Give what asks booking at this address; None where none was told.

    It holds no key: each question brings one.
    """
    if not url:
        yield None
        return
    limits = httpx2.Limits(max_connections=CONNECTIONS)
    async with httpx2.AsyncClient(base_url=url.rstrip("/"), timeout=TIMEOUT_S, limits=limits, trust_env=False) as http:
        yield BookingRights(http)


def _with(key: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + key.encode("latin-1")}  # as its bytes came in


def _away(why: str) -> Unavailable:
    return Unavailable("BOOKING_UNAVAILABLE", f"booking does not say what this key may see: {why}")


def _passed_on(answer: httpx2.Response) -> Problem:
    """Return booking's refusal as it is: it names places of the same query."""
    try:
        told = answer.json()
        return Problem(answer.status_code, str(told["code"]), str(told["detail"]), told.get("errors"))
    except (ValueError, KeyError, TypeError):
        return Problem(answer.status_code, "REFUSED_BY_BOOKING", "Booking refuses this, and not in words known here.")
