"""What must come out of the week, from the input alone. An independent model: it shares no code with the services.

Every fact is a line in a `Counter`, so that a missing one and a doubled one both show.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from stack.demo.changes import Change, Registration
from stack.demo.people import Patient
from stack.demo.week import Week

LEADS = {"24h": timedelta(hours=24), "2h": timedelta(hours=2)}
BEFORE_BOOKING = frozenset({"proposed", "pending", "waitlist"})

SubFile = tuple[str, str, str, str | None]
"""(patient, clinic, status, provider)"""
Reminder = tuple[str, int, str, str, str]
"""(appointment, schedule generation, rule, status, channel or reason)"""
Confirmation = tuple[str, str, str]
"""(appointment, outcome, channel or reason)"""
Notice = tuple[str, str]
"""(provider, appointment)"""
Message = tuple[str, str]
"""(channel, address)"""
Visit = tuple[str, str]
"""(appointment, status)"""


@dataclass
class Facts:
    """Everything countable that a week leaves behind, expected or found."""

    sub_files: Counter[SubFile] = field(default_factory=Counter)
    reminders: Counter[Reminder] = field(default_factory=Counter)
    confirmations: Counter[Confirmation] = field(default_factory=Counter)
    notices: Counter[Notice] = field(default_factory=Counter)
    messages: Counter[Message] = field(default_factory=Counter)
    visits: Counter[Visit] = field(default_factory=Counter)

    def add(self, other: "Facts") -> None:
        """Count another part's facts in."""
        self.sub_files += other.sub_files
        self.reminders += other.reminders
        self.confirmations += other.confirmations
        self.notices += other.notices
        self.messages += other.messages
        self.visits += other.visits


def expect(week: Week) -> Facts:
    """Return the facts that the week must leave behind."""
    return expect_of(week.changes, week.patients, frozenset(week.providers), week.registrations)


def expect_of(
    changes: Iterable[Change],
    patients: dict[str, Patient],
    providers: frozenset[str],
    registrations: Iterable[Registration] = (),
) -> Facts:
    """Return the facts that these changes must leave behind.

    Args:
        changes: In the order posted; only those answered `applied` count.
        patients: Everyone, by source id.
        providers: The source ids of the known providers.
        registrations: Patients registered on the way.
    """
    facts = Facts()
    registered = {registration.patient: registration.at for registration in registrations}
    applied = sorted((c for c in changes if c.answer == "applied"), key=lambda c: (c.appointment, c.at))
    opened: dict[tuple[str, str], str | None] = {}
    for _, history in groupby(applied, key=lambda change: change.appointment):
        _one_appointment(list(history), patients, registered, providers, opened, facts)
    for (patient, clinic), provider in opened.items():
        numbered = patients[patient].registered or patient in registered
        facts.sub_files[patient, clinic, "ACTIVE" if numbered else "PARKED", provider] += 1
    return facts


def _one_appointment(
    history: list[Change],
    patients: dict[str, Patient],
    registered: dict[str, datetime],
    providers: frozenset[str],
    opened: dict[tuple[str, str], str | None],
    facts: Facts,
) -> None:
    for before, change in zip([None, *history], history, strict=False):
        known = change.provider if change.provider in providers else None
        if change.status not in BEFORE_BOOKING:
            key = change.patient, change.clinic
            opened[key] = opened.get(key) or known
        if change.status == "booked" and (before is None or before.status != "booked"):
            person = _as_of(patients[change.patient], registered, change.at)
            past = change.start <= change.at
            outcome = ("skipped", "PAST_VISIT") if past else _by_email_first(person)
            facts.confirmations[change.appointment, *outcome] += 1
            facts.messages.update(_message(person, outcome))
            if known and not past:
                facts.notices[known, change.appointment] += 1
    for generation, schedule in enumerate(_schedules(history), 1):
        for rule, lead in LEADS.items():
            due = schedule.start - lead
            person = _as_of(patients[history[0].patient], registered, due)
            reason = schedule.reason_at(due)
            outcome = ("CANCELLED", reason) if reason else _by_preference(person)
            status = "SENT" if outcome[0] == "accepted" else "CANCELLED"
            facts.reminders[history[0].appointment, generation, rule, status, outcome[1]] += 1
            facts.messages.update(_message(person, outcome))


@dataclass
class _Schedule:
    """One start of one appointment, while it stood."""

    start: datetime
    set_at: datetime
    sendable: bool
    closed_at: datetime | None = None
    closed_why: str = ""

    def reason_at(self, due: datetime) -> str | None:
        """Return why the reminder due then stays at home, or None."""
        if not self.sendable:
            return "NOT_SENDABLE"
        if due <= self.set_at:
            return "DUE_IN_PAST"
        return self.closed_why if self.closed_at and self.closed_at <= due else None


def _schedules(history: list[Change]) -> list[_Schedule]:
    schedules: list[_Schedule] = []
    for change in history:
        booked = change.status == "booked"
        now = schedules[-1] if schedules else None
        returns = booked and now is not None and (not now.sendable or now.closed_at is not None)
        if now is None or now.start != change.start or returns:
            if now and not now.closed_at:
                now.closed_at, now.closed_why = change.at, "RESCHEDULED"
            schedules.append(_Schedule(change.start, change.at, booked))
        elif not booked and now.sendable and not now.closed_at:
            cancelled = change.status in {"cancelled", "entered-in-error"}
            now.closed_at, now.closed_why = change.at, "APPOINTMENT_CANCELLED" if cancelled else "NOT_SENDABLE"
    return schedules


@dataclass(frozen=True)
class _Person:
    patient: Patient
    registered: bool


def _as_of(patient: Patient, registered: dict[str, datetime], instant: datetime) -> _Person:
    since = registered.get(patient.id)
    return _Person(patient, patient.registered or (since is not None and since <= instant))


def _barred(person: _Person) -> str | None:
    patient, told = person.patient, person.patient.preferences
    if not person.registered:
        return "UNKNOWN_PATIENT"
    if patient.do_not_contact:
        return "DO_NOT_CONTACT"
    if not patient.consent:
        return "NO_CONSENT"
    return "CHANNELS_DISABLED" if told and not (told.whatsapp or told.sms or told.email) else None


def _by_preference(person: _Person) -> tuple[str, str]:
    """R23 and D30: WhatsApp, then SMS, then email among the channels left on; SMS first if nothing was ever said."""
    patient, told = person.patient, person.patient.preferences
    if reason := _barred(person):
        return "skipped", reason
    chain = (
        (bool(told and told.whatsapp), "whatsapp", patient.mobile),
        (told is None or told.sms, "sms", patient.mobile),
        (told is None or told.email, "email", patient.email),
    )
    channel = next((name for enabled, name, address in chain if enabled and address), None)
    return ("accepted", channel) if channel else ("skipped", "NO_CONTACT")


def _by_email_first(person: _Person) -> tuple[str, str]:
    """D34: a confirmation goes by email if it can, else down the chain."""
    told = person.patient.preferences
    if not _barred(person) and person.patient.email and (told is None or told.email):
        return "accepted", "email"
    return _by_preference(person)


def _message(person: _Person, outcome: tuple[str, str]) -> list[Message]:
    if outcome[0] != "accepted":
        return []
    address = person.patient.email if outcome[1] == "email" else person.patient.mobile
    return [(outcome[1], address or "")]
