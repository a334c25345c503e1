"""What becomes of messages that cannot be decided: the one that raises is taken aside, and keeps no other from leaving.

A step over several messages that raised has done nothing (`claims.Undecidable`). So each of them is done by itself.
Those that raise alone wait first; they have failed as UNDECIDABLE, for staff to see and to send again, once it is
certain that the trouble is their own (`lanes/domain/undecided.py`), or their deadline is near.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from uuid import UUID

import structlog

from chassis.process.errors import Unavailable
from notifier.lanes.domain.undecided import MOST, Undecided
from notifier.lanes.handle.claims import Undecidable, claim_one
from notifier.lanes.handle.judgement import Asking, Claimed
from notifier.lanes.handle.leases import run_out_one
from notifier.lanes.handle.ports import Ledger, Watch
from notifier.ledger.domain.notification import Notification, UnreadableRow
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OneByOne:
    """One lane's way with what raised."""

    def __init__(self, channel: Channel, ledger: Ledger, watch: Watch, machine_s: Callable[[], float]) -> None:
        self._channel, self._ledger, self._watch, self._machine_s = channel, ledger, watch, machine_s
        self._undecided = Undecided()

    def reason(self) -> str | None:
        """Return why this lane is not ready: so much cannot be decided that the fault is ours; else None."""
        if not self._undecided.is_ours(self._machine_s()):
            return None
        return (
            f"{self._channel}: {MOST} messages or more cannot be decided; they are kept until their "
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
        self.decided(claimed)
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

    def decided(self, claimed: Claimed) -> None:
        """Note what a step decided: beside it, what raises is odd by itself."""
        done = [each.notification_id for call in claimed.calls for each in call.every]
        done += [one.notification_id for one in (*claimed.settled, *claimed.waiting)]
        self._undecided = self._undecided.after_deciding(done, self._machine_s())

    async def _aside(self, odd: Mapping[UUID, Exception], asking: Asking, *, keeps: bool) -> list[Notification]:
        """Let messages wait if it `keeps` them, and take the others aside; return those with an outcome.

        A row that cannot be read waits whatever is decided beside it: a process of a later release may read it.
        """
        if not odd:
            return []
        at = self._machine_s()
        self._undecided = self._undecided.after(odd, at)
        alone = self._undecided.odd(odd, at)
        waiting = {one for one, error in odd.items() if isinstance(error, UnreadableRow) or one not in alone}
        self._watch.undecidable(self._channel, len(odd))
        try:
            async with self._ledger.transaction() as work:
                wait = self._undecided.wait(at)
                kept = set(await work.put_off(waiting, asking.now, wait) if keeps else ())
                aside = await work.take_aside(odd.keys() - kept, asking.now)
                await work.publish(aside, asking.now)
        except Exception:  # what was claimed before must still be called for; these are found again
            log.exception("lane.nothing_taken_aside", lane=self._channel)
            return []
        self._undecided = self._undecided.without(odd.keys() - kept)
        self._log_undecidable(odd, kept)
        return list(aside)

    def _log_undecidable(self, odd: Mapping[UUID, Exception], kept: Collection[UUID]) -> None:
        """Log those taken aside, and one that waits for all of them: each comes again, and most alike."""
        told = [one for one in odd if one not in kept][:MOST] + [one for one in odd if one in kept][:1]
        for one in told:
            place = {"lane": self._channel, "notification_id": str(one), "waiting": len(kept)}
            log.error("message.undecidable", **place, kept=one in kept, exc_info=odd[one])
