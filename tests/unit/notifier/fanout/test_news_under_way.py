"""What is being said to somebody is not said to him twice, whoever else would say it meanwhile (D58, G5)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import see
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, PROVIDER, STARTS, notification
from tests.unit.notifier.fanout.memory import Memory
from tests.unit.notifier.fanout.test_news import DR_2, NEXT_WEEK


async def moved_and_claimed() -> tuple[Memory, Notification]:
    """Return a visit that was moved before its confirmation left, which is under way now."""
    memory = Memory()
    await memory.change()
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    [queued] = [one for one in memory.ledger.values() if one.state is NotificationState.QUEUED]
    claimed = await memory.judged(queued)
    memory.ledger[claimed.notification_id] = claimed
    assert (claimed.state, claimed.said_starts_at) == (NotificationState.SENDING, NEXT_WEEK)
    return memory, claimed


async def test_who_is_being_told_just_what_is_so_gets_no_second_message() -> None:
    memory, _ = await moved_and_claimed()
    await memory.change(provider_id=DR_2)
    await memory.come(PATIENT)

    assert memory.open == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"starts_at": STARTS, "schedule_gen": 3}, Kind.MOVED), ({"status": Status.CANCELLED}, Kind.CANCELLED)],
)
async def test_who_is_being_told_what_is_so_no_more_gets_another(changes: dict[str, Any], says: Kind) -> None:
    memory, _ = await moved_and_claimed()
    await memory.change(**changes)

    assert memory.open == [says]


async def test_what_was_not_taken_says_what_is_so_itself_and_once() -> None:
    memory, claimed = await moved_and_claimed()
    await memory.change(provider_id=DR_2)
    memory.ledger[claimed.notification_id] = replace(claimed, state=NotificationState.QUEUED)
    await memory.change(provider_id=PROVIDER)

    assert await memory.leave() == [Kind.CONFIRMATION]
    assert await memory.leave() == []


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.REMINDER])
async def test_news_awaits_the_answer_to_whatever_tells_the_same(kind: Kind) -> None:
    memory = Memory()
    await memory.change()
    [queued] = [one for one in memory.ledger.values() if one.state is NotificationState.QUEUED]
    told = {"recipient_id": PATIENT, "said_starts_at": STARTS, "said_at": NOW, "clinic_id": "NORTH"}
    other = notification(notification_id=UUID(int=1), kind=kind, state=NotificationState.SENDING, **told)
    memory.ledger[other.notification_id] = other

    async def awaited() -> bool:
        return (await see(memory, [queued], NOW))[queued.notification_id].facts.told.awaited

    assert await awaited()
    memory.ledger[other.notification_id] = replace(other, said_starts_at=NEXT_WEEK)
    assert not await awaited()
    memory.ledger[other.notification_id] = replace(other, state=NotificationState.FAILED)
    assert not await awaited()


class Beside(Memory):
    """Another transaction holds what this one waits for, and tells the provider."""

    async def open_news(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        for one in await super().open_news(appointment_ids):
            if one.recipient_id == PROVIDER and self.visits[APPOINTMENT].starts_at == NEXT_WEEK:
                told = replace(
                    one, state=NotificationState.ACCEPTED, reason=None, accepted_at=NOW, said_at=NOW,
                    said_starts_at=NEXT_WEEK, clinic_id="NORTH",
                )  # fmt: skip
                self.ledger[one.notification_id] = told
        return await super().open_news(appointment_ids)


async def test_whoever_was_told_by_the_transaction_that_was_waited_for_is_not_told_again() -> None:
    memory = Beside()
    await memory.change(provider_name=None)
    assert await memory.leave() == [Kind.CONFIRMATION]
    memory.visits[APPOINTMENT] = replace(memory.visits[APPOINTMENT], provider_name="Dr")
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)

    assert memory.notices == []
