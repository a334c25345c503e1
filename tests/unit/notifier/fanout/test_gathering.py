"""Visits of a day that were moved together wait for each other's events, and a visit by itself waits for nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.fanout.domain.gathering import AWAITS
from notifier.gate.domain.visit import Visit
from notifier.lanes.domain.together import SOON
from notifier.ledger.domain.states import NotificationState
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import STARTS, visit
from tests.unit.notifier.fanout.memory import Memory

WEEK = timedelta(days=7)
FIRST, SECOND = UUID(int=501), UUID(int=502)


async def told(**changes: Any) -> tuple[Memory, Visit, Visit]:
    """Return two visits of a day of which their patient was told; `changes` are the second's."""
    memory = Memory()
    pair = visit(appointment_id=FIRST), visit(**{"appointment_id": SECOND, "starts_at": STARTS + AN_HOUR, **changes})
    for one in pair:
        memory.visits[one.appointment_id] = one
        await memory.read(one)
    await memory.leave()
    return memory, *pair


AN_HOUR = timedelta(hours=1)


def commit(memory: Memory, one: Visit, **changes: Any) -> Visit:
    """Commit the next version of a visit in booking; nobody has read its event."""
    after = replace(one, version=one.version + 1, schedule_gen=one.schedule_gen + 1, **changes)
    memory.visits[one.appointment_id] = after
    return after


def queued(memory: Memory, of: UUID) -> timedelta:
    """Return for how long the news of a visit waits."""
    [held] = [
        one for one in memory.ledger.values()
        if one.appointment_id == of and one.state is NotificationState.QUEUED and one.recipient == "patient"
    ]  # fmt: skip
    assert held.kind is Kind.MOVED
    return held.next_attempt_at - memory.now


async def test_the_first_that_is_read_waits_for_the_other_and_the_last_for_nobody() -> None:
    memory, first, second = await told()
    moved = [commit(memory, one, starts_at=(one.starts_at or STARTS) + WEEK) for one in (first, second)]

    await memory.read(moved[0])
    assert queued(memory, FIRST) == AWAITS < SOON

    await memory.read(moved[1])
    assert queued(memory, SECOND) == timedelta(0)


@pytest.mark.parametrize(
    ("case", "beside", "since"),
    [
        ("it stands where it was", {}, {}),
        ("it is cancelled", {}, {"status": Status.CANCELLED}),
        ("its doctor is another", {}, {"provider_id": UUID(int=9)}),
        ("it was on another day", {"starts_at": STARTS + timedelta(days=2)}, {"starts_at": STARTS + WEEK}),
        ("it is another patient's", {"patient_id": UUID(int=9)}, {"starts_at": STARTS + WEEK}),
        ("it is at another clinic", {"clinic_id": "SOUTH"}, {"starts_at": STARTS + WEEK}),
    ],
)
async def test_a_visit_beside_which_none_was_moved_waits_for_nothing(
    case: str, beside: dict[str, Any], since: dict[str, Any]
) -> None:
    memory, first, second = await told(**beside)
    if since:
        commit(memory, second, **since)

    await memory.read(commit(memory, first, starts_at=STARTS + WEEK))

    assert queued(memory, FIRST) == timedelta(0)


async def test_an_event_that_never_comes_is_awaited_for_two_seconds() -> None:
    memory, first, second = await told()
    commit(memory, second, starts_at=STARTS + WEEK)
    await memory.read(commit(memory, first, starts_at=STARTS + WEEK))

    assert await memory.leave(AWAITS) == [Kind.MOVED]
