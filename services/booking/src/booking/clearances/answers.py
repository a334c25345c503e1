"""What the routes of clearances, kinds and clearance policies answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from booking.clearances.domain.clearance import Clearance, ClearanceResult, SignedBy
from booking.clearances.domain.kinds import Kind, Shape, State
from booking.clearances.domain.policy import ClearancePolicy, Mode
from booking.clearances.domain.standing import Standing
from booking.clearances.handle import ClearanceAnswer
from booking.clearances.rows import clearance_of, requirement_json
from booking.door.bodies import AlsoRefused, WarningView, refused_members, views


class CheckedView(BaseModel):
    """One requirement that was looked at."""

    kind: str
    form: str | None = None
    code: str = Field(
        description="CLEARED, WAIVED, NOT_REQUIRED (of another class of payers), or why it lacks.", examples=["CLEARED"]
    )


class LackView(BaseModel):
    """What lacks, for whom, and how to get it."""

    kind: str
    form: str | None = None
    code: str = Field(description="MISSING, PENDING, REFUSED, EXPIRED, WITHDRAWN or OLD_FORM.", examples=["MISSING"])
    title: str = Field(description="What the kind is called.")
    whom: str = Field(description="Who has to do it.")
    how: str | None = Field(default=None, description="What has to be done.")
    link: str | None = Field(default=None, description="Where.")


class StandingView(BaseModel):
    """How a visit stands to what its clinic requires now, as of its start if that is ahead."""

    mode: Mode = Field(description="Whether a check-in is refused while something lacks.")
    is_cleared: bool
    checked: list[CheckedView] = Field(description="Every requirement; none: nothing is required.")
    lacking: list[LackView]


_TAKEN: dict[str, Any] = {
    "event_id": "c-1", "appointment_id": "01890000-0000-7000-8000-000000000001", "kind": "consent",
    "form": "mri-contrast", "result": "applied", "original_result": None, "version": 2,
    "standing": {"mode": "enforce", "is_cleared": True, "lacking": [],
                 "checked": [{"kind": "consent", "form": "mri-contrast", "code": "CLEARED"}]},
    "warnings": [],
}  # fmt: skip


class ClearanceTaken(BaseModel):
    """What became of a word about a clearance."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TAKEN]})

    event_id: str
    appointment_id: UUID
    kind: str
    form: str | None = None
    result: ClearanceResult = Field(description="`applied`, `repeat`, or `stale`: something later was said before.")
    original_result: ClearanceResult | None = Field(default=None, description="Of a repeat of this event: what it was.")
    version: int = Field(description="Of the visit's clearances; counts what changed, over all kinds.")
    standing: StandingView = Field(description="How the visit stands after it.")
    warnings: list[WarningView]


class ClearanceItem(BaseModel):
    """What became of one word of several: what it would be answered alone."""

    status: int = Field(description="As the answer to a request for this word alone.")
    event_id: str | None = None
    taken: ClearanceTaken | None = Field(default=None, description="Null: it is refused.")
    code: str | None = Field(default=None, description="Why it is refused.")
    detail: str | None = None
    place: str | None = None
    errors: list[AlsoRefused] = Field(default=[], description="What else is wrong with it.")


class ClearanceBatch(BaseModel):
    """What became of several words, in their order."""

    results: list[ClearanceItem]


class ClearanceView(BaseModel):
    """One clearance of a visit."""

    kind: str
    form: str | None = None
    version: int = Field(description="Of the visit's clearances, as this one was changed.")
    state: State
    amount_minor: int | None = Field(default=None, description="In the currency's smallest unit.")
    currency: str | None = None
    reference: str | None = None
    payer_class: str | None = None
    expires_at: datetime | None = None
    form_version: str | None = None
    signed_at: datetime | None = None
    signed_by: SignedBy | None = None
    withdrawn_at: datetime | None = None
    reason: str | None = None
    said_at: datetime | None = Field(default=None, description="By the sender's clock; null: he did not say.")
    said_by: str | None = None
    client: str
    recorded_at: datetime = Field(description="When it came.")


class WordView(ClearanceView):
    """A word about a clearance that was taken, and what became of it."""

    serial: int = Field(description="Ours, in the order in which it was decided, check-ins included.")
    event_id: str
    result: ClearanceResult


class ClearancesView(BaseModel):
    """The clearances of a visit."""

    appointment_id: UUID
    standing: StandingView
    current: list[ClearanceView]
    history: list[WordView] = Field(description="Every word that was taken, oldest first.")


class RequirementView(BaseModel):
    """One thing that has to be cleared before check-in."""

    kind: str
    form: str | None = None
    versions: list[str] = []
    payer_classes: list[str] = []
    how: str | None = None
    link: str | None = None


class PolicyVersionView(BaseModel):
    """One version of what is required."""

    version: int = Field(description="Counts per clinic, over all its service types.")
    service_type: str | None
    mode: Mode
    requires: list[RequirementView]
    notify_days: list[int]
    unset: bool = Field(description="It was given up.")
    set_by: str
    set_at: datetime


class ClearancePolicyView(BaseModel):
    """What is required of the visits of a clinic or a service type now."""

    clinic_id: str
    service_type: str | None
    own: bool = Field(description="Whether the one asked for has a policy of its own.")
    policy: PolicyVersionView | None = Field(description="Null: nothing is required.")
    service_types_with_own: list[str]


class ClearancePolicyAnswer(ClearancePolicyView):
    """What is required after the request."""

    changed: bool


class PolicyVersionPage(BaseModel):
    """Versions, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[PolicyVersionView]
    next_before: int | None


class KindView(BaseModel):
    """A kind of clearance."""

    kind: str
    clinic_id: str | None = Field(description="Whose it is; null: everybody's.")
    shape: Shape
    title: str
    how: str | None = None
    link: str | None = None
    set_by: str
    set_at: datetime | None


class KindAnswer(KindView):
    """The kind after the request."""

    changed: bool


class KindList(BaseModel):
    """Kinds, in the order of their names."""

    items: list[KindView]


class LackCount(BaseModel):
    """How many visits lack one thing for one reason."""

    kind: str
    code: str
    visits: int


class ClearanceTrialView(BaseModel):
    """What a policy would find of the visits ahead, each as of its start."""

    clinic_id: str
    service_type: str | None
    as_of: datetime
    looked_at: int = Field(description="Visits ahead that may still be checked in.")
    blocked: int = Field(description="Of these, how many lack something: `enforce` would refuse their check-in.")
    blocked_now: int = Field(description="How many lack something by what is in force.")
    lacks: list[LackCount] = Field(description="Most visits first; a visit may lack several things.")
    took_ms: int


def standing_view(standing: Standing) -> StandingView:
    """Return how a visit stands, as it is answered."""
    checked = [CheckedView(**one._asdict()) for one in standing.checked]
    lacking = [LackView(**one._asdict()) for one in standing.lacking]
    return StandingView(mode=standing.mode, is_cleared=standing.is_cleared, checked=checked, lacking=lacking)


def taken_view(answer: ClearanceAnswer, standing: Standing) -> ClearanceTaken:
    """Return the answer to a word that was taken."""
    taken = answer.taken
    assert taken is not None and answer.result is not None  # noqa: S101, PT018  # not refused
    return ClearanceTaken(
        event_id=answer.key,
        appointment_id=taken.appointment_id,
        kind=taken.kind,
        form=taken.form or None,
        result=answer.result,
        original_result=None if taken.result is answer.result else taken.result,
        version=taken.version,
        standing=standing_view(standing),
        warnings=views(answer.warnings),
    )


def item(answer: ClearanceAnswer, standing: Standing) -> ClearanceItem:
    """Return the answer to one word of several."""
    refusal = answer.refusal
    if refusal is None:
        return ClearanceItem(status=200, event_id=answer.key, taken=taken_view(answer, standing))
    return ClearanceItem.model_validate({"event_id": answer.key or None, **refused_members(refusal)})


def clearance_view(held: Clearance) -> dict[str, Any]:
    """Return a clearance as it is answered."""
    return {**held._asdict(), "form": held.form or None}


def word_view(row: Any) -> dict[str, Any]:
    """Return a word as it is answered, of its row."""
    said = clearance_view(clearance_of(row))
    return {**said, "serial": row["serial"], "event_id": row["key"], "result": row["result"]}


def version_view(policy: ClearancePolicy) -> PolicyVersionView:
    """Return a version of a policy as it is answered."""
    requires = [RequirementView.model_validate(requirement_json(one)) for one in policy.requires]
    told = policy._asdict() | {"requires": requires, "notify_days": list(policy.notify_days)}
    return PolicyVersionView.model_validate(told)


def kind_view(kind: Kind) -> dict[str, Any]:
    """Return a kind as it is answered."""
    return kind._asdict()
