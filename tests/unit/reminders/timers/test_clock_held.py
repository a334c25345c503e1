"""By a clock that does not agree with the broker's the worker fires nothing, and goes on when it agrees again."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from chassis.postgres.clock_check import ClockCheck
from chassis.process.clock import StillClock
from reminders.planning.domain.schedule import KEPT_AFTER_VISIT
from reminders.planning.handle import RemindersOwner
from reminders.planning.messages import RecordWording
from reminders.planning.visit_reader import cause_of, read_visit
from reminders.timers.engine import Engine, Names
from reminders.timers.id_refresh import READ_EVERY_S, IdRefresh
from reminders.timers.partition import Partition
from reminders.timers.ports import Message
from reminders.timers.recovery import Writers
from tests.support.reminders.builders import NOW, VISIT

NAMES = Names("worker", "timers", ("appointments",), "reminders", 12)
DAY_BEFORE = VISIT - timedelta(hours=24)


class Ticks:
    """A clock that nobody sets."""

    s = 0.0

    def __call__(self) -> float:
        return self.s


def engine_of(clock: StillClock, check: ClockCheck | None) -> Engine:
    owner = RemindersOwner(read_visit, cause_of, RecordWording(clock.now))
    return Engine("kafka://nowhere", NAMES, owner, KEPT_AFTER_VISIT, clock.now, clocks=check)


def live(engine: Engine) -> Mapping[int, Partition]:
    """Let the engine own a partition, and return what it may fire."""
    engine._store._live = {3: Partition(1)}
    return engine._firing()


async def test_nothing_is_fired_before_the_clocks_were_compared_or_while_they_differ() -> None:
    clock = StillClock(DAY_BEFORE)
    check = ClockCheck(clock, "the broker's", Ticks())
    engine = engine_of(clock, check)
    assert live(engine) == {}

    check.note(clock.now(), clock.now() - timedelta(hours=4, minutes=40), clock.now())
    assert live(engine) == {}
    assert list(engine.live) == [3]  # what it owns, and plans, it owns

    check.note(clock.now(), clock.now(), clock.now())
    assert list(live(engine)) == [3]


async def test_what_the_emitter_fires_is_what_the_engine_lets_it() -> None:
    clock = StillClock(DAY_BEFORE)
    engine = engine_of(clock, ClockCheck(clock, "the broker's", Ticks()))
    engine._store._live = {3: Partition(1)}

    assert engine._emitter._partitions() == {}
    assert list(engine._intake._partitions()) == [3]


class Writer:
    """A partition's writer that counts."""

    idle_s = 1.0

    def __init__(self) -> None:
        self.written: list[Mapping[str, Sequence[Message]]] = []

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        self.written.append(records)
        return {}


async def test_a_worker_that_writes_nothing_asks_for_the_brokers_time_in_one_partition() -> None:
    ticks, parts = Ticks(), {number: Partition(1) for number in range(3)}
    check = ClockCheck(StillClock(NOW), "the broker's", ticks)
    writers: dict[int, Any] = {number: Writer() for number in parts}
    id_refresh = IdRefresh(cast(Writers, writers), "changelog", lambda: parts, 86_400, check)

    ticks.s = READ_EVERY_S - 0.1
    await id_refresh.read_clock()
    assert [len(writer.written) for writer in writers.values()] == [0, 0, 0]
    ticks.s = READ_EVERY_S
    await id_refresh.read_clock()
    assert [len(writer.written) for writer in writers.values()] == [1, 0, 0]
