"""What the reminder-policy routes answer; it is written by hand, which this describes."""

from datetime import datetime

from pydantic import BaseModel, Field


class RuleView(BaseModel):
    """One lead time: elapsed hours or wall-clock days."""

    slug: str = Field(description="Names the rule in reminders; never used again for another.")
    lead_hours: int | None = None
    lead_days: int | None = None
    in_force_since: datetime


class PolicySide(BaseModel):
    """A policy: its rules and the id under which appointments have it."""

    policy_id: str
    rules: list[RuleView]


class PolicyView(PolicySide):
    """The policy that appointments are stamped with now."""

    clinic_id: str
    service_type: str | None
    own: bool = Field(description="Whether the one asked for has rules of its own.")
    service_types_with_own: list[str]


class ReissueView(BaseModel):
    """How far the reissue of what is ahead is; the counts are there once it began."""

    state: str
    ahead: int | None = None
    looked_at: int | None = None
    appointments: int | None = None
    added: int | None = None
    removed: int | None = None
    moved: int | None = None
    kept: int | None = None
    too_late: int | None = None
    finished_at: datetime | None


class PolicyChangeView(BaseModel):
    """One change: who, when, from what to what, and what its reissue did."""

    version: int
    service_type: str | None
    set_by: str
    set_at: datetime
    unset: bool
    before: PolicySide = Field(alias="from")
    after: PolicySide = Field(alias="to")
    reissue: ReissueView


class PolicyChangePage(BaseModel):
    """Changes, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[PolicyChangeView]
    next_before: int | None


class PolicyAnswer(PolicyView):
    """The policy in force after the request. `change` is null where nothing changed."""

    changed: bool
    change: PolicyChangeView | None


class PlannedRules(BaseModel):
    """The rules as they would be."""

    rules: list[RuleView]


class PlannedEffect(BaseModel):
    """What would become of reminders still to come."""

    looked_at: int
    appointments: int
    added: int
    removed: int
    moved: int
    kept: int
    too_late: int


class PastMonth(BaseModel):
    """What would have left in a month that is past, by the clinic's clock."""

    month: str = Field(examples=["2027-02"])
    visits: int
    as_it_was: int
    with_these_rules: int


class PlanView(BaseModel):
    """What a policy would do."""

    clinic_id: str
    service_type: str | None
    as_of: datetime
    changes: bool = Field(description="Whether it differs from what is in force.")
    before: PolicySide = Field(alias="from")
    after: PlannedRules = Field(alias="to")
    ahead: PlannedEffect
    past: list[PastMonth]
    took_ms: int
