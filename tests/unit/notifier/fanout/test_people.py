"""What waits for somebody is told once he comes, or once a bar is lifted, if it is still to be said (D58)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from schemas.appointments import Status
from schemas.notifications import Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, STARTS, notification, visit
from tests.unit.notifier.fanout.memory import Memory
from tests.unit.notifier.fanout.test_news import NEXT_WEEK

BARS = (
    ({"deceased": True}, Reason.DECEASED),
    ({"do_not_contact": True}, Reason.DO_NOT_CONTACT),
    ({"consent": False}, Reason.NO_CONSENT),
)


async def barred(**bar: Any) -> tuple[Memory, Notification]:
    memory = Memory()
    await memory.change(**bar)
    [held] = [one for one in memory.ledger.values() if one.recipient == "patient"]
    assert held.state is NotificationState.SKIPPED
    return memory, held


def lift(memory: Memory) -> None:
    now = memory.visits[APPOINTMENT]
    memory.visits[APPOINTMENT] = replace(now, deceased=False, do_not_contact=False, consent=True)


@pytest.mark.parametrize(("bar", "reason"), BARS)
async def test_what_a_bar_kept_back_is_told_once_it_is_lifted(bar: dict[str, Any], reason: Reason) -> None:
    memory, held = await barred(**bar)
    assert (held.reason, memory.turns) == (reason, [str(PATIENT)])
    await memory.come(PATIENT)
    assert memory.open == []
    lift(memory)
    await memory.come(PATIENT)

    assert await memory.leave() == [Kind.CONFIRMATION]
    await memory.come(PATIENT)
    assert await memory.leave() == []


@pytest.mark.parametrize(
    ("after", "meanwhile"),
    [
        (timedelta(0), {"status": Status.CANCELLED}),
        (timedelta(0), {"status": Status.WAITLIST}),
        (timedelta(0), {"status": Status.FULFILLED}),
        (STARTS - NOW + timedelta(minutes=1), {}),
    ],
)
async def test_a_lifted_bar_wakes_nothing_that_matters_no_more(after: timedelta, meanwhile: dict[str, Any]) -> None:
    memory, _ = await barred(consent=False)
    if meanwhile:
        await memory.change(**meanwhile)
    memory.now += after
    lift(memory)
    await memory.come(PATIENT)

    assert await memory.leave() == []


async def test_a_lifted_bar_wakes_what_is_so_now_in_one_message() -> None:
    memory, _ = await barred(do_not_contact=True)
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    assert len([one for one in memory.ledger.values() if one.recipient == "patient"]) == 1
    lift(memory)
    await memory.come(PATIENT)

    assert await memory.leave() == [Kind.CONFIRMATION]
    assert [one.said_starts_at for one in memory.ledger.values() if one.recipient == "patient"] == [NEXT_WEEK]


async def test_whoever_was_told_of_a_visit_and_then_barred_is_told_of_its_end_once_he_may_be() -> None:
    memory = Memory()
    await memory.change()
    assert await memory.leave() == [Kind.CONFIRMATION]
    await memory.change(status=Status.CANCELLED, do_not_contact=True)
    assert await memory.leave() == []
    lift(memory)
    await memory.come(PATIENT)

    assert await memory.leave() == [Kind.CANCELLED]


def waiting(kind: Kind, reason: Reason = Reason.NO_CONTACT, **fields: Any) -> Notification:
    return notification(
        notification_id=uuid4(), kind=kind, state=NotificationState.SKIPPED, lane=None, reason=reason, **fields
    )


@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.TODAY])
@pytest.mark.parametrize("reason", [Reason.NO_CONTACT, Reason.UNKNOWN_PATIENT, Reason.NO_CONSENT])
async def test_a_reminder_that_waited_for_somebody_leaves_when_he_comes(kind: Kind, reason: Reason) -> None:
    memory = Memory(visits={APPOINTMENT: visit()})
    held = waiting(kind, reason)
    memory.ledger[held.notification_id] = held
    await memory.come(PATIENT)

    assert memory.open == [kind]
    assert await memory.leave(timedelta(0)) == [kind]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mobile": None, "email": None}, Reason.NO_CONTACT),
        ({"status": Status.CANCELLED}, Reason.NO_CONTACT),
        ({"schedule_gen": 2}, Reason.NO_CONTACT),
    ],
)
async def test_a_reminder_of_what_is_not_so_or_to_whom_nobody_can_write_stays(
    changes: dict[str, Any], reason: Reason
) -> None:
    memory = Memory(visits={APPOINTMENT: visit(**changes)})
    held = waiting(Kind.REMINDER)
    memory.ledger[held.notification_id] = held
    await memory.come(PATIENT)

    assert (memory.open, memory.ledger[held.notification_id].reason) == ([], reason)


async def test_a_reminder_whose_time_is_over_stays() -> None:
    memory = Memory(visits={APPOINTMENT: visit()})
    held = waiting(Kind.REMINDER, not_after=NOW)
    memory.ledger[held.notification_id] = held
    await memory.come(PATIENT)

    assert memory.ledger[held.notification_id] == held


async def test_a_message_that_names_nobody_is_woken_by_whose_visit_it_is() -> None:
    """So the release before leaves them."""
    memory, held = await barred(mobile=None, email=None)
    memory.ledger[held.notification_id] = replace(held, recipient_id=None)
    memory.visits[APPOINTMENT] = visit()
    await memory.come(PATIENT)

    assert await memory.leave() == [Kind.CONFIRMATION]


async def test_nobody_for_whom_nothing_waits_is_waited_for() -> None:
    memory, held = await barred(consent=False)
    memory.turns.clear()
    people = [UUID(int=n) for n in range(100, 1100)]
    await memory.come(*people)
    assert memory.turns == []
    memory.being_decided = {str(people[7])}
    await memory.come(*people)
    assert memory.turns == [str(people[7])]
    await memory.come(*people, PATIENT)

    assert (set(memory.turns[1:]), held.state) == ({str(people[7]), str(PATIENT)}, NotificationState.SKIPPED)
