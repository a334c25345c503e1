"""Appointments for the tests of reminders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from reminders.planning.domain.schedule import Settled, Terms, Timer, apply, read_terms, settle
from reminders.planning.visit_reader import read_visit
from reminders.timers.ports import Headers, Source
from reminders.timers.row import Row, TimerState, state_of
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, ReminderPolicy, ReminderRule, SendWindow, Status
from schemas.envelope import Envelope
from schemas.instants import micros
from schemas.planning import Slot
from schemas.wire import encode, event_id


@dataclass
class Record:
    """A source record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VISIT = NOW + timedelta(days=5)
LONG_AGO = NOW - timedelta(days=365)
HOURS = SendWindow(opens=time(7), closes=time(21))
"""As a clinic has them that set none (D16)."""

ANY_HOUR = SendWindow(opens=time.min, closes=time.max)
"""For what has nothing to do with hours."""


def id_of(name: str) -> UUID:
    """Return the same id for the same name."""
    return uuid5(UUID(int=0), name)


def rule(slug: str, *, hours: int | None = None, days: int | None = None, since: datetime = LONG_AGO) -> ReminderRule:
    return ReminderRule(slug=slug, lead_hours=hours, lead_days=days, in_force_since=since)


DEFAULT_RULES = (rule("24h", hours=24), rule("2h", hours=2))


def appointment(
    visit: str = "visit",
    version: int = 1,
    status: Status = Status.BOOKED,
    *,
    starts_at: datetime | None = VISIT,
    schedule_gen: int = 1,
    schedule_set_at: datetime = NOW,
    rules: tuple[ReminderRule, ...] = DEFAULT_RULES,
    zone: str = "Europe/London",
    window: SendWindow = HOURS,
    **changes: Any,
) -> Appointment:
    """Build one version of an appointment: booked now, for a visit in five days, with the default rules."""
    return Appointment(
        appointment_id=id_of(visit),
        version=version,
        status=status,
        patient_id=id_of("patient"),
        clinic_id="EYE",
        starts_at=starts_at,
        zone=zone,
        schedule_gen=schedule_gen,
        schedule_set_at=schedule_set_at,
        first_booked_at=NOW,
        policy=ReminderPolicy(policy_id="p1", rules=rules, window=window),
        event_time=changes.pop("event_time", schedule_set_at),
        ingest_time=NOW,
        source="test",
        **changes,
    )


def headers_of(event: Appointment) -> tuple[tuple[str, bytes], ...]:
    """Return the Kafka headers with which booking publishes an appointment."""
    appointment_id = event.appointment_id
    ce_id = str(event_id(appointment_id, event.version))
    return Envelope(ce_id, APPOINTMENT_CHANGED, "attend/booking", str(appointment_id), event.event_time).headers()


def source_of(event: Appointment, offset: int = 0) -> Source:
    """Return the record of an appointment."""
    key = str(event.appointment_id).encode()
    return Record("appointments", 0, offset, key, encode(event), headers_of(event))


@dataclass
class Kept:
    """A row, what its terms say, and the reminders that its last version planned."""

    row: Row
    terms: Terms
    slots: Sequence[Slot]

    @property
    def timers(self) -> dict[str, Timer]:
        """Its timers by rule."""
        return {timer.rule: timer for timer in self.terms.timers(self.row.anchor)}

    @property
    def states(self) -> dict[str, TimerState]:
        """State of each timer by rule."""
        return {lead.slug: TimerState(state_of(self.row.marks, number)) for number, lead in enumerate(self.terms.leads)}

    def settle(self, at: datetime) -> tuple["Kept", Settled]:
        """Return what is kept after this instant, and what became of its timers."""
        settled = settle(self.row, self.terms, micros(at))
        return Kept(settled.row, self.terms, self.slots), settled


def kept(event: Appointment, before: Kept | None = None) -> Kept:
    """Return what a version of an appointment leaves, given what was kept before."""
    visit, policy = read_visit(source_of(event))
    held, terms = (before.row, before.terms) if before else (None, None)
    row, slots = apply(held, terms, visit, policy, 1)
    return Kept(row, read_terms(policy.terms), slots)


def row_of(event: Appointment) -> Row:
    """Return the row of an appointment's first version, of the first terms."""
    return kept(event).row
