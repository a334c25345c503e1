"""The timers of a worker as its reconciler sees them."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from reminders.reconciler.worker_timers import EngineTimers
from reminders.timers.ports import Source
from reminders.timers.row import Row
from schemas.instants import micros
from tests.support.reminders.builders import NOW, VISIT, id_of


async def lag() -> dict[int, int]:
    return {0: 3, 1: 50_000, 2: 4}


async def test_it_is_behind_by_what_is_still_taken_and_not_by_what_stands_still() -> None:
    """What stands still would otherwise keep the reconciler from planning what it lacks."""
    engine: Any = SimpleNamespace(lag=lag, taking={0, 2})

    assert await EngineTimers(engine, "appointments", 12, lambda: NOW).behind() == 7


@pytest.mark.parametrize(("anchor", "aside"), [(micros(VISIT), True), (2**62, False), (-(2**62), False)])
async def test_a_row_of_which_nothing_can_be_said_is_told_as_unreadable_with_its_version(
    anchor: int, aside: bool
) -> None:
    engine: Any = SimpleNamespace(get=lambda *_: Row(3, 2, 5, anchor, 1, b"\0"), is_aside=lambda *_: aside)

    held = EngineTimers(engine, "appointments", 12, lambda: NOW).held(id_of("visit"))

    assert held is not None
    assert (held.version, held.waiting, held.unreadable) == (3, True, True)


async def test_it_says_which_appointments_were_not_taken() -> None:
    """Of each partition the first so many are taken: none while nothing is, or when it has gone elsewhere."""
    ids = [id_of(f"visit {n}") for n in range(40)]
    offered: dict[int, list[str]] = {}

    async def offer(number: int, records: Sequence[Source]) -> int:
        offered[number] = [(record.key or b"").decode() for record in records]
        return 0 if number == 0 else 1 if number == 1 else len(records)

    engine: Any = SimpleNamespace(offer=offer)
    timers = EngineTimers(engine, "appointments", 4, lambda: NOW)

    untaken = await timers.offer([json.dumps({"appointment_id": str(one)}).encode() for one in ids])
    assert {str(one) for one in untaken} == {*offered[0], *offered[1][1:]}
    assert len(offered[0]) > 1
    assert len(offered[1]) > 1

    assert await timers.forget(ids) == untaken
