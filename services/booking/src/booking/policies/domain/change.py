"""A change of a reminder policy, as it is kept for ever: who, when, from what, to what (D13)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from booking.clinics.domain.clinic import ClinicState
from booking.clinics.domain.own_policy import OwnPolicy, slugs_of
from booking.policies.domain.rules import Lead, leads_of, next_rules
from schemas.appointments import ReminderPolicy, ReminderRule


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One version of a clinic's policies. Versions count per clinic, over all its service types.

    Attributes:
        service_type: None for the clinic's own policy, which serves every service type without one.
        set_by: The client, or `operator`.
        unset: Whether a service type gives its own rules up: `rules` are then the clinic's, as they stand for it.
    """

    clinic_id: str
    version: int
    service_type: str | None
    policy_id: str
    rules: tuple[ReminderRule, ...]
    policy_before: str
    rules_before: tuple[ReminderRule, ...]
    set_by: str
    set_at: datetime
    unset: bool = False

    @property
    def minted(self) -> tuple[str, ...]:
        """The slugs that are new with it, sorted."""
        return tuple(sorted(slugs_of(self.rules) - slugs_of(self.rules_before)))

    def in_force_at(self, clinic: ClinicState) -> ClinicState:
        """Return the clinic with this policy in force. Its own policy makes another version of the clinic."""
        others = [own for own in clinic.policies if own.service_type != self.service_type]
        mine = OwnPolicy(self.service_type, self.policy_id, self.rules)
        if self.unset:
            stand_ins = zip((rule.slug for rule in clinic.policy.rules), self.rules, strict=True)
            mine = replace(mine, rules=self.rules_before, given_up_at=self.set_at, stand_ins=tuple(stand_ins))
        listed = sorted([*others, mine], key=lambda own: own.service_type or "")
        version = clinic.version + (self.service_type is None)
        return replace(clinic, policies=tuple(listed), version=version)


def change_of(
    clinic: ClinicState,
    service_type: str | None,
    leads: Sequence[Lead],
    minted: Collection[str],
    version: int,
    set_by: str,
    now: datetime,
) -> PolicyChange | None:
    """Return the change that gives these lead times, or None if they are in force.

    A service type that is given what the clinic has gets a policy of its own all the same: from then on the
    clinic's changes do not concern it.

    Args:
        leads: As `rules.checked` returns them.
    """
    before = clinic.policy_for(service_type)
    is_new_own = service_type is not None and service_type not in clinic.own_services
    if frozenset(leads_of(before.rules)) == frozenset(leads) and not is_new_own:
        return None
    rules = next_rules(before.rules, leads, minted, now)
    policy_id = f"{clinic.clinic_id}/{version}"
    return PolicyChange(
        clinic.clinic_id, version, service_type, policy_id, rules, before.policy_id, before.rules, set_by, now
    )


def giving_up(
    clinic: ClinicState, service_type: str, minted: Collection[str], version: int, set_by: str, now: datetime
) -> PolicyChange | None:
    """Return the change by which a service type has the clinic's policy again, or None if it has none of its own."""
    if service_type not in clinic.own_services:
        return None
    before, policy_id = clinic.policy_for(service_type), f"{clinic.clinic_id}/{version}"
    rules = next_rules(before.rules, leads_of(clinic.policy.rules), minted, now)
    return PolicyChange(
        clinic.clinic_id, version, service_type, policy_id, rules, before.policy_id, before.rules, set_by, now,
        unset=True,
    )  # fmt: skip


def imagined(clinic: ClinicState, change: PolicyChange | None, service_type: str | None) -> ReminderPolicy:
    """Return the policy that would be in force after the change, if there is one."""
    return (clinic if change is None else change.in_force_at(clinic)).policy_for(service_type)
