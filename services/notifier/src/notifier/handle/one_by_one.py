"""What becomes of messages that cannot be decided: the one that raises is taken aside, and keeps no other from leaving.

A step over several messages that raised has done nothing (`claiming.Undecidable`). So each of them is done by itself.
Those that raise alone have failed as UNDECIDABLE, for staff to see and to send again; or they wait, if they are too
many to be each its own trouble (`domain/undecided.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import structlog

from chassis.errors import Unavailable
from notifier.domain.ledger import Notification
from notifier.domain.undecided import MOST, PUT_OFF, Undecided
from notifier.handle.claiming import Undecidable, claim_one
from notifier.handle.lane import Asking, Claimed
from notifier.handle.ports import Ledger, Watch
from notifier.handle.tending import run_out_one
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OneByOne:
    """One lane's way with what raised.

    Args:
        machine_s: Monotonic machine time in seconds.
    """

    def __init__(self, channel: Channel, ledger: Ledger, watch: Watch, machine_s: Callable[[], float]) -> None:
        self._channel, self._ledger, self._watch, self._machine_s = channel, ledger, watch, machine_s
        self._undecided = Undecided()

    def reason(self) -> str | None:
        """Return why this lane is not ready: so much cannot be decided that the fault is ours; else None."""
        if not self._undecided.is_ours(self._machine_s()):
            return None
        return (
            f"{self._channel}: {MOST} messages within minutes could not be decided; they are kept until their "
            "deadlines: see message.undecidable in the log"
        )

    async def judge(self, raised: Undecidable) -> Claimed:
        """Claim or settle each message that can be, and take the others aside; what could be done is done."""
        claimed, odd = Claimed(), dict[UUID, Exception]()
        for one in raised.notification_ids:
            try:
                alone = await claim_one(self._ledger, one, raised.asking)
            except Unavailable:
                break  # and those before it are claimed
            except Exception as error:  # noqa: BLE001  # whatever a message raises is that message's
                odd[one] = error
                continue
            claimed.add(alone)
            if alone.lost:
                break
        claimed.settled.extend(await self._aside(odd, raised.asking, keeps=True))
        return replace(claimed, more=claimed.moved_any)

    async def run_out(self, raised: Undecidable) -> list[Notification]:
        """End each lease that ran out; a message of which its end cannot be said is *unknown* all the same."""
        after, odd = list[Notification](), dict[UUID, Exception]()
        for one in raised.notification_ids:
            try:
                after += await run_out_one(self._ledger, one, raised.asking)
            except Unavailable:
                break
            except Exception as error:  # noqa: BLE001  # whatever a message raises is that message's
                odd[one] = error
        return [*after, *await self._aside(odd, raised.asking, keeps=False)]

    async def _aside(self, odd: Mapping[UUID, Exception], asking: Asking, *, keeps: bool) -> list[Notification]:
        """Take messages aside, or let them wait while too many are odd and `keeps`; return those with an outcome."""
        if not odd:
            return []
        self._undecided = self._undecided.after(len(odd), self._machine_s())
        keeps = keeps and self.reason() is not None
        for notification_id, error in list(odd.items())[:MOST]:
            place = {"lane": self._channel, "notification_id": str(notification_id)}
            log.error("message.undecidable", **place, kept=keeps, exc_info=error)
        self._watch.undecidable(self._channel, len(odd))
        try:
            async with self._ledger.transaction() as work:
                kept = await work.put_off(odd, asking.now + PUT_OFF) if keeps else ()
                aside = await work.take_aside(odd.keys() - set(kept), asking.now)
                await work.publish(aside, asking.now)
        except Exception:  # what was claimed before must still be called for; these are found again
            log.exception("lane.nothing_taken_aside", lane=self._channel)
            return []
        return list(aside)
