"""From one version of an appointment to its row of timers, and what to do when they are due."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from reminders.planning.domain.visit import Policy, Visit
from reminders.timers.row import LARGEST_COUNT, NEVER, Row, TimerState, marks_of, state_of
from schemas.hours import Hours
from schemas.instants import instant, micros
from schemas.planning import Lead, Rule, Slot, lead_of, reason_not_to_remind, slots
from schemas.reminders import Reason
from schemas.zones import UnknownZone, zone_of

KEPT_AFTER_VISIT = timedelta(hours=72)
"""A late repeat of an event must find the row, or it would plan again. Counted from the version if it is later and
nothing waits: a visit may be moved into the past."""

MOST_RULES = 200
"""Of one visit. Booking allows ten; the plan of a thousand would not fit into one batch of the producer."""

FIRST_INSTANT, LAST_INSTANT = micros(datetime(1, 1, 2, tzinfo=UTC)), micros(datetime(9999, 12, 28, tzinfo=UTC))
_LAST = datetime.max.replace(tzinfo=UTC)
PENDING, FIRED, VOID, LAPSED = map(int, TimerState)
OVER = frozenset({FIRED, LAPSED})


class Unplannable(ValueError):
    """An appointment for which no instant can be computed: it goes to the dead letters."""


class Timer(NamedTuple):
    """One reminder of a row.

    Attributes:
        due: In microseconds.
        not_after: In microseconds; a quarter of the lead time before the visit (D15).
    """

    rule: str
    due: int
    not_after: int


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Which timers a row has.

    Attributes:
        leads: How long before the visit each timer is due.
        hours: The clinic's (D16); None in terms written before they were planned by.
    """

    zone: str
    leads: tuple[Lead, ...]
    hours: Hours | None = None

    def timers(self, anchor: int) -> tuple[Timer, ...]:
        """Return the timers of a visit at this instant, in the order of the row's marks."""
        return _timers(self, anchor)


class _Plan(NamedTuple):
    """What one start means under one policy.

    Attributes:
        soonest: The soonest due instant of all; the last instant there is where there are none.
        next_due: The soonest of those pending, or `NEVER`.
    """

    slots: tuple[Slot, ...]
    soonest: datetime
    next_due: int
    marks: bytes


class Settled(NamedTuple):
    """A row whose time has come.

    Attributes:
        handed_over: The one timer that leaves, or None.
        too_late: Due while nobody looked, and past `not_after` (D15).
        superseded: Overdue together with a later one of the same visit, which leaves instead (D15).
    """

    row: Row
    handed_over: Timer | None
    too_late: tuple[Timer, ...]
    superseded: tuple[Timer, ...]


@lru_cache(1024)
def _timers(terms: Terms, anchor: int) -> tuple[Timer, ...]:
    """Return `Terms.timers`: what is due together begins together, and few terms are in use."""
    return tuple(Timer(*slot[:3]) for slot in slots(anchor, terms.zone, terms.leads, -NEVER, None, terms.hours))


def policy_of(zone: str, rules: Iterable[Rule], hours: Hours) -> Policy:
    """Return the rules in force in numbers, and the bytes in which they are kept: equal for equal rules and hours."""
    rules = tuple(rules)
    _check(zone, rules, hours)
    leads = tuple(map(lead_of, rules))
    kept = [
        {"slug": lead.slug, "days": lead.days} if lead.elapsed is None else {"slug": lead.slug, "us": lead.elapsed}
        for lead in leads
    ]
    terms = {"zone": zone, "rules": kept, "hours": [hours.opens.isoformat(), hours.closes.isoformat()]}
    return Policy(leads, hours, json.dumps(terms, separators=(",", ":")).encode())


def _check(zone: str, rules: Sequence[Rule], hours: Hours) -> None:
    try:
        zone_of(zone)
    except UnknownZone as error:
        raise Unplannable(f"zone: {error}") from None
    if hours.opens.tzinfo is not None or hours.closes.tzinfo is not None:
        raise Unplannable("policy.window: hours are the clinic's wall clock, without an offset")
    if len(rules) > MOST_RULES:
        raise Unplannable(f"policy.rules: more than {MOST_RULES}")
    if len({rule.slug for rule in rules}) < len(rules):
        raise Unplannable("policy.rules: two of one slug")
    if any((rule.lead_hours is None) == (rule.lead_days is None) for rule in rules):
        raise Unplannable("policy.rules: a lead is either hours or days")


@lru_cache(4096)
def read_terms(content: bytes) -> Terms:
    """Return the terms in `Policy.terms`."""
    kept = json.loads(content)
    match kept:
        case {"zone": str(zone), "rules": list(rules)}:
            hours = Hours(*map(time.fromisoformat, kept["hours"])) if "hours" in kept else None
            return Terms(zone, tuple(map(_lead, rules)), hours)
        case _:
            raise ValueError("terms without a zone or rules")


def _lead(kept: object) -> Lead:
    match kept:
        case {"slug": str(slug), "us": int(elapsed)}:
            return Lead(slug, elapsed, 0, 0)
        case {"slug": str(slug), "days": int(days)}:
            return Lead(slug, None, days, 0)
        case _:
            raise ValueError("a rule without a slug or a lead")


def apply(
    held: Row | None, before: Terms | None, visit: Visit, policy: Policy, terms: int
) -> tuple[Row, Sequence[Slot]]:
    """Return the row of a version above the one held, and its reminders in the rules' order: as the row holds them.

    A timer of the same generation whose time came stays as it is: one generation and rule is one reminder (G4). One
    that was void is planned anew, as if its rule were set by this version: what is still ahead may leave after all
    (D14). Timers of earlier generations are gone with their row.

    Raises:
        Unplannable: A date out of range, an unknown zone, or counts too large to keep.
    """
    version, generation, starts_at = visit.version, visit.schedule_gen, visit.starts_at
    if version > LARGEST_COUNT or generation > LARGEST_COUNT:
        raise Unplannable("version or schedule_gen is too large")
    anchor = micros(starts_at or visit.event_time)
    marked: dict[str, int] = {}
    if held is not None and before is not None and held.generation == generation and held.marks.strip(b"\0"):
        marked = {lead.slug: state_of(held.marks, number) for number, lead in enumerate(before.leads)}
    plan = NOTHING if starts_at is None else _planned(anchor, visit, policy, marked)
    if plan.next_due == NEVER:
        anchor = max(anchor, micros(visit.event_time))
    if anchor > LAST_INSTANT:
        anchor = LAST_INSTANT
    return Row(version, generation, plan.next_due, anchor, terms, plan.marks), plan.slots


def _planned(start: int, visit: Visit, policy: Policy, marked: Mapping[str, int]) -> _Plan:
    """Return the plan of a version, given what became of its timers before, by rule."""
    barred = reason_not_to_remind(visit.status, visit.barred)
    try:
        if (
            not any(marked.values())
            and visit.schedule_set_at < (plan := _ahead(policy, visit.zone, start, barred)).soonest
        ):
            return plan
        leads = [_again(lead, marked.get(lead.slug), visit) for lead in policy.leads]
        return _plan(slots(start, visit.zone, leads, micros(visit.schedule_set_at), barred, policy.hours), marked)
    except Unplannable:
        raise
    except (ArithmeticError, ValueError, KeyError) as error:
        raise Unplannable(f"no reminders can be planned: {type(error).__name__}") from None


def _again(lead: Lead, mark: int | None, visit: Visit) -> Lead:
    """Return a rule as it counts for a version: a void one from this version on, a lapsed one never again."""
    if mark == VOID:
        return lead._replace(since=max(lead.since, micros(visit.event_time)))
    return lead._replace(since=NEVER) if mark == LAPSED else lead


@lru_cache(16_384)
def _ahead(policy: Policy, zone: str, start: int, barred: Reason | None) -> _Plan:
    """Return the plan of a schedule that was set before all of it. Visits begin at few minutes of the day."""
    return _plan(slots(start, zone, policy.leads, -NEVER, barred, policy.hours), {})


def _plan(found: Iterable[Slot], marked: Mapping[str, int]) -> _Plan:
    """Mark slots: those whose time came as they are marked, others by whether they may leave."""
    found = tuple(found)
    dues = [due for _, due, _, _ in found]
    if dues and min(dues) < FIRST_INSTANT:
        raise Unplannable("no reminders can be planned: before the first year")
    marks = (marked.get(slug) for slug, _, _, _ in found)
    states = [
        mark if mark in OVER else VOID if reason else PENDING
        for mark, (_, _, _, reason) in zip(marks, found, strict=True)
    ]
    pending = [due for due, state in zip(dues, states, strict=True) if state == PENDING]
    return _Plan(found, instant(min(dues)) if dues else _LAST, min(pending) if pending else NEVER, marks_of(states))


NOTHING = _plan((), {})


def settle(row: Row, terms: Terms, now: int) -> Settled:
    """Return what becomes of the row's timers that are due at `now`, in microseconds since 1970 (D15)."""
    timers = terms.timers(row.anchor)
    states = [state_of(row.marks, number) for number in range(len(timers))]
    due = [number for number, timer in enumerate(timers) if not states[number] and timer.due <= now]
    in_time = [number for number in due if now <= timers[number].not_after]
    leaving = max(in_time, key=lambda number: (timers[number].due, timers[number].rule), default=None)
    for number in due:
        states[number] = FIRED if number == leaving else LAPSED
    next_due = min((timer.due for number, timer in enumerate(timers) if not states[number]), default=NEVER)
    return Settled(
        row._replace(next_due=next_due, marks=marks_of(states)),
        None if leaving is None else timers[leaving],
        tuple(timers[number] for number in due if now > timers[number].not_after),
        tuple(timers[number] for number in in_time if number != leaving),
    )
