"""Reminder policies: which rules a clinic or a service type may have, and what becomes of their slugs (D13)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from typing import NamedTuple

from booking.clinics.domain.own_policy import DEFAULT_HOURS
from booking.values.refusals import Refused
from schemas.appointments import ReminderRule

MOST_RULES = 10
"""Rules of one policy; a patient who gets more than that for one visit would call it a fault."""

LONGEST_HOURS, LONGEST_DAYS = 24 * 90, 90
"""As the contract has them (`schemas.appointments.ReminderRule`)."""


DEFAULT_SLUGS = frozenset(f"{hours}h" for hours in DEFAULT_HOURS)


class Lead(NamedTuple):
    """How long before the visit: elapsed hours or wall-clock days (D12), exactly one of them."""

    hours: int | None = None
    days: int | None = None

    @property
    def nominal_hours(self) -> int:
        """The lead as if every day had 24 hours."""
        return self.hours if self.hours is not None else 24 * (self.days or 0)

    @property
    def slug(self) -> str:
        """The slug of its first rule at a clinic."""
        return f"{self.hours}h" if self.hours is not None else f"{self.days}d"


def lead_of(rule: ReminderRule) -> Lead:
    """Return the lead time of a rule."""
    return Lead(rule.lead_hours, rule.lead_days)


def leads_of(rules: Sequence[ReminderRule]) -> tuple[Lead, ...]:
    """Return the lead times of rules, in their order."""
    return tuple(map(lead_of, rules))


def checked(leads: Sequence[Lead]) -> tuple[Lead, ...]:
    """Return the lead times in the one order in which policies have them, longest first. None at all is allowed.

    Raises:
        Refused: TOO_MANY_RULES, LEAD_REQUIRED, NUMBER_OUT_OF_RANGE, DUPLICATE_RULE; the place is that of the rule.
    """
    if len(leads) > MOST_RULES:
        raise Refused("TOO_MANY_RULES", f"at most {MOST_RULES} rules", "rules")
    seen: set[int] = set()
    for number, lead in enumerate(leads):
        _check(lead, place := f"rules.{number}")
        if lead.nominal_hours in seen:
            raise Refused("DUPLICATE_RULE", "another rule reminds at the same time; a day counts as 24 hours", place)
        seen.add(lead.nominal_hours)
    return tuple(sorted(leads, key=lambda lead: -lead.nominal_hours))


def _check(lead: Lead, place: str) -> None:
    if (lead.hours is None) == (lead.days is None):
        raise Refused("LEAD_REQUIRED", "give either lead_hours or lead_days", place)
    if lead.hours is not None and not 1 <= lead.hours <= LONGEST_HOURS:
        raise Refused("NUMBER_OUT_OF_RANGE", f"1 to {LONGEST_HOURS} hours", f"{place}.lead_hours")
    if lead.days is not None and not 1 <= lead.days <= LONGEST_DAYS:
        raise Refused("NUMBER_OUT_OF_RANGE", f"1 to {LONGEST_DAYS} days", f"{place}.lead_days")


def next_rules(
    before: Sequence[ReminderRule], leads: Sequence[Lead], minted: Collection[str], since: datetime
) -> tuple[ReminderRule, ...]:
    """Return the rules that follow those before.

    A lead that was there keeps its slug and its `in_force_since`; any other gets a slug that this clinic never
    had, also one that was there earlier: its reminders are not those of then (design §2).

    Args:
        leads: The lead times wanted, as `checked` returns them.
    """
    kept = {lead_of(rule): rule for rule in before}
    used = DEFAULT_SLUGS.union(minted)
    return tuple(kept.get(lead) or _new_rule(lead, used, since) for lead in leads)


def _new_rule(lead: Lead, used: Collection[str], since: datetime) -> ReminderRule:
    names = (lead.slug if number == 1 else f"{lead.slug}-{number}" for number in count(1))
    slug = next(name for name in names if name not in used)
    return ReminderRule(slug=slug, lead_hours=lead.hours, lead_days=lead.days, in_force_since=since)
