"""Group commit: what arrives while a transaction is under way is decided together in the next one."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from booking.door.domain import Client
from chassis.api.door import busy

LARGEST = 500
"""Events of one gathered transaction at most; a request that has more by itself stands alone."""

AT_ONCE = 2
"""Transactions under way: one waits for its commit to reach the disk while the next one decides."""

GATHER_S = 0.01
"""From the start of a transaction to the start of the next: what arrives meanwhile shares its dozen trips to the
database, and all that follows from it downstream. The first request after a pause does not wait."""

MOST_WAITING = 5_000
"""Commands that wait at most, some seconds of work: who comes then is told to come again, before his wait grows past
his patience and the process past its memory."""

type Accept[C, A] = Callable[[Sequence[C], Mapping[str, Client]], Awaitable[list[A]]]


@dataclass(slots=True)
class _Request[C, A]:
    commands: Sequence[C]
    client: Client
    answers: "asyncio.Future[list[A]]"


class Gatherer[C, A]:
    """Collects requests while transactions are under way; each request gets its own answers.

    A single request on a quiet service starts at once. When a gathered transaction fails, its requests are
    tried one by one, so that none suffers from another.

    Args:
        gather_s: From the start of a transaction to the start of the next.
        most_waiting: Commands that wait at most; a request that is larger is taken when none waits.
    """

    def __init__(
        self,
        accept: Accept[C, A],
        at_once: int = AT_ONCE,
        gather_s: float = GATHER_S,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._accept = accept
        self._most_waiting = most_waiting
        self._size = 0
        self._at_once = at_once
        self._gather_s = gather_s
        self._waiting: deque[_Request[C, A]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._begun_at = 0.0

    async def accept(self, commands: Sequence[C], client: Client) -> list[A]:
        """Take a request's commands, after its own earlier ones; return the answers after the commit.

        Raises:
            Problem: 503 BUSY: too much waits already. Nothing of it was taken.
        """
        if not commands:
            return []
        if self._waiting and self._size + len(commands) > self._most_waiting:
            raise busy()
        request = _Request(commands, client, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        self._size += len(commands)
        if len(self._workers) < self._at_once:
            self._workers.add(asyncio.create_task(self._work()))
        return await request.answers

    async def _work(self) -> None:
        try:
            while self._waiting:
                rest = self._begun_at + self._gather_s - time.monotonic()
                if rest > 0:
                    await asyncio.sleep(rest)
                    continue  # another worker may have taken what waited, and begun
                self._begun_at = time.monotonic()
                await self._together(self._next())
        finally:  # in the step that found nothing waiting: what comes next must not count on this worker
            self._workers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next(self) -> list[_Request[C, A]]:
        group = [self._waiting.popleft()]
        size = len(group[0].commands)
        while self._waiting and size + len(self._waiting[0].commands) <= LARGEST:
            group.append(self._waiting.popleft())
            size += len(group[-1].commands)
        self._size -= size
        return group

    async def _together(self, group: list[_Request[C, A]]) -> None:
        commands = [command for request in group for command in request.commands]
        try:
            answers = iter(await self._accept(commands, {r.client.client_id: r.client for r in group}))
        except Exception as error:  # noqa: BLE001  # handed to whoever asked; a cancelled worker falls through
            if len(group) == 1:
                _fail(group[0], error)
                return
            for request in group:
                await self._together([request])
            return
        for request in group:
            own = [next(answers) for _ in request.commands]
            if not request.answers.done():  # its caller has hung up
                request.answers.set_result(own)


def _fail[C, A](request: _Request[C, A], error: Exception) -> None:
    if not request.answers.done():
        request.answers.set_exception(error)
