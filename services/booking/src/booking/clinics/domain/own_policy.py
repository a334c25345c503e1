"""The reminder rules that a clinic or one of its service types has of its own (D13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.appointments import ReminderRule

DEFAULT_HOURS = (24, 2)
"""Of a clinic that never set a policy (R10)."""


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


def slugs_of(rules: Sequence[ReminderRule]) -> frozenset[str]:
    """Return what tells sets of rules apart: a slug never stands for two of them."""
    return frozenset(rule.slug for rule in rules)
