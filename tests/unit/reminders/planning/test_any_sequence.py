"""Any sequence of bookings, changes, crashes and time passing gives exactly the reminders of a ten-line model."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.delivery.unreadable_limit import Breaker
from chassis.process.clock import StillClock
from reminders.planning.domain.schedule import KEPT_AFTER_VISIT, read_terms
from reminders.planning.handle import RemindersOwner
from reminders.planning.messages import RecordWording
from reminders.planning.visit_reader import cause_of, read_visit
from reminders.projector.domain.book import Book, on_cancelled, on_due, on_planned
from reminders.timers.emitter import Emitter
from reminders.timers.intake import Intake
from reminders.timers.partition import Partition
from reminders.timers.ports import Message
from reminders.timers.row import state_of, unpack
from reminders.timers.transaction import Transactions
from schemas.appointments import Appointment, Bar, ReminderRule, SendWindow, Status
from schemas.envelope import event_type
from schemas.instants import instant
from schemas.planning import plan
from schemas.reminders import (
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    PlannedReminder,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
    ReminderStatus,
)
from schemas.wire import decode, reminder_id
from tests.support.reminders.builders import ANY_HOUR, NOW, appointment, source_of
from tests.support.reminders.builders import rule as reminder_rule

EVENTS, ROWS = "reminders", "changelog"
BODIES: dict[str, Any] = {
    REMINDERS_PLANNED: RemindersPlanned,
    REMINDERS_CANCELLED: RemindersCancelled,
    REMINDER_DUE: ReminderDue,
}
FOLDS: dict[Any, Any] = {RemindersPlanned: on_planned, RemindersCancelled: on_cancelled, ReminderDue: on_due}


@dataclass
class Model:
    """What must leave, reminder by reminder.

    Attributes:
        newest: Version of each visit.
        waiting: By visit, what must still leave.
        void: Reminders that would not leave, as things stood when they were planned last.
        over: Reminders whose moment came, and when nothing was handed over then, the version that planned them.
        until: By visit, its start, or when it was told of for the last time if nothing waits then.
        out: What was said, in any order.
    """

    newest: dict[UUID, Appointment] = field(default_factory=dict)
    waiting: dict[UUID, list[PlannedReminder]] = field(default_factory=dict)
    void: set[UUID] = field(default_factory=set)
    over: dict[UUID, int | None] = field(default_factory=dict)
    until: dict[UUID, datetime] = field(default_factory=dict)
    out: list[tuple[UUID, str]] = field(default_factory=list)

    def take(self, version: Appointment) -> None:
        """A reminder that was void is planned anew, as if its rule were set by this version."""
        visit, held = version.appointment_id, self.newest.get(version.appointment_id)
        if held is not None and version.version <= held.version:
            return
        rules = [rule for rule in version.policy.rules if self.over.get(self._id(version, rule)) is None]
        again = [
            rule.model_copy(update={"in_force_since": max(rule.in_force_since, version.event_time)})
            if self._id(version, rule) in self.void
            else rule
            for rule in rules
        ]
        planned = plan(version.model_copy(update={"policy": version.policy.model_copy(update={"rules": again})}))
        self.void -= {reminder.reminder_id for reminder in planned}
        self.void |= {reminder.reminder_id for reminder in planned if reminder.reason}
        self.newest[visit] = version
        self.waiting[visit] = [r for r in planned if not r.reason and r.reminder_id not in self.over]
        assert version.starts_at is not None
        self.until[visit] = version.starts_at if self.waiting[visit] else max(version.starts_at, version.event_time)

    def tick(self, now: datetime) -> None:
        for visit, waiting in self.waiting.items():
            due = [r for r in waiting if r.due <= now]
            leaving = [r for r in due if now <= r.not_after][-1:]
            for r in due:
                self.over[r.reminder_id] = None if r in leaving else self.newest[visit].version
                what = "DUE" if r in leaving else "SUPERSEDED" if now <= r.not_after else "TOO_LATE"
                self.out.append((r.reminder_id, what))
            if due:
                self.waiting[visit] = [r for r in waiting if r.due > now]

    @staticmethod
    def _id(version: Appointment, rule: ReminderRule) -> UUID:
        return reminder_id(version.appointment_id, version.schedule_gen, rule.slug)


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
        transactions = Transactions(lambda _: broker, EVENTS, ROWS, lambda: None)
        unused: Any = None
        self._intake = Intake(owner, transactions, self._live, unused, unused, unused, Breaker())
        self._emitter = Emitter(owner, transactions, self._live, clock.now, 1.0, lambda *_: None, lambda _: None)

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
HOURS = st.sampled_from(
    (SendWindow(opens=time(7), closes=time(21)), SendWindow(opens=time(9), closes=time(17)), ANY_HOUR)
)
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
    @rule(start=STARTS, leads=LEADS, hours=HOURS, at_once=AT_ONCE)
    def book(self, start: timedelta, leads: list[dict[str, int]], hours: SendWindow, at_once: bool) -> None:
        now = self.clock.now()
        self._publish(
            appointment(
                f"visit {len(self.newest)}",
                starts_at=now + start,
                schedule_set_at=now,
                rules=tuple(self._rule(lead, NOW) for lead in leads),
                window=hours,
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
    @rule(which=ANY, bar=st.sampled_from((None, *Bar)), at_once=AT_ONCE)
    def change_flags(self, which: int, bar: Bar | None, at_once: bool) -> None:
        """No message may go to the patient any more, or one may again."""
        self._publish(self._next(self._one(which), barred=bar), at_once)

    @precondition(lambda self: self._ahead())
    @rule(which=ANY, kept=st.integers(0, 6), leads=LEADS, at_once=AT_ONCE)
    def change_rules(self, which: int, kept: int, leads: list[dict[str, int]], at_once: bool) -> None:
        """Rules go, others come with slugs of their own and in another order."""
        visit = self._one(which)
        new = tuple(self._rule(lead, self.clock.now()) for lead in leads)
        policy = visit.policy.model_copy(update={"rules": (*new, *visit.policy.rules[:kept])})
        self._publish(self._next(visit, policy=policy), at_once)

    @precondition(lambda self: self._ahead())
    @rule(which=ANY, hours=HOURS, at_once=AT_ONCE)
    def change_hours(self, which: int, hours: SendWindow, at_once: bool) -> None:
        """The clinic has other hours, and something of the visit changes: its version carries them."""
        visit = self._one(which)
        self._publish(self._next(visit, policy=visit.policy.model_copy(update={"window": hours})), at_once)

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

    @precondition(lambda self: self._next_due() is not None)
    @rule(before=st.timedeltas(timedelta(), timedelta(seconds=9)))
    def come_near(self, before: timedelta) -> None:
        """The next timer is due in a moment: its hand-over is prepared."""
        due = self._next_due()
        assert due is not None
        self.clock.move(max(self.clock.now(), instant(due) - before))
        self.worker.prepare()

    @rule(passed=st.one_of(st.timedeltas(timedelta(), timedelta(hours=12)), st.just(timedelta(seconds=9))), kill=KILLS)
    def fire(self, passed: timedelta, kill: str | None) -> None:
        self.clock.move(self.clock.now() + passed)
        self.untaken = [v for v in self.untaken if self._kept(v)]  # 72 h late is too late
        self.broker.kill = kill
        self._until_done(lambda: self.worker.tick())
        self.model.tick(self.clock.now())
        rows = {UUID(bytes=key) for key in self.worker.part.packed()}
        assert rows == {visit for visit, version in self.model.newest.items() if self._kept(version)}

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
        plans = self._plans()
        for visit, newest in self.model.newest.items():
            assert [p.version for p in plans if p.appointment_id == visit][-1:] == [newest.version]
        assert len({(p.appointment_id, p.version) for p in plans}) == len(plans)

    @invariant()
    def what_the_newest_plan_calls_scheduled_is_what_waits_in_the_row(self) -> None:
        newest = {plan.appointment_id: plan for plan in self._plans()}
        for visit, waiting in self.model.waiting.items():
            expected = {r.reminder_id: (r.due, r.not_after) for r in waiting}
            listed = [r for r in newest[visit].reminders if not r.reason]
            ahead = [r for r in listed if r.reminder_id not in self.model.over]
            assert {r.reminder_id: (r.due, r.not_after) for r in ahead} == expected == self._pending(visit)
            assert {self.model.over.get(r.reminder_id) for r in listed} <= {None, newest[visit].version}

    def teardown(self) -> None:
        """The records of all this say what waits, and call nothing else scheduled but what was handed over."""
        books: dict[UUID, Book] = {}
        for message in self.broker.events:
            body = decode(BODIES[kind(message) or ""], message[1])
            book = books.setdefault(body.appointment_id, Book(body.appointment_id))
            FOLDS[type(body)](book, body, NOW, "event")
        for visit, waiting in self.model.waiting.items():
            records = books[visit].reminders.values()
            scheduled = {r.reminder_id for r in records if r.status is ReminderStatus.SCHEDULED}
            assert {r.reminder_id for r in waiting} == {i for i in scheduled if i not in self.model.over}
            assert scheduled - {r.reminder_id for r in waiting} <= {r.reminder_id for r in records if r.handed_over_at}

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

    def _plans(self) -> list[RemindersPlanned]:
        return [decode(RemindersPlanned, m[1]) for m in self.broker.events if kind(m) == REMINDERS_PLANNED]

    def _pending(self, visit: UUID) -> dict[UUID, tuple[datetime, datetime]]:
        """Return what waits in the row of a visit."""
        packed = self.worker.part.get(visit.bytes)
        if packed is None:
            return {}
        row = unpack(packed)
        timers = read_terms(self.worker.part.terms.content(row.terms)).timers(row.anchor)
        return {
            reminder_id(visit, row.generation, timer.rule): (instant(timer.due), instant(timer.not_after))
            for number, timer in enumerate(timers)
            if not state_of(row.marks, number)
        }

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

    def _next_due(self) -> int | None:
        return asyncio.run(self.worker.part.next_due())

    def _kept(self, version: Appointment) -> bool:
        assert version.starts_at is not None
        end = self.model.until.get(version.appointment_id, version.starts_at)
        return end + KEPT_AFTER_VISIT > self.clock.now()

    def _ahead(self) -> list[Appointment]:
        """The visits whose row may not have left: others are not changed and not repeated any more."""
        return [version for version in self.newest.values() if self._kept(version)]

    def _one(self, which: int) -> Appointment:
        return self._ahead()[which % len(self._ahead())]


def kind(message: Message) -> str | None:
    """Return a message's event type."""
    return event_type(tuple(message[2]))


AnySequence.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_sequence_gives_the_reminders_of_the_model = AnySequence.TestCase
