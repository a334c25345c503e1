"""Bodies and answers of the reminder-policy routes."""

from typing import Any

from pydantic import Field, StrictBool, StrictInt

from booking.clinics import policy_json
from booking.clinics.domain.clinic import ClinicState
from booking.door.bodies import Order, Text
from booking.policies.domain.change import PolicyChange
from booking.policies.domain.rules import LONGEST_DAYS, LONGEST_HOURS, MOST_RULES, Lead, checked
from booking.values import texts
from booking.values.refusals import Refused
from schemas.appointments import ReminderRule

MOST_PAST_MONTHS = 24

POLICY = {"rules": [{"lead_days": 7}, {"lead_hours": 24}, {"lead_hours": 2}]}
SERVICE_POLICY = {"service_type": "MRI", "rules": [{"lead_days": 3}, {"lead_hours": 24}]}


class RuleBody(Order):
    """One lead time: elapsed hours or wall-clock days, exactly one of them."""

    lead_hours: StrictInt | None = Field(default=None, description=f"1 to {LONGEST_HOURS}, elapsed time.")
    lead_days: StrictInt | None = Field(default=None, description=f"1 to {LONGEST_DAYS}, by the clinic's clock.")


class PolicyBody(Order):
    """A reminder policy, whole. No rule at all: no reminders."""

    service_type: Text | None = Field(default=None, description="Left out: the clinic's policy. Or `?service_type=`.")
    rules: list[RuleBody] = Field(description=f"At most {MOST_RULES}, in any order.")

    @property
    def leads(self) -> tuple[Lead, ...]:
        """The lead times, checked."""
        return checked([Lead(rule.lead_hours, rule.lead_days) for rule in self.rules])


class PlanBody(PolicyBody):
    """A policy to try, or a service type's to give up, and how far back to look."""

    rules: list[RuleBody] = Field(default=[], description=f"At most {MOST_RULES}, in any order; required unless unset.")
    unset: StrictBool = Field(default=False, description="The service type gives its own rules up; without `rules`.")
    past_months: StrictInt = Field(
        default=3, ge=0, le=MOST_PAST_MONTHS, description=f"Months of past visits to replay, 0 to {MOST_PAST_MONTHS}."
    )


def service_of(asked: str | None, told: str | None) -> str | None:
    """Return the service type meant by the query, the body or both; None for the clinic's policy."""
    if asked is not None and told is not None and asked != told:
        raise Refused("SERVICE_TYPE_CONFLICT", "the body and the query name different service types", "service_type")
    named = asked if told is None else told
    return None if named is None else texts.name(named, "service_type")


def required(service_type: str | None) -> str:
    """Return the service type whose policy is given up."""
    if service_type is None:
        raise Refused("MISSING_FIELD", "name the service type that gives its policy up", "service_type")
    return service_type


def side(policy_id: str, rules: tuple[ReminderRule, ...]) -> dict[str, Any]:
    """Return one side of a change."""
    return {"policy_id": policy_id, "rules": policy_json.rules(rules)}


def policy_answer(clinic: ClinicState, service_type: str | None) -> dict[str, Any]:
    """Return the policy in force, and who has one of his own."""
    policy = clinic.policy_for(service_type)
    own = any(held.service_type == service_type and held.given_up_at is None for held in clinic.policies)
    return {
        "clinic_id": clinic.clinic_id,
        "service_type": service_type,
        "own": own,
        **side(policy.policy_id, policy.rules),
        "service_types_with_own": list(clinic.own_services),
    }


def change_answer(change: PolicyChange, row: Any = None) -> dict[str, Any]:
    """Return a change and, from its row, how far the reissue is."""
    names = ("ahead", "looked_at", "appointments", "added", "removed", "moved", "kept", "too_late")
    job = {"state": "waiting"} if row is None else {"state": row["state"], **{name: row[name] for name in names}}
    finished = None if row is None or row["finished_at"] is None else row["finished_at"].isoformat()
    return {
        "version": change.version,
        "service_type": change.service_type,
        "set_by": change.set_by,
        "set_at": change.set_at.isoformat(),
        "unset": change.unset,
        "from": side(change.policy_before, change.rules_before),
        "to": side(change.policy_id, change.rules),
        "reissue": {**job, "finished_at": finished},
    }


def change_of_row(row: Any) -> PolicyChange:
    """Return the change of a row of `reminder_policy`."""
    rules, before = policy_json.read_rules(row["rules"]), policy_json.read_rules(row["rules_before"])
    return PolicyChange(
        row["clinic_id"], row["version"], row["service_type"], row["policy_id"], rules, row["policy_before"], before,
        row["set_by"], row["set_at"], row["unset"],
    )  # fmt: skip
