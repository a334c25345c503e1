"""What a lane looks after besides its calls: leases that ran out, deadlines that passed, a queue that may not leave."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier.gate.domain.decision import Terms
from notifier.lanes.handle.claims import judging, read, readable
from notifier.lanes.handle.judgement import Asking, Claimed, judge
from notifier.lanes.handle.ports import LaneTransaction, Ledger
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import run_out
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 15.0
"""Of a message in the queue of a lane that may not call: not each second anew, and not past the end of its budget."""


async def run_out_leases(ledger: Ledger, asking: Asking) -> list[Notification]:
    """Turn messages whose lease ran out in `sending` into *unknown*, at most `asking.limit`.

    It is never queued again, unless its clinic prefers a possible duplicate to a missed message (D32).
    """
    async with judging(ledger, asking) as (work, ids):
        return await _run_out(work, readable(await work.lock_run_out(asking.lane, asking.limit), ids), asking.now)


async def run_out_one(ledger: Ledger, notification_id: UUID, asking: Asking) -> list[Notification]:
    """Turn one message by itself into *unknown*, as `run_out_leases` does; nothing if it is not in `sending` any more.

    Raises:
        Exception: Whatever its row, or its end, raises: it is that message's own trouble.
    """
    async with ledger.transaction() as work:
        row = (await work.lock([notification_id])).get(notification_id)
        held = [one for one in [row and read(row)] if one and one.state is NotificationState.SENDING]
        return await _run_out(work, held, asking.now)


async def _run_out(work: LaneTransaction, held: Sequence[Notification], now: datetime) -> list[Notification]:
    if not held:
        return []
    doubling = await work.clinics_preferring_doubles({one.clinic_id for one in held if one.clinic_id})
    after = [run_out(one, now, Terms(double_over_miss=one.clinic_id in doubling)) for one in held]
    await work.write(after, now)
    await work.give_up_attempts(held, now)
    await work.publish([one for one in after if one.state is not NotificationState.QUEUED], now)
    return after


async def settle_late(ledger: Ledger, asking: Asking) -> Claimed:
    """Gate messages whose deadline has passed while they waited: for a token, a retry, an hour or a mode.

    No rate and no breaker keeps them: nothing of them is called. One whose visit has moved on waits on.
    """
    shut = replace(asking, shut_for=timedelta(0))
    async with judging(ledger, shut) as (work, ids):
        late = readable(await work.lock_late(asking.lane, asking.limit, asking.now), ids)
        return await judge(work, late, shut, asking.limits)


async def paused(ledger: Ledger, lane: Channel) -> Mapping[str, float]:
    """Return account → for how many seconds more it is paused, of which another instance may have been told."""
    async with ledger.transaction() as work:
        return await work.paused_s(lane)


async def move_on(ledger: Ledger, asking: Asking, keeps_s: float, *, is_our_fault: bool) -> Claimed:
    """Let due messages of an account that may not call wait, and move those whose budget is over to their next channel.

    Args:
        asking: Of that account alone, with the most messages to look at.
    """
    wait = timedelta(seconds=min(max(keeps_s, SHORTEST_WAIT_S), LONGEST_WAIT_S))
    shut = replace(asking, shut_for=wait, is_our_fault=is_our_fault)
    now = asking.now
    async with judging(ledger, shut) as (work, ids):
        due = await work.lock_due(asking.lane, asking.limits, now, now, asking.sending.mode, even_paused=True)
        return await judge(work, readable(due, ids), shut, asking.limits)


async def due(ledger: Ledger, asking: Asking) -> Collection[str]:
    """Return the accounts with messages to call for now: not held, not late, the account not paused."""
    async with ledger.transaction() as work:
        until = asking.now + asking.margin
        return await work.due(asking.lane, asking.limits, asking.now, until, asking.sending.mode)
