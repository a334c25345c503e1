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
from stack.demo.let_in import Desk, FlagNow, Missing, at_the_desk, with_the_desk
from stack.demo.messages import FOLLOW_UP_WITHIN, WAITS_FOR_A_BOOKING, Asked, Teller, Told
from stack.demo.people import Patient
from stack.demo.reminder_rules import Slot, slots
from stack.demo.visits import BEFORE_BOOKING, HERE, OFF, Visit, rebooked, visits
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
Checked = tuple[str, str, str]
"""(appointment, what became of a check-in, what lacked)"""


@dataclass
class Facts:
    """Everything countable that a week leaves behind, expected or found."""

    sub_files: Counter[SubFile] = field(default_factory=Counter)
    reminders: Counter[Reminder] = field(default_factory=Counter)
    news: Counter[News] = field(default_factory=Counter)
    notices: Counter[Notice] = field(default_factory=Counter)
    messages: Counter[Message] = field(default_factory=Counter)
    visits: Counter[Status] = field(default_factory=Counter)
    check_ins: Counter[Checked] = field(default_factory=Counter)
    work_list: Counter[FlagNow] = field(default_factory=Counter)

    def add(self, other: "Facts") -> None:
        """Count another part's facts in."""
        for one in fields(self):
            getattr(self, one.name).update(getattr(other, one.name))


def expect(week: Week, until: datetime | None = None) -> Facts:
    """Return the facts that the week must have left behind by an instant, by its end if none is named."""
    changes, providers = with_the_desk(week.changes, week.acts), frozenset(week.providers)
    by, desk = until or week.ends_at, at_the_desk(week.changes, week.acts)
    told = (*week.history, *changes)
    facts = expect_of(told, week.patients, providers, week.registrations, week.conditions, by, desk.missing)
    _check_in(facts, week, desk)
    return facts


def _check_in(facts: Facts, week: Week, desk: Desk) -> None:
    """R34: what the desk was answered, what staff should look at, and which provider is told who came uncleared."""
    for one in desk.answers:
        facts.check_ins[one.act.appointment, one.what, one.lacks] += 1
        if one.what == "reported" and one.lacks and isinstance(one.act, Change) and one.act.provider in week.providers:
            facts.notices[one.act.provider or "", "provider-not-cleared", one.act.appointment] += 1
    facts.work_list.update(desk.flags)


def expect_of(
    changes: Iterable[Change],
    patients: dict[str, Patient],
    providers: frozenset[str],
    registrations: Iterable[Registration] = (),
    conditions: Conditions = ORDINARY,
    until: datetime | None = None,
    missing: Iterable[Missing] = (),
) -> Facts:
    """Return the facts that these changes must leave behind.

    Args:
        missing: When which visits are found to lack what their clinic requires.
    """
    facts, opened = Facts(), dict[tuple[str, str], str | None]()
    registered = {registration.patient: registration.at for registration in registrations}
    everything = visits(changes, until)
    replaced, tellers = rebooked(everything), dict[str, Teller]()
    last: list[tuple[Visit, Asked]] = []
    for visit in sorted(everything, key=lambda visit: visit.name in replaced):  # what was replaced goes first
        _open_sub_file(visit, providers, opened)
        before = tellers.get(replaced.get(visit.name, ""))
        teller = tellers[visit.name] = Teller(visit, patients, registered, conditions, before)
        lacks = [one.at for one in missing if one.appointment == visit.name]
        for asked, slot in _in_time(visit, teller.person.barred, lacks, until):
            if visit.name in replaced.values() and asked.kind == "news" and visit.at(asked.at).status == "cancelled":
                last.append((visit, asked))  # until it is known whether the other visit's message told it
            else:
                _count(facts, visit, asked, slot, teller)
        _notify(facts, visit, providers)
    for visit, asked in last:
        _count_replaced(facts, visit, asked, tellers, replaced)
    for (patient, clinic), provider in opened.items():
        numbered = patients[patient].registered or patient in registered
        facts.sub_files[patient, clinic, "ACTIVE" if numbered else "PARKED", provider] += 1
    if until is not None:
        _list_days(facts, everything, providers, until)
    return facts


def _count_replaced(
    facts: Facts, visit: Visit, asked: Asked, tellers: Mapping[str, Teller], replaced: Mapping[str, str]
) -> None:
    """D37: a visit cancelled and one booked in its place are one move, told once."""
    instead = next(tellers[name] for name, other in replaced.items() if other == visit.name)
    told = tellers[visit.name].told(asked.at)
    tells = {"moved", "confirmation"} if told and told.start == instead.visit.at(asked.at).start else {"moved"}
    if any(one.kind in tells and one.at <= asked.at + WAITS_FOR_A_BOOKING for one in instead.heard):
        facts.news[visit.name, "cancelled", "skipped", "ALREADY_TOLD"] += 1
    else:
        _count(facts, visit, asked, None, tellers[visit.name])


def _open_sub_file(visit: Visit, providers: frozenset[str], opened: dict[tuple[str, str], str | None]) -> None:
    for change in visit.history:
        if change.status not in BEFORE_BOOKING:
            key = change.patient, change.clinic
            opened[key] = opened.get(key) or (change.provider if change.provider in providers else None)


def _in_time(
    visit: Visit, barred: str | None, lacks: Iterable[datetime], until: datetime | None
) -> Iterator[tuple[Asked, Slot | None]]:
    """Yield every message that is asked for, in the order of time, each reminder with its slot."""
    asked = [*_of_changes(visit), *_of_reminders(visit, barred), *_of_what_lacks(visit, lacks)]
    if until is not None:
        asked += _of_mornings(visit)
    for one in sorted(asked, key=lambda pair: pair[0].at):
        if until is None or one[0].at <= until:
            yield one


def _of_changes(visit: Visit) -> Iterator[tuple[Asked, None]]:
    """D58: at each change it is looked at what its patient has to hear; and a missed visit is followed up."""
    for change in visit.history:
        yield Asked(change.at, "news", visit.generation(change.at), change.start), None
    for one in visit.transitions():
        if one.what == "noshow":
            ends = one.change.start + one.change.length
            yield Asked(one.at, "no-show", visit.generation(one.at), ends + FOLLOW_UP_WITHIN), None


def _of_reminders(visit: Visit, barred: str | None) -> Iterator[tuple[Asked, Slot]]:
    for generation, schedule in enumerate(visit.schedules, 1):
        for slot in slots(schedule, visit.history[0].zone, barred):
            not_after = schedule.start - slot.lead / 4
            yield Asked(slot.at, "reminder", generation, not_after, slot.lead), slot


def _of_what_lacks(visit: Visit, lacks: Iterable[datetime]) -> Iterator[tuple[Asked, None]]:
    """R34: until a quarter of the time is left he is told what to bring or to sign."""
    for at in lacks:
        start = visit.at(at).start
        yield Asked(at, "clearance-missing", visit.generation(at), start - (start - at) / 4), None


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
    if asked.kind == "news":
        kind = teller.news(asked.at)
        if kind and visit.is_imported:
            _note(facts, visit, Told(asked.at, kind, "skipped", "BACKFILL"))  # D43: whoever kept it before told him
        elif kind and teller.busy_until <= asked.at:
            wait = WAITS_FOR_A_BOOKING if kind == "cancelled" else timedelta(0)
            told = teller.tell(replace(asked, kind=kind, at=asked.at + wait))
            teller.busy_until = told.at
            _note(facts, visit, told)
        return
    if slot is not None:
        reason = slot.born or visit.schedules[asked.generation - 1].closed_by(asked.at)
        told = Told(asked.at, "reminder", "skipped", reason) if reason else teller.tell(asked)
        status = {"accepted": "SENT", "skipped": "CANCELLED", "failed": "FAILED"}[told.outcome]
        facts.reminders[visit.name, asked.generation, slot.rule, status, told.why] += 1
        if told.outcome == "accepted":
            facts.messages[told.why, told.address] += 1
    else:
        known = asked.kind == "today" and _knows_of_today(visit, asked, teller)
        _note(facts, visit, Told(asked.at, "today", "skipped", "ALREADY_TOLD") if known else teller.tell(asked))


def _note(facts: Facts, visit: Visit, told: Told) -> None:
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
    """R20, R27, D58: each provider is told at once what is so, less what he was told, of what is not over."""
    told: dict[str, datetime | None] = {}  # provider → the start that he knows; None: that it is not his
    for change in visit.history:
        mine = change.provider if change.status == "booked" else None
        for provider, start in list(told.items()):
            ended = change.status in OFF or (change.provider != provider and change.status == "booked")
            if start and ended and change.at < start:
                told[provider] = None
                facts.notices[provider, "provider-cancelled", visit.name] += 1
        if mine in providers and mine is not None and told.get(mine) != change.start and change.at < change.start:
            kind = "moved" if told.get(mine) else "booked"
            told[mine] = change.start
            facts.notices[mine, f"provider-{kind}", visit.name] += 1
    for one in visit.transitions():  # R28
        change = one.change
        if one.what == "arrived" and change.provider in providers and one.at < change.start + change.length:
            facts.notices[change.provider, "provider-arrived", visit.name] += 1


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
