"""Any sequence of bookings, changes, crashes and time passing gives exactly the reminders of a ten-line model."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.clock import StillClock
from reminders.adapters.visits import cause_of, read_visit
from reminders.adapters.wording import RecordWording
from reminders.domain.schedule import KEPT_AFTER_VISIT
from reminders.handle.planning import RemindersOwner
from reminders.timers.emitter import Emitter
from reminders.timers.intake import Intake
from reminders.timers.partition import Partition
from reminders.timers.ports import Message
from reminders.timers.writing import Writing
from schemas.appointments import Appointment, ReminderRule, Status
from schemas.envelope import event_type
from schemas.instants import instant
from schemas.planning import plan
from schemas.reminders import REMINDER_DUE, REMINDERS_CANCELLED, ReminderDue, RemindersCancelled, RemindersPlanned
from schemas.wire import decode
from tests.unit.reminders.builders import NOW, appointment, source_of
from tests.unit.reminders.builders import rule as reminder_rule

EVENTS, ROWS = "reminders", "changelog"


@dataclass
class Model:
    """What must leave, in ten lines: `newest` versions, `ended` reminders, and what is `out`."""

    newest: dict[UUID, Appointment] = field(default_factory=dict)
    ended: set[UUID] = field(default_factory=set)
    out: list[tuple[UUID, str]] = field(default_factory=list)

    def take(self, version: Appointment) -> None:
        held = self.newest.get(version.appointment_id)
        if held is None or version.version > held.version:
            self.newest[version.appointment_id] = version
            self.ended |= {reminder.reminder_id for reminder in plan(version) if reminder.reason}

    def tick(self, now: datetime) -> None:
        for version in self.newest.values():
            due = [r for r in plan(version) if r.due <= now and r.reminder_id not in self.ended]
            leaving = [r for r in due if now <= r.not_after][-1:]
            for r in due:
                what = "DUE" if r in leaving else "SUPERSEDED" if now <= r.not_after else "TOO_LATE"
                self.out.append((r.reminder_id, what))
            self.ended |= {r.reminder_id for r in due}


class Killed(Exception):
    """The process ended at a write."""


class Broker:
    """Keeps what is written in a transaction, and can end the worker before or after the commit."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.rows: list[Message] = []
        self.kill: str | None = None

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        kill, self.kill = self.kill, None
        if kill == "before":
            raise Killed
        self.events += records.get(EVENTS, ())
        self.rows += records.get(ROWS, ())
        if kill == "after":
            raise Killed
        return {ROWS: len(self.rows)}

    def compact(self) -> None:
        """Keep the newest row of each key, where it is."""
        last = {key: place for place, (key, _, _) in enumerate(self.rows)}
        self.rows = [message for place, message in enumerate(self.rows) if last[message[0]] == place]


class Worker:
    """One partition of the engine, rebuilt from the rows that the broker keeps."""

    def __init__(self, broker: Broker, clock: StillClock) -> None:
        self.part = Partition(KEPT_AFTER_VISIT // timedelta(microseconds=1))
        for key, packed, _ in broker.rows:
            assert key is not None
            self.part.replay(key, packed)
        asyncio.run(self.part.index())
        owner = RemindersOwner(read_visit, cause_of, RecordWording(clock.now))
        writing = Writing(lambda _: broker, EVENTS, ROWS, lambda: None)
        unused: Any = None
        self._intake = Intake(owner, writing, self._live, unused, unused, unused)
        self._emitter = Emitter(owner, writing, self._live, clock.now, 1.0, lambda *_: None, lambda _: None)

    def take(self, versions: Sequence[Appointment]) -> None:
        asyncio.run(self._offer(versions))

    def prepare(self) -> None:
        asyncio.run(self._emitter._prepare())

    def tick(self) -> None:
        asyncio.run(self._emitter._fire(0, self.part))

    async def _offer(self, versions: Sequence[Appointment]) -> None:
        await self._intake.offer(0, [source_of(version) for version in versions])

    def _live(self) -> dict[int, Partition]:
        return {0: self.part}


LEADS: st.SearchStrategy[list[dict[str, int]]] = st.lists(
    st.one_of(st.builds(dict, hours=st.integers(1, 72)), st.builds(dict, days=st.integers(1, 3))), max_size=6
)
NEAR = st.timedeltas(timedelta(hours=-10), timedelta(hours=100))
STARTS = st.one_of(NEAR, NEAR, st.timedeltas(timedelta(hours=-80), timedelta(days=35)))  # over 29 March, too
AT_ONCE = st.sampled_from((True, True, False))
KILLS = st.sampled_from((None, None, None, "before", "after"))
ANY = st.integers(0, 10**6)


class AnySequence(RuleBasedStateMachine):
    """Versions are published, taken in batches, and taken again after a kill; the model sees them when they are out."""

    @initialize()
    def start(self) -> None:
        self.model, self.broker, self.clock = Model(), Broker(), StillClock(NOW)
        self.worker = Worker(self.broker, self.clock)
        self.history: list[Appointment] = []
        self.newest: dict[UUID, Appointment] = {}
        self.untaken: list[Appointment] = []
        self.slugs = 0

    @precondition(lambda self: len(self._ahead()) < 4)
    @rule(start=STARTS, leads=LEADS, at_once=AT_ONCE)
    def book(self, start: timedelta, leads: list[dict[str, int]], at_once: bool) -> None:
        now = self.clock.now()
        self._publish(
            appointment(
                f"visit {len(self.newest)}",
                starts_at=now + start,
                schedule_set_at=now,
                rules=tuple(self._rule(lead, NOW) for lead in leads),
            ),
            at_once,
        )

    @precondition(lambda self: self._ahead())
    @rule(which=ANY, start=STARTS, at_once=AT_ONCE)
    def move(self, which: int, start: timedelta, at_once: bool) -> None:
        now, visit = self.clock.now(), self._one(which)
        changes = {"starts_at": now + start, "schedule_gen": visit.schedule_gen + 1, "schedule_set_at": now}
        self._publish(self._next(visit, **changes), at_once)

    @precondition(lambda self: self._ahead())
    @rule(which=ANY, status=st.sampled_from((*Status, Status.BOOKED)), at_once=AT_ONCE)
    def change_status(self, which: int, status: Status, at_once: bool) -> None:
        """A return to booked begins a new generation."""
        visit, changes = self._one(which), {}
        if status is Status.BOOKED and visit.status is not Status.BOOKED:
            changes = {"schedule_gen": visit.schedule_gen + 1, "schedule_set_at": self.clock.now()}
        self._publish(self._next(visit, status=status, **changes), at_once)

    @precondition(lambda self: self._ahead())
    @rule(which=ANY, kept=st.integers(0, 6), leads=LEADS, at_once=AT_ONCE)
    def change_rules(self, which: int, kept: int, leads: list[dict[str, int]], at_once: bool) -> None:
        """Rules go, others come with slugs of their own and in another order."""
        visit = self._one(which)
        new = tuple(self._rule(lead, self.clock.now()) for lead in leads)
        policy = visit.policy.model_copy(update={"rules": (*new, *visit.policy.rules[:kept])})
        self._publish(self._next(visit, policy=policy), at_once)

    @precondition(lambda self: self._ahead())
    @rule(which=ANY)
    def repeat(self, which: int) -> None:
        """An older version, or the newest, comes again."""
        visit = self._one(which)
        again = [version for version in self.history if version.appointment_id == visit.appointment_id]
        self.untaken.append(again[which % len(again)])

    @precondition(lambda self: self.untaken)
    @rule(most=st.integers(1, 20), kill=KILLS)
    def take(self, most: int, kill: str | None) -> None:
        """A batch is taken; if the worker is killed at its write, it starts again and takes it anew."""
        batch, self.untaken = self.untaken[:most], self.untaken[most:]
        self.broker.kill = kill
        self._until_done(lambda: self.worker.take(batch))
        for version in batch:
            self.model.take(version)

    @rule(passed=st.timedeltas(timedelta(), timedelta(days=2)))
    def time_passes(self, passed: timedelta) -> None:
        """Nothing fires: the worker is down, or busy."""
        self.clock.move(self.clock.now() + passed)

    @precondition(lambda self: self.worker.part.next_due is not None)
    @rule(before=st.timedeltas(timedelta(), timedelta(seconds=9)))
    def come_near(self, before: timedelta) -> None:
        """The next timer is due in a moment: its hand-over is prepared."""
        due = self.worker.part.next_due
        assert due is not None
        self.clock.move(max(self.clock.now(), instant(due) - before))
        self.worker.prepare()

    @rule(passed=st.one_of(st.timedeltas(timedelta(), timedelta(hours=12)), st.just(timedelta(seconds=9))), kill=KILLS)
    def fire(self, passed: timedelta, kill: str | None) -> None:
        self.clock.move(self.clock.now() + passed)
        held = self.model.newest
        self.untaken = [v for v in self.untaken if self._kept(held.get(v.appointment_id, v))]  # 72 h late is too late
        self.broker.kill = kill
        self._until_done(lambda: self.worker.tick())
        self.model.tick(self.clock.now())
        rows = {UUID(bytes=key) for key in self.worker.part.packed()}
        assert rows == {visit for visit, version in held.items() if self._kept(version)}

    @rule(compacted=st.booleans())
    def crash(self, compacted: bool) -> None:
        if compacted:
            self.broker.compact()
        self.worker = Worker(self.broker, self.clock)

    @invariant()
    def the_same_is_out(self) -> None:
        assert sorted(self._out()) == sorted(self.model.out)

    @invariant()
    def plans_are_versions_in_order(self) -> None:
        plans = [decode(RemindersPlanned, m[1]) for m in self.broker.events if kind(m) == "reminders.planned.v1"]
        for visit, newest in self.model.newest.items():
            assert [p.version for p in plans if p.appointment_id == visit][-1:] == [newest.version]
        assert len({(p.appointment_id, p.version) for p in plans}) == len(plans)

    def _until_done(self, work: Any) -> None:
        try:
            work()
        except Killed:
            self.worker = Worker(self.broker, self.clock)
            work()
        self.broker.kill = None

    def _out(self) -> list[tuple[UUID, str]]:
        found: list[tuple[UUID, str]] = []
        for message in self.broker.events:
            if kind(message) == REMINDER_DUE:
                found.append((decode(ReminderDue, message[1]).reminder_id, "DUE"))
            elif kind(message) == REMINDERS_CANCELLED:
                found += [(r.reminder_id, str(r.reason)) for r in decode(RemindersCancelled, message[1]).reminders]
        return found

    def _rule(self, lead: dict[str, int], since: datetime) -> ReminderRule:
        self.slugs += 1
        return reminder_rule(f"r{self.slugs}", since=since, **lead)

    def _publish(self, version: Appointment, at_once: bool) -> None:
        self.newest[version.appointment_id] = version
        self.history.append(version)
        self.untaken.append(version)
        if at_once:
            self.take(len(self.untaken), None)

    def _next(self, visit: Appointment, **changes: Any) -> Appointment:
        return visit.model_copy(update={"version": visit.version + 1, "event_time": self.clock.now(), **changes})

    def _kept(self, version: Appointment) -> bool:
        assert version.starts_at is not None
        return version.starts_at + KEPT_AFTER_VISIT > self.clock.now()

    def _ahead(self) -> list[Appointment]:
        """The visits whose row may not have left: others are not changed and not repeated any more."""
        held = self.model.newest
        return [v for v in self.newest.values() if self._kept(v) and self._kept(held.get(v.appointment_id, v))]

    def _one(self, which: int) -> Appointment:
        return self._ahead()[which % len(self._ahead())]


def kind(message: Message) -> str | None:
    """Return a message's event type."""
    return event_type(tuple(message[2]))


AnySequence.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_sequence_gives_the_reminders_of_the_model = AnySequence.TestCase
