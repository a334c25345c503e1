"""From one version of an appointment to its row of timers, and what to do when they are due."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from reminders.domain.visit import Visit
from reminders.timers.row import LARGEST_COUNT, NEVER, Row, State, instant, marks_of, micros, state_of
from schemas.planning import Lead, Rule, Slot, due_at, reason_not_to_remind, slots

KEPT_AFTER_VISIT = timedelta(hours=72)
"""A late repeat of an event must find the row, or it would plan again."""

LAST_INSTANT = datetime(9999, 12, 28, tzinfo=UTC)
_HOUR = 3_600_000_000


class Unplannable(ValueError):
    """An appointment for which no instant can be computed: it goes to the dead letters."""


class Timer(NamedTuple):
    """One reminder of a row.

    Attributes:
        rule: Its slug.
        due: In microseconds.
        not_after: In microseconds; a quarter of the lead time before the visit (D15).
    """

    rule: str
    due: int
    not_after: int


@dataclass(frozen=True, slots=True)
class _Days:
    lead_days: int | None
    lead_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Which timers a row has.

    Attributes:
        zone: The clinic's IANA zone.
        leads: Slug and lead of each timer: elapsed microseconds, or days of the wall clock (D12).
    """

    zone: str
    leads: tuple[tuple[str, int | Lead], ...]

    def timers(self, anchor: int) -> list[Timer]:
        """Return the timers of a visit at this instant, in the order of the row's marks."""
        found = []
        for slug, lead in self.leads:
            due = anchor - lead if isinstance(lead, int) else micros(due_at(instant(anchor), self.zone, lead))
            found.append(Timer(slug, due, anchor - (anchor - due) // 4))
        return found


class Settled(NamedTuple):
    """A row whose time has come.

    Attributes:
        row: With everything that was due marked.
        handed_over: The one timer that leaves, or None.
        too_late: Due while nobody looked, and past `not_after` (D15).
        superseded: Overdue together with a later one of the same visit, which leaves instead (D15).
    """

    row: Row
    handed_over: Timer | None
    too_late: tuple[Timer, ...]
    superseded: tuple[Timer, ...]


def terms_of(zone: str, rules: tuple[Rule, ...]) -> bytes:
    """Return the bytes in which the terms of these rules are kept: compact JSON, the same for the same rules."""
    kept = [
        {"slug": rule.slug, "hours": rule.lead_hours}
        if rule.lead_hours is not None
        else {"slug": rule.slug, "days": rule.lead_days or 0}
        for rule in rules
    ]
    return json.dumps({"zone": zone, "rules": kept}, separators=(",", ":")).encode()


@lru_cache(4096)
def read_terms(content: bytes) -> Terms:
    """Return the terms in `terms_of`; leads of rows of format 1 are kept in microseconds (`us`)."""
    kept = json.loads(content)
    leads = ((rule["slug"], _lead(rule)) for rule in kept["rules"])
    return Terms(kept["zone"], tuple(leads))


def apply(
    held: Row | None, held_terms: Terms | None, visit: Visit, rules: tuple[Rule, ...], terms: int
) -> tuple[Row, list[Slot]]:
    """Return the row of a version above the one held, and its reminders in the rules' order.

    A timer of the same generation that fired or was void stays so: one generation and rule is one
    reminder (G4). Timers of earlier generations are gone with their row.

    Args:
        held: The row held, if any.
        held_terms: What its terms say.
        visit: The version.
        rules: In force.
        terms: Number of the same in this partition.

    Raises:
        Unplannable: A date out of range, an unknown zone, or counts too large to keep.
    """
    if max(visit.version, visit.schedule_gen) > LARGEST_COUNT:
        raise Unplannable("version or schedule_gen is too large")
    starts_at = visit.starts_at
    try:
        if starts_at is None:
            found = []
        else:
            barred = reason_not_to_remind(visit.status)
            found = slots(starts_at, visit.zone, rules, visit.schedule_set_at, barred)
        anchor = micros(min(starts_at or visit.event_time, LAST_INSTANT))
        dues = [micros(slot.due) for slot in found]
    except (ArithmeticError, ValueError, KeyError) as error:
        raise Unplannable(f"no reminders can be planned: {type(error).__name__}") from None
    states = [State.VOID if slot.reason else State.PENDING for slot in found]
    if held is not None and held_terms is not None and held.generation == visit.schedule_gen:
        before = {slug: state_of(held.marks, number) for number, (slug, _) in enumerate(held_terms.leads)}
        states = [State(before.get(slot.rule) or state) for slot, state in zip(found, states, strict=True)]
    next_due = min((due for due, state in zip(dues, states, strict=True) if not state), default=NEVER)
    return Row(visit.version, visit.schedule_gen, next_due, anchor, terms, marks_of(states)), found


def settle(row: Row, terms: Terms, now: int) -> Settled:
    """Return what becomes of the row's timers that are due at `now`, in microseconds (D15)."""
    timers = terms.timers(row.anchor)
    states = [state_of(row.marks, number) for number in range(len(timers))]
    due = [number for number, timer in enumerate(timers) if not states[number] and timer.due <= now]
    in_time = [number for number in due if now <= timers[number].not_after]
    leaving = max(in_time, key=lambda number: (timers[number].due, timers[number].rule), default=None)
    for number in due:
        states[number] = State.FIRED if number == leaving else State.VOID
    next_due = min((timer.due for number, timer in enumerate(timers) if not states[number]), default=NEVER)
    return Settled(
        row._replace(next_due=next_due, marks=marks_of(states)),
        None if leaving is None else timers[leaving],
        tuple(timers[number] for number in due if now > timers[number].not_after),
        tuple(timers[number] for number in in_time if number != leaving),
    )


def _lead(rule: dict[str, int]) -> int | Lead:
    if "us" in rule:
        return rule["us"]
    return rule["hours"] * _HOUR if "hours" in rule else _Days(rule["days"])
