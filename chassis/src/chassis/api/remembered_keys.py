"""Whose key it is, as of a moment ago: what a look-up found is remembered for 2 s, so a revoked key opens no longer."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256

REMEMBERED_S = 2.0
"""How long a revoked or rotated key may still open this process's door."""
MOST_REMEMBERED = 1_000
"""Keys remembered at once; of more, those looked up longest ago are forgotten."""


class RememberedKeys[Holder]:
    """Looks keys up, and remembers those that somebody holds: by their hash, so that no key lies in memory for it.

    Args:
        look_up: Says whose key it is; None: nobody's.
        monotonic: Seconds of a clock that only goes forward.
    """

    def __init__(
        self, look_up: Callable[[str], Awaitable[Holder | None]], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._look_up, self._monotonic = look_up, monotonic
        self._found: OrderedDict[bytes, tuple[float, Holder]] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[Holder | None]] = {}

    async def holder(self, key: str) -> Holder | None:
        """Return whose key it is, as of `REMEMBERED_S` ago at most. Errors are those of the look-up."""
        found = self._found.get(_hash(key))
        if found is not None and self._monotonic() < found[0]:
            return found[1]
        return await self.holder_now(key)

    async def holder_now(self, key: str) -> Holder | None:
        """Return the same by a look-up, which requests with the same key meanwhile share."""
        digest = _hash(key)
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.create_task(self._ask(digest, key))
            asked.add_done_callback(lambda _: self._asked.pop(digest))
        return await asyncio.shield(asked)  # a caller that hangs up does not end it for the others

    async def _ask(self, digest: bytes, key: str) -> Holder | None:
        self._found.pop(digest, None)
        holder = await self._look_up(key)
        if holder is not None:
            self._found[digest] = (self._monotonic() + REMEMBERED_S, holder)
            while len(self._found) > MOST_REMEMBERED:
                self._found.popitem(last=False)
        return holder


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
