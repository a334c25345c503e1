"""A Maildir that a mail server fills with bounces: read, applied, then moved from `new` to `cur` with the flag S.

A mail whose reports could not be written stays in `new`. One that is no bounce, or about none of our mails, is counted
and moved to `cur` without the flag: kept, and not read again. Several processes may read one folder: a report counts
once, whoever reads it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import structlog

from chassis.clock import Clock
from chassis.errors import Unavailable
from notifier.adapters.callbacks.door import LARGEST_MAIL, Door
from notifier.adapters.callbacks.dsn import NoBounce, read_bounce
from notifier.handle.receipts import Receipts, hear

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 2.0
AT_ONCE = 100
SEEN = ":2,S"
KEPT = ":2,"


class BounceMailbox:
    """A part of the fan-out process.

    Args:
        folder: The Maildir, with `new` and `cur` in it; made if they are not there.
        receipts: Where reports are kept.
        clock: Domain time.
        door: Counts.
        committed: Called after every commit that may have made work for lanes or the relay.
        every_s: Between two looks, machine time.
    """

    def __init__(
        self,
        folder: Path,
        receipts: Receipts,
        clock: Clock,
        door: Door,
        committed: Callable[[], None],
        every_s: float = EVERY_S,
    ) -> None:
        self._new, self._cur = folder / "new", folder / "cur"
        self._receipts, self._clock, self._door = receipts, clock, door
        self._committed, self._every_s = committed, every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set; what cannot be written now stays where it is."""
        while not stop.is_set():
            try:
                found = await self.round()
            except (Unavailable, OSError) as error:
                log.warning("bounces.unavailable", error=type(error).__name__)
                found = 0
            if found < AT_ONCE:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_s)

    async def round(self) -> int:
        """Read what is in `new`; return how many mails there were.

        Raises:
            Unavailable: The database is not there; the mail stays.
            OSError: The folder cannot be read.
        """
        mails = await asyncio.to_thread(self._list)
        for mail in mails:
            await self._take(mail)
        return len(mails)

    async def _take(self, mail: Path) -> None:
        try:
            content = await asyncio.to_thread(_content, mail)
        except OSError as error:  # one mail that may not be read holds up no other
            self._door.count("email", "unreadable")
            log.warning("bounce.unreadable", missing=type(error).__name__)
            return
        if content is None:
            return  # another process has moved it
        try:
            if len(content) > LARGEST_MAIL:
                raise NoBounce("size")
            reports = read_bounce(content)
        except NoBounce as error:
            self._door.count("email", "unreadable")
            log.warning("bounce.unreadable", missing=str(error))
            await asyncio.to_thread(self._move, mail, KEPT)
            return
        heard = await hear(self._receipts, reports, self._clock.now())
        self._door.count("email", "applied", heard.applied)
        self._door.count("email", "unmatched", heard.new - heard.applied)
        self._door.count("email", "repeat", len(reports) - heard.new)
        await asyncio.to_thread(self._move, mail, SEEN)
        if heard.told:
            self._committed()

    def _list(self) -> list[Path]:
        for folder in (self._new, self._cur):
            folder.mkdir(parents=True, exist_ok=True)
        return sorted(path for path in self._new.iterdir() if path.is_file())[:AT_ONCE]

    def _move(self, mail: Path, flags: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            mail.rename(self._cur / (mail.name.partition(":")[0] + flags))


def _content(mail: Path) -> bytes | None:
    try:
        with mail.open("rb") as opened:
            return opened.read(LARGEST_MAIL + 1)
    except FileNotFoundError:
        return None
