"""Reminder policies: which rules a clinic or a service type may have, and what becomes of their slugs (D13)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import NamedTuple

from booking.values.refusals import Refused
from schemas.appointments import ReminderRule

MOST_RULES = 10
"""Rules of one policy; a patient who gets more than that for one visit would call it a fault."""

LONGEST_HOURS, LONGEST_DAYS = 24 * 90, 90
"""As the contract has them (`schemas.appointments.ReminderRule`)."""

DEFAULT_HOURS = (24, 2)
"""Of a clinic that never set a policy (R10)."""

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


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """Rules that somebody set: a clinic's (`service_type` None) or a service type's.

    Attributes:
        rules: Those in force, or those that a service type had when it gave them up.
        given_up_at: Since when a service type has the clinic's rules again; None while it has its own.
        stand_ins: For the clinic's rules of then, by slug, the rule that a service type has in their stead.
    """

    service_type: str | None
    policy_id: str
    rules: tuple[ReminderRule, ...]
    given_up_at: datetime | None = None
    stand_ins: tuple[tuple[str, ReminderRule], ...] = ()

    def instead(self, clinics: Sequence[ReminderRule]) -> tuple[ReminderRule, ...]:
        """Return the clinic's rules as they stand for a service type that gave its own up.

        Those that it did not have are in force for it since then, so that their past moments are not sent (D14), and
        under a slug that nobody had before: it may have had them once, and lost them (design §2).
        """
        had, since, stand_ins = slugs_of(self.rules), self.given_up_at, dict(self.stand_ins)

        def stands(rule: ReminderRule) -> ReminderRule:
            if since is None or rule.slug in had or rule.in_force_since >= since:
                return rule
            return rule.model_copy(update={"in_force_since": since})  # given up before there were stand-ins

        return tuple(stand_ins.get(rule.slug) or stands(rule) for rule in clinics)


def lead_of(rule: ReminderRule) -> Lead:
    """Return the lead time of a rule."""
    return Lead(rule.lead_hours, rule.lead_days)


def leads_of(rules: Sequence[ReminderRule]) -> tuple[Lead, ...]:
    """Return the lead times of rules, in their order."""
    return tuple(map(lead_of, rules))


def slugs_of(rules: Sequence[ReminderRule]) -> frozenset[str]:
    """Return what tells sets of rules apart: a slug never stands for two of them."""
    return frozenset(rule.slug for rule in rules)


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
        before: The rules in force until now for the same visits.
        leads: The lead times wanted, as `checked` returns them.
        minted: Every slug that the clinic ever had.
        since: When new rules come into force.
    """
    kept = {lead_of(rule): rule for rule in before}
    used = DEFAULT_SLUGS.union(minted)
    return tuple(kept.get(lead) or _new_rule(lead, used, since) for lead in leads)


def _new_rule(lead: Lead, used: Collection[str], since: datetime) -> ReminderRule:
    names = (lead.slug if number == 1 else f"{lead.slug}-{number}" for number in count(1))
    slug = next(name for name in names if name not in used)
    return ReminderRule(slug=slug, lead_hours=lead.hours, lead_days=lead.days, in_force_since=since)
