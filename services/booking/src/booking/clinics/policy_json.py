"""Reminder policies as JSON: in the tables, and in answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from booking.clinics.domain.own_policy import OwnPolicy
from schemas.appointments import ReminderRule


def rules(held: Sequence[ReminderRule]) -> list[dict[str, Any]]:
    """Return rules as JSON values; read again by `read_rules`."""
    return [rule.model_dump(mode="json", exclude_none=True) for rule in held]


def read_rules(held: Sequence[Any]) -> tuple[ReminderRule, ...]:
    """Return the rules of JSON values."""
    return tuple(map(ReminderRule.model_validate, held))


def own(policy: OwnPolicy) -> dict[str, Any]:
    """Return a policy as the column `clinic.policies` lists it."""
    told = {"service_type": policy.service_type, "policy_id": policy.policy_id, "rules": rules(policy.rules)}
    if policy.given_up_at is None:
        return told
    stand_ins = dict(zip(dict(policy.stand_ins), rules([rule for _, rule in policy.stand_ins]), strict=True))
    return {**told, "given_up_at": policy.given_up_at.isoformat(), "stand_ins": stand_ins}


def own_policy(held: Any) -> OwnPolicy:
    """Return the policy of an item of `clinic.policies`."""
    given_up_at, stand_ins = held.get("given_up_at"), held.get("stand_ins", {})
    return OwnPolicy(
        held["service_type"],
        held["policy_id"],
        read_rules(held["rules"]),
        None if given_up_at is None else datetime.fromisoformat(given_up_at),
        tuple(zip(stand_ins, read_rules(list(stand_ins.values())), strict=True)),
    )
