"""Claiming: locked, gated and written down in one transaction; of many messages together, or of one by itself.

One message whose row or decision raises must not stop its lane. A step over several that raises says over which
(`Undecidable`), and has done nothing; `lanes.handle.one_by_one` then does each by itself.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from uuid import UUID

from chassis.process.errors import Unavailable
from notifier.lanes.domain.together import STEPS_BACK, apart, whom_of
from notifier.lanes.handle.judgement import Asking, Claimed, judge
from notifier.lanes.handle.ports import LaneTransaction, Ledger
from notifier.ledger.domain.notification import Call, Notification, Row, UnreadableRow
from notifier.ledger.domain.states import NotificationState


class Undecidable(Exception):
    """A step over these messages raised, and has done nothing. Whose it is shows when each is done by itself.

    Attributes:
        asking: What the step did them with: each is done by itself with no more leave than they had together.
    """

    def __init__(self, notification_ids: Collection[UUID], asking: Asking) -> None:
        super().__init__(f"{len(notification_ids)} messages")
        self.notification_ids, self.asking = notification_ids, asking


@asynccontextmanager
async def judging(ledger: Ledger, asking: Asking) -> AsyncIterator[tuple[LaneTransaction, list[UUID]]]:
    """Give a transaction, and a list for the ids of the messages that it looks at (`readable`) with `asking`.

    Raises:
        Undecidable: Something was raised that is not the database's absence, while it looked at messages.
        Unavailable: Nothing was written, or nobody knows.
    """
    ids: list[UUID] = []
    try:
        async with ledger.transaction() as work:
            yield work, ids
    except Unavailable:
        raise
    except Exception as error:
        if not ids:
            raise
        raise Undecidable(ids, asking) from error


def readable(rows: Sequence[Row], ids: list[UUID]) -> list[Notification]:
    """Return locked messages, their ids noted."""
    ids += [row.notification_id for row in rows]
    return [read(row) for row in rows]


def read(row: Row) -> Notification:
    """Return the message."""
    if isinstance(row, UnreadableRow):
        raise row
    return row


async def claim(ledger: Ledger, asking: Asking) -> Claimed:
    """Claim as many due messages as there are free slots and tokens, each authorised by the gate or settled by it.

    Those held by the sending mode, and those that are late, are not its matter (`leases.settle_late`).

    Raises:
        Undecidable: Nothing was claimed; one of them cannot be decided.
    """
    claimed = Claimed()
    with _losing(claimed):
        async with judging(ledger, asking) as (work, ids):
            if limits := await _limits(work, asking):
                until = asking.now + asking.margin
                rows = await work.lock_due(asking.lane, limits, asking.now, until, asking.sending.mode)
                due, beside = await _with_beside(work, readable(rows, ids), ids, asking, until)
                await _decide(work, due, asking, limits, claimed, beside, took_tokens=asking.per_second > 0)
    return claimed


async def _with_beside(
    work: LaneTransaction, due: list[Notification], ids: list[UUID], asking: Asking, until: datetime
) -> tuple[list[Notification], list[Notification]]:
    """Return those due that are claimed now, and what is locked beside them; who lacks some of it steps back."""
    people = {person for one in due if (person := whom_of(one))}
    if not people:
        return due, []
    found = await work.lock_beside(asking.lane, people, ids, asking.now, until)
    beside = readable(found.rows, ids)
    parted = apart(due, found.missing, asking.now)
    later = asking.now + STEPS_BACK
    await work.write(
        [one.but(next_attempt_at=later) for one in due if one.notification_id in parted.put_off], asking.now
    )
    stays = {*parted.left, *parted.put_off}
    return [one for one in due if one.notification_id not in stays], beside


async def claim_one(ledger: Ledger, notification_id: UUID, asking: Asking) -> Claimed:
    """Do what a claim does, or a look at the queue, for one message by itself, if it still waits for that here.

    Another instance may have looked at it meanwhile, and let it wait, or been told that its account is paused.
    """
    claimed = Claimed()
    with _losing(claimed):
        async with ledger.transaction() as work:
            row = (await work.lock([notification_id])).get(notification_id)
            held = None if row is None else read(row)
            if held is None or not _still_asked_for(held, asking):
                return claimed
            limits: Mapping[str, int] = {asking.accounts.of(held.clinic_id): 1}
            if asking.shut_for is None and limits.keys() & await work.paused_s(asking.lane):
                return claimed
            takes = asking.per_second > 0 and asking.shut_for is None
            if takes:
                limits = await work.take_tokens(asking.lane, asking.per_second, limits)
            if limits:
                await _decide(work, [held], asking, limits, claimed, took_tokens=takes)
    return claimed


@contextmanager
def _losing(claimed: Claimed) -> Iterator[None]:
    """Let the calls that are in `claimed` be lost when the database goes away at the commit, which may have landed."""
    try:
        yield
    except Unavailable:
        if not claimed.calls:
            raise
        claimed.lose()


async def _decide(
    work: LaneTransaction,
    held: Sequence[Notification],
    asking: Asking,
    limits: Mapping[str, int],
    claimed: Claimed,
    beside: Sequence[Notification] = (),
    *,
    took_tokens: bool,
) -> None:
    """Judge locked messages, and give back the tokens taken for calls that are not made."""
    claimed.add(await judge(work, held, asking, limits, beside))
    if took_tokens:
        await work.give_back_tokens(asking.lane, _left(limits, claimed.calls))


def _still_asked_for(held: Notification, asking: Asking) -> bool:
    """Say whether a message waits in this lane, for one of the accounts asked for, and is due or late."""
    waits = held.state is NotificationState.QUEUED and held.lane is asking.lane
    late = held.not_after is not None and held.not_after < asking.now
    return (
        waits and asking.accounts.of(held.clinic_id) in asking.limits and (late or held.next_attempt_at <= asking.now)
    )


async def _limits(work: LaneTransaction, asking: Asking) -> Mapping[str, int]:
    """Return how many messages of each account may be claimed; without a rate those that were asked for."""
    if not asking.per_second:
        return asking.limits
    until = asking.now + asking.margin
    waiting = await work.due(asking.lane, asking.limits, asking.now, until, asking.sending.mode)
    wanted = {account: most for account, most in asking.limits.items() if account in waiting}
    return await work.take_tokens(asking.lane, asking.per_second, wanted) if wanted else {}


def _left(limits: Mapping[str, int], calls: Sequence[Call]) -> Mapping[str, int]:
    made = Counter(call.account for call in calls)
    return {account: left for account, most in limits.items() if (left := most - made[account]) > 0}
