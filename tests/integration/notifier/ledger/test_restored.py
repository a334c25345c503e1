"""A ledger that was put back to before a message was accepted would have it sent again: it does not start (G5)."""

import pytest

from chassis.process.errors import Misconfigured
from schemas.notifications import Channel
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def test_g5_a_ledger_that_does_not_know_what_was_accepted_sends_nothing(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await notifier.book(await notifier.patient())
    row = await notifier.settled(visit, "confirmation", "accepted")

    async def told() -> bool:
        return any(one.notification_id == row["notification_id"] for one in await notifier.outcomes())

    await until(told)
    await notifier.pool.execute("DELETE FROM notification")  # as a dump from before the booking has it

    with pytest.raises(Misconfigured, match=f"of {row['notification_id']}"):
        await notifier.start(fanout=False, lanes=(Channel.EMAIL,))
    assert len(notifier.carriers.taken) == 1
