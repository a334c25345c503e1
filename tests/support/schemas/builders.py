"""One builder of appointments for the tests of planning."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from schemas.appointments import Appointment, ReminderPolicy, ReminderRule, SendWindow
from schemas.instants import instant, micros
from schemas.planning import due_at, lead_of

APPOINTMENT = UUID("01936c1e-7a40-7c31-9d52-3f0a6f4b2c11")
PATIENT = UUID("01936c1d-02b8-7f44-8a6e-91d2c5e07a35")
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    """Return the instant of an ISO text without an offset, read as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(lead: int, since: datetime = LONG_AGO) -> ReminderRule:
    """Return a rule in hours, its slug made of them."""
    return ReminderRule(slug=f"{lead}h", lead_hours=lead, in_force_since=since)


def days(lead: int, since: datetime = LONG_AGO) -> ReminderRule:
    """Return a rule in days, its slug made of them."""
    return ReminderRule(slug=f"{lead}d", lead_days=lead, in_force_since=since)


def appointment(*rules: ReminderRule, **changes: Any) -> Appointment:
    """Return a booked appointment of 2026-06-10 09:00 UTC, set nine days before, 24 h and 2 h by default."""
    start = changes.get("starts_at", utc("2026-06-10T09:00"))
    fields: dict[str, Any] = {
        "appointment_id": APPOINTMENT,
        "version": 1,
        "status": "booked",
        "patient_id": PATIENT,
        "clinic_id": "CARDIO",
        "starts_at": start,
        "zone": "UTC",
        "schedule_gen": 1,
        "schedule_set_at": utc("2026-06-01T12:00"),
        "policy": ReminderPolicy(
            policy_id="CARDIO-1",
            rules=rules or (hours(24), hours(2)),
            window=SendWindow(opens=time(7), closes=time(21)),
        ),
        "event_time": utc("2026-06-01T12:00"),
        "ingest_time": utc("2026-06-01T12:00"),
        "source": "st-marys",
    }
    return Appointment(**fields | changes)


def due_of(start: datetime, zone: str, rule: ReminderRule) -> datetime:
    """Return when a rule's reminder of a visit leaves."""
    return instant(due_at(micros(start), zone, lead_of(rule)))
