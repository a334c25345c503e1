"""What the engine does with partitions that became live, and of which of them the source is taken."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition
from faust.types import TP

from chassis.kafka.halt import Halt
from chassis.process.clock import StillClock
from reminders.timers.engine import Engine
from reminders.timers.partition import PLANNED
from reminders.timers.ports import Message
from tests.support.reminders.builders import NOW, id_of
from tests.unit.reminders.timers.test_clock_held import engine_of

CHANGELOG = "worker-timers-changelog"
MINE = {TP(CHANGELOG, 0), TP(CHANGELOG, 1)}


class Asked:
    """Counts who is asked to plan what is ahead."""

    def __init__(self, engine: Engine) -> None:
        self.times = 0
        engine.plan_anew(self._count)

    def _count(self) -> None:
        self.times += 1


async def assigned() -> Engine:
    engine = engine_of(StillClock(NOW), None)
    await engine._store.on_rebalance(MINE, set(), MINE)
    return engine


async def test_what_began_anew_is_planned_by_whoever_recovers_it_however_often() -> None:
    """Who wrote the new beginning may be gone before its reconciler made the pass."""
    engine = await assigned()
    asked = Asked(engine)

    for times in (1, 2):
        engine._store.parts[0].begin_anew(510)  # as it is read there
        await engine._store.on_recovery_completed(MINE, set())
        assert asked.times == times
        engine._store.suspend()
        await engine._store.on_rebalance(MINE, set(), MINE)


async def test_what_never_began_anew_asks_nobody() -> None:
    engine = await assigned()
    asked = Asked(engine)

    await engine._store.on_recovery_completed(MINE, set())

    assert asked.times == 0


async def test_a_partition_that_stands_still_takes_nothing_whichever_side_of_it_cannot_be_read() -> None:
    engine = await assigned()
    await engine._store.on_recovery_completed(MINE, set())
    assert set(engine.taking) == {0, 1}

    engine._app.source_reader._stand_still(TopicPartition("appointments", 1), Halt(7, "it cannot be read", 8))
    assert set(engine.taking) == {0}

    engine._store.parts[0].stand_still(7, "it cannot be read", 8)
    await engine._store.on_recovery_completed(MINE, set())
    assert set(engine.taking) == set()


async def test_what_is_set_aside_is_named_and_planned_anew_and_without_a_reconciler_the_way_out_is_told() -> None:
    engine = await assigned()
    await engine._store.on_recovery_completed(MINE, set())
    assert engine.reason() is None
    rows = {id_of(f"visit {n}").bytes: "JSONDecodeError" for n in range(4)}

    engine._emitter._set_aside(1, engine._store.parts[1], rows)

    told = str(engine.reason())
    assert "timers-changelog[1] has 4 rows that were due and cannot be read" in told
    assert f"{id_of('visit 0')} (JSONDecodeError)" in told
    assert str(id_of("visit 3")) not in told, "the first three are named"
    assert "set REMINDERS_BOOKING_URL" in told

    asked = Asked(engine)
    engine._emitter._set_aside(1, engine._store.parts[1], rows)
    assert asked.times == 1
    assert "the reconciler's next pass" in str(engine.reason())
    assert [engine.is_aside(number, next(iter(rows))) for number in (0, 1, 2)] == [False, True, False]


class Writing:
    """The writers of the partitions owned, which write to a list."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes | None]] = []

    def __getitem__(self, number: int) -> Any:
        async def write(records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
            self.written += [(number, key) for messages in records.values() for key, _, _ in messages]
            return {}

        return SimpleNamespace(write=write)


async def test_what_was_planned_since_is_noted_once_and_asks_nobody_any_more() -> None:
    engine = await assigned()
    engine._recovery.writers = writing = cast(Any, Writing())
    engine._store.parts[0].begin_anew(510)
    await engine._store.on_recovery_completed(MINE, set())
    assert engine.begun_anew() == {0: 510}

    for _ in range(2):
        await engine.note_planned({0: 510, 1: 510})

    assert writing.written == [(0, PLANNED)]
    assert engine.begun_anew() == {}
    asked = Asked(engine)
    await engine._store.on_recovery_completed(MINE, set())
    assert asked.times == 0


async def test_what_began_anew_once_more_meanwhile_is_not_noted_nor_what_is_anothers_by_now() -> None:
    engine = await assigned()
    engine._recovery.writers = writing = cast(Any, Writing())
    engine._store.parts[0].begin_anew(600)
    await engine._store.on_recovery_completed(MINE, set())

    await engine.note_planned({0: 510})
    engine._store.suspend()
    await engine.note_planned({0: 600})

    assert writing.written == []
