"""Which events of the topic `reminders` were repeats is told by their places (G3, I3)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis.delivery.consumer import Applied
from notifier.fanout.handle.reminders import DueSeen, GoneSeen, Seen, on_reminders
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from schemas.reminders import ReminderDue
from tests.support.notifier.builders import NOW

LIVE = SendingMode(SendingModeName.LIVE)


class MemoryLedger:
    """A ledger of visits that nobody knows: what is entered is skipped."""

    def __init__(self) -> None:
        self.entered: list[UUID] = []

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        return set(self.entered) & set(notification_ids)

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Any]:
        return {}

    async def insert(self, notifications: Sequence[Notification], now: object) -> None:
        self.entered += [one.notification_id for one in notifications]

    async def facts(self, *_: object) -> Mapping[UUID, Any]:
        return {}

    said = people = facts

    async def nothing(self, *_: object) -> None:
        return None

    deliver_in_app = publish = write = drop_from_plans = keep_plans = nothing


def due() -> DueSeen:
    body = ReminderDue(
        reminder_id=uuid4(),
        appointment_id=uuid4(),
        version=1,
        schedule_gen=1,
        rule="24h",
        due=NOW,
        not_after=NOW + timedelta(hours=1),
        caused_by="booking",
        starts_at=NOW + timedelta(days=1),
    )
    return DueSeen(body, "event")


async def test_a_reminder_named_before_or_twice_in_a_batch_is_a_repeat_wherever_it_stands() -> None:
    store: Any = MemoryLedger()
    first, second, third = due(), due(), due()
    gone = GoneSeen(uuid4(), (uuid4(),))

    async def told(*events: Seen) -> Applied:
        return await on_reminders(store, events, LIVE, NOW)

    assert await told(gone, first) == Applied(repeat=[])
    assert await told(second, gone, first, third, second, third) == Applied(repeat=[2, 4, 5])
    assert len(store.entered) == 3
