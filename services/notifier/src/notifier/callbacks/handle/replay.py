"""A callback that was kept because nobody could read or do it: read again by today's program, and done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.process.errors import AttendError
from notifier.callbacks.handle.intake import Batch, Came, Intake
from notifier.receipts.domain import Carrier


class NotReplayable(AttendError):
    """What is kept of it is not enough to read it again."""

    def __init__(self, why: str) -> None:
        super().__init__("NOT_REPLAYABLE", why)


class StillUnreadable(AttendError):
    """It cannot be read, or done, now either.

    Attributes:
        reasons: The places or kinds of trouble; never a value.
    """

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("STILL_UNREADABLE", "this version cannot read or do it either")
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Replayed:
    """That it was done, when, and who wanted it. `repeat`: it had been done before, and nothing was done now."""

    at: datetime
    by: str
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """One as it was kept.

    Attributes:
        is_whole: None of its bytes was cut off.
    """

    carrier: Carrier
    content: bytes
    received_at: datetime
    is_whole: bool
    came: Came
    replayed: Replayed | None


class KeptCallbacks(Protocol):
    """Where they are kept."""

    async def one(self, unreadable_id: int) -> Kept | None:
        """Return one; None if there is none of this number."""

    async def note(self, unreadable_id: int, replayed: Replayed) -> None:
        """Write down that it was done, unless that is written already."""


class ReadAgain(Protocol):
    """Reads the bytes of one that was kept."""

    def __call__(self, carrier: Carrier, content: bytes, came: Came) -> Batch:
        """Return what it holds.

        Raises:
            ValueError: An older version kept it, without what is needed; or it is a part that means nothing by itself.
        """


async def replay(
    kept: KeptCallbacks, intake: Intake, read_again: ReadAgain, unreadable_id: int, by: str, now: datetime
) -> Replayed | None:
    """Do what one says, as said by the account that signed it then, and note who wanted it; None if there is none.

    It is as old as it is: what came after it, and says otherwise, holds.

    Twice is once: what was done already is a repeat to the intake, however far the time before came.

    Raises:
        NotReplayable: It was cut, is no whole by itself, or is of an older version.
        StillUnreadable: It stays as it was, though what of it can be read is done.
    """
    one = await kept.one(unreadable_id)
    if one is None:
        return None
    if one.replayed:
        return one.replayed
    if not one.is_whole:
        raise NotReplayable("It was cut at 64 KiB when it was kept.")
    try:
        batch = read_again(one.carrier, one.content, one.came).heard_at(one.received_at)
    except ValueError:
        why = "It is a part that means nothing by itself, or an older version kept it without its account."
        raise NotReplayable(why) from None
    left = (await intake.do(one.carrier, batch)).unread
    if left:
        raise StillUnreadable(tuple(each.reason for each in left))
    done = Replayed(now, by)
    await kept.note(unreadable_id, done)
    return done
