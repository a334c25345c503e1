"""Booking's read API of the appointments ahead, over HTTP: `reconciler.handle.Booking`."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import httpx2
import msgspec

from chassis.process.errors import Unavailable
from reminders.reconciler.domain import BookingState
from schemas.topics import APPOINTMENTS

PAGE = 5_000
"""The longest page that booking gives: about 1 MB."""

TIMEOUT_S = 30.0

_NOTHING = UUID(int=0)


class _Page(msgspec.Struct):
    items: list[BookingState]
    next_after: UUID | None = None


class _Whole(msgspec.Struct):
    items: list[msgspec.Raw]


class _Named(msgspec.Struct):
    appointment_id: UUID


_page = msgspec.json.Decoder(_Page).decode
_whole = msgspec.json.Decoder(_Whole).decode
_named = msgspec.json.Decoder(_Named).decode


def booking_client(url: str, key: str) -> httpx2.AsyncClient:
    """Return a client of booking's read API."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False)


class BookingApi:
    """Asks booking."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def ahead(self, partition: int) -> AsyncIterator[Sequence[BookingState]]:
        after: UUID | None = _NOTHING
        share = {"partition": partition, "of": APPOINTMENTS.partitions, "limit": PAGE}
        while after is not None:
            page = _read(_page, await self._ask("GET", "/v1/ahead", params={**share, "after": str(after)}))
            yield page.items
            after = page.next_after

    async def states(self, appointment_ids: Sequence[UUID]) -> dict[UUID, BookingState]:
        found = _read(_page, await self._ask("POST", "/v1/ahead/states", content=_ids(appointment_ids)))
        return {booked.appointment_id: booked for booked in found.items}

    async def snapshots(self, appointment_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        found = _read(_whole, await self._ask("POST", "/v1/ahead/snapshots", content=_ids(appointment_ids)))
        return {_read(_named, bytes(item)).appointment_id: bytes(item) for item in found.items}

    async def _ask(self, method: str, path: str, **given: Any) -> bytes:
        try:
            answer = await self._client.request(method, path, **given)
        except httpx2.HTTPError as error:
            raise Unavailable("BOOKING_UNAVAILABLE", f"booking does not answer: {type(error).__name__}") from None
        if answer.status_code in {401, 403}:
            raise Unavailable("BOOKING_KEY_REFUSED", "booking refuses REMINDERS_BOOKING_KEY: give the operator's key")
        if answer.status_code != 200:
            raise Unavailable("BOOKING_UNAVAILABLE", f"booking answers {answer.status_code}")
        return answer.content


def _ids(appointment_ids: Sequence[UUID]) -> bytes:
    return msgspec.json.encode({"ids": appointment_ids})


def _read(decode: Any, body: bytes) -> Any:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise Unavailable("BOOKING_UNREADABLE", f"booking's answer is not of the shape known: {error}") from None
