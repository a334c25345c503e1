"""What a lane looks after besides its calls: leases that ran out, deadlines that passed, a queue that may not leave."""

from dataclasses import replace

from notifier.domain.gate import Terms
from notifier.domain.ledger import Notification
from notifier.domain.settle import run_out
from notifier.domain.states import State
from notifier.handle.lane import Asking, Claimed, judge
from notifier.handle.ports import Ledger


async def run_out_leases(ledger: Ledger, asking: Asking) -> list[Notification]:
    """Turn messages whose lease ran out in `sending` into *unknown*, at most `asking.limit`.

    It is never queued again, unless its clinic holds a double to be better than a miss (D32).
    """
    async with ledger.transaction() as work:
        held = await work.lock_run_out(asking.lane, asking.limit)
        if not held:
            return []
        doubling = await work.clinics_preferring_doubles({one.clinic_id for one in held if one.clinic_id})
        after = [run_out(one, asking.now, Terms(double_over_miss=one.clinic_id in doubling)) for one in held]
        await work.write(after, asking.now)
        await work.give_up_attempts(held, asking.now)
        await work.publish([one for one in after if one.state is not State.QUEUED], asking.now)
    return after


async def settle_late(ledger: Ledger, asking: Asking) -> Claimed:
    """Gate messages whose deadline has passed while they waited: for a token, a retry, an hour or a mode.

    No rate and no breaker keeps them: nothing of them is called. One whose visit has moved on waits on.
    """
    async with ledger.transaction() as work:
        late = await work.lock_late(asking.lane, asking.limit, asking.now)
        return await judge(work, late, replace(asking, calling=False), asking.limit)


async def move_on(ledger: Ledger, asking: Asking, *, breaker_is_open: bool) -> Claimed:
    """While the lane may not call, move due messages whose budget is over to their next channel (D32).

    Args:
        ledger: The ledger.
        asking: With the most messages to look at.
        breaker_is_open: Else only a pause, which another instance may have been told of, keeps the lane.
    """
    async with ledger.transaction() as work:
        if not breaker_is_open and not await work.is_paused(asking.lane):
            return Claimed()
        due = await work.lock_due(asking.lane, asking.limit, asking.now, asking.sending.mode, even_paused=True)
        return await judge(work, due, replace(asking, calling=False), asking.limit)
