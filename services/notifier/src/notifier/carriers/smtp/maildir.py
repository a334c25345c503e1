"""A Maildir that a mail server fills with bounces: read, applied, then moved from `new` to `cur` with the flag S.

A mail whose reports could not be written stays in `new`. One that is no bounce, or about none of our mails, is kept as
unreadable and moved to `cur` without the flag. One that the system will not let us read or move, or whose reading
breaks, is set aside for a while: it hides no other, however many there are of its kind. Several processes may read one
folder: a report counts once, whoever reads it.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from chassis.process.errors import Unavailable
from notifier.callbacks.handle.intake import Intake
from notifier.carriers.smtp.bounces import LARGEST_MAIL, read_mail
from notifier.receipts.domain import Carrier

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 2.0
AT_ONCE = 100
ASIDE_S = 600.0
"""How long a mail that cannot be opened or moved is left alone: rights are mended by people."""
SEEN = ":2,S"
KEPT = ":2,"


class BounceMailbox:
    """A part of the fan-out process.

    Args:
        folder: The Maildir, with `new` and `cur` in it; made if they are not there.
        aside_s: How long a mail that cannot be opened or moved is left alone, machine time.
    """

    def __init__(
        self,
        folder: Path,
        intake: Intake,
        count: Callable[[str, str, int], None],
        every_s: float = EVERY_S,
        aside_s: float = ASIDE_S,
    ) -> None:
        self._new, self._cur = folder / "new", folder / "cur"
        self._intake, self._count, self._every_s, self._aside_s = intake, count, every_s, aside_s
        self._aside: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop` is set; what cannot be written now stays where it is."""
        while not stop.is_set():
            try:
                done = await self.round()
            except (Unavailable, OSError) as error:
                log.warning("bounces.unavailable", error=type(error).__name__)
                done = 0
            if done < AT_ONCE:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_s)

    async def round(self) -> int:
        """Read what is in `new`, at most `AT_ONCE` mails; return how many are done with."""
        now = time.monotonic()
        self._aside = {name: until for name, until in self._aside.items() if until > now}
        done = 0
        for name in await asyncio.to_thread(self._list):
            try:
                await self._take(self._new / name)
                done += 1
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001  # whatever a mail raises is that mail's
                self._aside[name] = now + self._aside_s
                self._count("email", "unreadable", 1)
                log.warning("bounce.set_aside", error=type(error).__name__, for_s=self._aside_s)
        return done

    async def _take(self, mail: Path) -> None:
        content = await asyncio.to_thread(_content, mail)
        if content is None:
            return  # another process has moved it
        batch = read_mail(content)
        await self._intake.take(Carrier.EMAIL, batch)
        await asyncio.to_thread(self._move, mail, KEPT if batch.unread else SEEN)

    def _list(self) -> list[str]:
        for folder in (self._new, self._cur):
            folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(self._new) as entries:
            names = sorted(entry.name for entry in entries if entry.name not in self._aside and entry.is_file())
        return names[:AT_ONCE]

    def _move(self, mail: Path, flags: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            mail.rename(self._cur / (mail.name.partition(":")[0] + flags))


def _content(mail: Path) -> bytes | None:
    try:
        with mail.open("rb") as opened:
            return opened.read(LARGEST_MAIL + 1)
    except FileNotFoundError:
        return None
