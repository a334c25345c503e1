"""What must come out of the week, from the input alone. An independent model: it shares no code with the services.

Every fact is a line in a `Counter`, so that a missing one and a doubled one both show.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from stack.demo.calendar import local
from stack.demo.changes import Change, Registration
from stack.demo.conditions import ORDINARY, Conditions
from stack.demo.messages import FOLLOW_UP_WITHIN, WAITS_FOR_A_BOOKING, Asked, Teller, Told
from stack.demo.people import Patient
from stack.demo.reminder_rules import Slot, slots
from stack.demo.visits import BEFORE_BOOKING, HERE, Visit, rebooked, visits
from stack.demo.week import Week

MORNING, MORNING_ENDS, NOON = time(8), time(10), time(12)

SubFile = tuple[str, str, str, str | None]
"""(patient, clinic, status, provider)"""
Reminder = tuple[str, int, str, str, str]
"""(appointment, schedule generation, rule, status, channel or reason)"""
News = tuple[str, str, str, str]
"""(appointment, kind, outcome, channel or reason): every message to a patient but the reminders"""
Notice = tuple[str, str, str]
"""(provider, kind, appointment), or the day of a list"""
Message = tuple[str, str]
"""(channel, address)"""
Status = tuple[str, str]
"""(appointment, status)"""


@dataclass
class Facts:
    """Everything countable that a week leaves behind, expected or found."""

    sub_files: Counter[SubFile] = field(default_factory=Counter)
    reminders: Counter[Reminder] = field(default_factory=Counter)
    news: Counter[News] = field(default_factory=Counter)
    notices: Counter[Notice] = field(default_factory=Counter)
    messages: Counter[Message] = field(default_factory=Counter)
    visits: Counter[Status] = field(default_factory=Counter)

    def add(self, other: "Facts") -> None:
        """Count another part's facts in."""
        for one in fields(self):
            getattr(self, one.name).update(getattr(other, one.name))


def expect(week: Week, until: datetime | None = None) -> Facts:
    """Return the facts that the week must have left behind by an instant, by its end if none is named."""
    return expect_of(
        week.changes,
        week.patients,
        frozenset(week.providers),
        week.registrations,
        week.conditions,
        until or week.ends_at,
    )


def expect_of(
    changes: Iterable[Change],
    patients: dict[str, Patient],
    providers: frozenset[str],
    registrations: Iterable[Registration] = (),
    conditions: Conditions = ORDINARY,
    until: datetime | None = None,
) -> Facts:
    """Return the facts that these changes must leave behind."""
    facts, opened = Facts(), dict[tuple[str, str], str | None]()
    registered = {registration.patient: registration.at for registration in registrations}
    everything = visits(changes, until)
    replaced, tellers = rebooked(everything), dict[str, Teller]()
    for visit in sorted(everything, key=lambda visit: visit.name in replaced):  # what was replaced goes first
        _open_sub_file(visit, providers, opened)
        before = tellers.get(replaced.get(visit.name, ""))
        teller = tellers[visit.name] = Teller(visit, patients, registered, conditions, before)
        for asked, slot in _in_time(visit, teller.person.barred, until):
            _count(facts, visit, _as_one(asked, visit, replaced), slot, teller)
        _notify(facts, visit, providers)
    for (patient, clinic), provider in opened.items():
        numbered = patients[patient].registered or patient in registered
        facts.sub_files[patient, clinic, "ACTIVE" if numbered else "PARKED", provider] += 1
    if until is not None:
        _list_days(facts, everything, providers, until)
    return facts


def _as_one(asked: Asked, visit: Visit, replaced: Mapping[str, str]) -> Asked:
    """D37: a visit cancelled and one booked in its place are one move, told once."""
    if asked.kind == "confirmation" and visit.name in replaced:
        return replace(asked, kind="moved")
    return replace(asked, superseded=True) if asked.kind == "cancelled" and visit.name in replaced.values() else asked


def _open_sub_file(visit: Visit, providers: frozenset[str], opened: dict[tuple[str, str], str | None]) -> None:
    for change in visit.history:
        if change.status not in BEFORE_BOOKING:
            key = change.patient, change.clinic
            opened[key] = opened.get(key) or (change.provider if change.provider in providers else None)


def _in_time(visit: Visit, barred: str | None, until: datetime | None) -> Iterator[tuple[Asked, Slot | None]]:
    """Yield every message that is asked for, in the order of time, each reminder with its slot."""
    asked = [*_of_transitions(visit), *_of_reminders(visit, barred)]
    if until is not None:
        asked += _of_mornings(visit)
    for one in sorted(asked, key=lambda pair: pair[0].at):
        if until is None or one[0].at <= until:
            yield one


def _of_transitions(visit: Visit) -> Iterator[tuple[Asked, None]]:
    kinds = {"booked": "confirmation", "moved": "moved", "cancelled": "cancelled", "noshow": "no-show"}
    for one in visit.transitions():
        if one.what in kinds:
            change, wait = one.change, WAITS_FOR_A_BOOKING if one.what == "cancelled" else timedelta(0)
            follow_up = one.what == "noshow"
            not_after = change.start + change.length + FOLLOW_UP_WITHIN if follow_up else change.start
            yield Asked(one.at + wait, kinds[one.what], visit.generation(one.at), not_after), None


def _of_reminders(visit: Visit, barred: str | None) -> Iterator[tuple[Asked, Slot]]:
    for generation, schedule in enumerate(visit.schedules, 1):
        for slot in slots(schedule, visit.history[0].zone, barred):
            not_after = schedule.start - slot.lead / 4
            yield Asked(slot.at, "reminder", generation, not_after, slot.lead), slot


def _of_mornings(visit: Visit) -> Iterator[tuple[Asked, None]]:
    """D18: at 8:00 of its own day a visit that stands and is still ahead; the same day only once."""
    zone = visit.history[0].zone
    for day in {schedule.start.astimezone(ZoneInfo(zone)).date() for schedule in visit.schedules}:
        at = local(day, MORNING, zone)
        if visit.history[0].at <= at:
            change = visit.at(at)
            if (
                change.status == "booked"
                and change.start > at
                and change.start.astimezone(ZoneInfo(zone)).date() == day
            ):
                yield Asked(at, "today", visit.generation(at), local(day, MORNING_ENDS, zone)), None


def _count(facts: Facts, visit: Visit, asked: Asked, slot: Slot | None, teller: Teller) -> None:
    if slot is not None:
        reason = slot.born or visit.schedules[asked.generation - 1].closed_by(asked.at)
        told = Told(asked.at, "reminder", "skipped", reason) if reason else teller.tell(asked)
        status = {"accepted": "SENT", "skipped": "CANCELLED", "failed": "FAILED"}[told.outcome]
        facts.reminders[visit.name, asked.generation, slot.rule, status, told.why] += 1
    else:
        known = asked.kind == "today" and _knows_of_today(visit, asked, teller)
        told = Told(asked.at, "today", "skipped", "ALREADY_TOLD") if known else teller.tell(asked)
        facts.news[visit.name, told.kind, told.outcome, told.why] += 1
    if told.outcome == "accepted":
        facts.messages[told.why, told.address] += 1


def _knows_of_today(visit: Visit, asked: Asked, teller: Teller) -> bool:
    """D18: reminded since the noon before, or still to be reminded before the visit."""
    zone, schedule = visit.history[0].zone, visit.schedules[asked.generation - 1]
    day = asked.at.astimezone(ZoneInfo(zone)).date()
    to_come = any(slot.at > asked.at and not slot.born for slot in slots(schedule, zone, teller.person.barred))
    return to_come or teller.reminded_since(local(day - timedelta(days=1), NOON, zone))


def _notify(facts: Facts, visit: Visit, providers: frozenset[str]) -> None:
    """R20, R27, R28: the provider as of now is told at once, of what is not over."""
    for one in visit.transitions():
        change = one.change
        ends = change.start + change.length if one.what == "arrived" else change.start
        if one.what != "noshow" and change.provider in providers and one.at < ends:
            facts.notices[change.provider, f"provider-{one.what}", visit.name] += 1


def _list_days(facts: Facts, everything: list[Visit], providers: frozenset[str], until: datetime) -> None:
    """R19 and D18: at 8:00 each provider's list of the day at each clinic, if anybody is expected on it."""
    lists: set[tuple[str, str, date]] = set()
    for visit in everything:
        zone = visit.history[0].zone
        for day in {change.start.astimezone(ZoneInfo(zone)).date() for change in visit.history}:
            at = local(day, MORNING, zone)
            if visit.history[0].at <= at <= until:
                change = visit.at(at)
                here = change.start.astimezone(ZoneInfo(zone)).date() == day
                if here and change.status in {"booked", *HERE} and change.provider in providers:
                    lists.add((change.provider, change.clinic, day))
    facts.notices.update((provider, "provider-day", day.isoformat()) for provider, _, day in lists)
