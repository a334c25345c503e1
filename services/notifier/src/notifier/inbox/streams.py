"""The open inbox streams of this process: one look at the database serves them all.

A look every half second for each stream cost 630 transactions a second at 300 idle streams; now it is two a second
for any number.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from uuid import UUID

from chassis.api.problems import Problem
from chassis.process.errors import Unavailable

MOST = 400
"""Streams of one process; each holds a connection of the 900 that a process bears."""
LOOK_S = 0.5
"""Between looks, for what other processes wrote."""
AT_LEAST_S = 0.05
"""Between looks when this process writes all the time."""
ASK_AGAIN_S = 5.0
"""A stream opened with a token that was revoked since ends within this time."""

type Newest = Callable[[Collection[UUID]], Awaitable[Mapping[UUID, int]]]
"""Provider → the highest number of his notices."""
type Standing = Callable[[Collection[bytes]], Awaitable[Collection[bytes]]]
"""The digests among those given whose tokens still open something."""


class Stream:
    """What one open stream waits for.

    Args:
        token: The digest of the token that opened it; None: the operator's key did.

    Attributes:
        newest: The highest number that was seen of this inbox; -1 before the first look.
    """

    def __init__(self, provider_id: UUID, token: bytes | None) -> None:
        self.provider_id, self.token = provider_id, token
        self.newest, self.ended = -1, False
        self._changed = asyncio.Event()

    def tell(self, newest: int, *, ended: bool) -> None:
        """Note what a look found; wakes the stream if there is anything for it."""
        if newest > self.newest or ended:
            self.newest, self.ended = max(newest, self.newest), ended
            self._changed.set()

    async def wait(self, stop: asyncio.Event) -> None:
        """Return when there is something new, or at the end."""
        waiting = [asyncio.create_task(event.wait()) for event in (self._changed, stop)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        self._changed.clear()


class Streams:
    """All of them, and the look."""

    def __init__(self, newest: Newest, standing: Standing, most: int = MOST, ask_again_s: float = ASK_AGAIN_S) -> None:
        self._newest, self._standing, self._most, self._ask_again_s = newest, standing, most, ask_again_s
        self._open: set[Stream] = set()
        self._rung = asyncio.Event()
        self._asked_at = 0.0

    def ring(self) -> None:
        """Say that this process may have written notices."""
        self._rung.set()

    @contextmanager
    def open(self, provider_id: UUID, token: bytes | None) -> Iterator[Stream]:
        """Give a stream that looks are told to."""
        stream = Stream(provider_id, token)
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    @property
    def full(self) -> bool:
        """Whether no other may be opened."""
        return len(self._open) >= self._most

    def admit(self) -> None:
        """See that one more may be opened."""
        if self.full:
            raise Problem(503, "TOO_MANY_STREAMS", f"At most {self._most} at once. Ask for pages.", retry_after_s=30)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set; a database that is away is waited for."""
        while not stop.is_set():
            with suppress(Unavailable):  # said by the parts that write; a stream says nothing meanwhile
                await self.look()
            await asyncio.sleep(AT_LEAST_S)
            await self._pause(stop)

    async def look(self) -> None:
        """Tell every open stream what is new."""
        self._rung.clear()
        looked = list(self._open)
        if not looked:
            return
        newest = await self._newest({stream.provider_id for stream in looked})
        tokens = {stream.token for stream in looked if stream.token is not None}
        ask = bool(tokens) and time.monotonic() - self._asked_at > self._ask_again_s
        gone = tokens - set(await self._standing(tokens)) if ask else set()
        if ask:
            self._asked_at = time.monotonic()
        for stream in looked:
            stream.tell(newest.get(stream.provider_id, 0), ended=stream.token in gone)

    async def _pause(self, stop: asyncio.Event) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in (self._rung, stop)]
        await asyncio.wait(waiting, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
