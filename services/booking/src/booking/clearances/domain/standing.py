"""How a visit stands to what its clinic requires: what is cleared, what lacks, for whom, and how to get it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol
from uuid import UUID

from booking.clearances.domain.clearance import Clearance
from booking.clearances.domain.kinds import CLEARS, TAKES_BACK, WHOM, Kind, Shape, State
from booking.clearances.domain.policy import ClearancePolicy, Mode, Requirement, in_force

CLEARED, WAIVED, NOT_REQUIRED = "CLEARED", "WAIVED", "NOT_REQUIRED"
MISSING, EXPIRED, OLD_FORM = "MISSING", "EXPIRED", "OLD_FORM"

_ENOUGH = frozenset({CLEARED, WAIVED, NOT_REQUIRED})

_TOLD = {
    MISSING: "nothing was said of it",
    "PENDING": "it was asked for, and is not there yet",
    "REFUSED": "it was refused",
    "WITHDRAWN": "it was withdrawn",
    EXPIRED: "it holds no longer",
    OLD_FORM: "another version of the form is needed",
}


class Checked(NamedTuple):
    """One requirement that was looked at.

    Attributes:
        code: CLEARED, WAIVED, NOT_REQUIRED (of another class of payers), or what a `Lack` has.
    """

    kind: str
    form: str | None
    code: str


class Lack(NamedTuple):
    """What lacks.

    Attributes:
        code: MISSING, PENDING, REFUSED, EXPIRED, WITHDRAWN or OLD_FORM.
        whom: Who has to do it, in words.
        how: What, in a sentence; None: nobody said.
        link: Where; None: nobody said.
        title: What the kind is called.
    """

    kind: str
    form: str | None
    code: str
    whom: str
    how: str | None
    link: str | None
    title: str

    @property
    def place(self) -> str:
        """The lack as a place of a problem names it."""
        return f"clearances.{self.kind}"

    @property
    def detail(self) -> str:
        """What lacks, for whom and how to get it, in words."""
        parts = (f"{self.title}, of {self.whom}: {_TOLD[self.code]}", self.how, self.link)
        return "; ".join(part.rstrip(".") for part in parts if part)


class Standing(NamedTuple):
    """How a visit stands.

    Attributes:
        mode: What becomes of a check-in while something lacks.
        checked: Every requirement; none: nothing is required.
    """

    mode: Mode = Mode.OBSERVE
    checked: tuple[Checked, ...] = ()
    lacking: tuple[Lack, ...] = ()

    @property
    def is_cleared(self) -> bool:
        """Whether nothing lacks."""
        return not self.lacking


NOTHING_REQUIRED = Standing()


def standing_of(
    policy: ClearancePolicy | None, clearances: Sequence[Clearance], kinds: Mapping[str, Kind], at: datetime
) -> Standing:
    """Return how a visit stands.

    Args:
        policy: What is in force for its clinic and service type; None: nothing is required.
        clearances: What is held of it.
        kinds: The clinic's, by name: their titles, and what to do.
        at: When it is looked at; what expires by then counts no more.
    """
    if policy is None:
        return NOTHING_REQUIRED
    found = [(one, _comes_to(one, clearances, at)) for one in policy.requires]
    checked = tuple(Checked(one.kind, one.form, code) for one, code in found)
    lacking = tuple(_lack(one, code, kinds) for one, code in found if code not in _ENOUGH)
    return Standing(policy.mode, checked, lacking)


class VisitState(Protocol):
    """What a standing has to know of a visit's state; a patient who is new has no id."""

    @property
    def clinic_id(self) -> str | None:
        """Where it is."""

    @property
    def service_type(self) -> str | None:
        """What for."""

    @property
    def patient(self) -> object:
        """Whose it is."""


class Terms(NamedTuple):
    """What some clinics require, and what some visits hold: by it a visit is judged as a command leaves it.

    Attributes:
        policies: Clinic → the newest of it and of each of its service types; clinics without any are left out.
        kinds: Clinic → its kinds by name.
        held: Visit → its clearances, of whichever patient; those with none are left out.
        kept: Patients of those visits → who is kept, himself or whom he was merged into.
    """

    policies: Mapping[str, Sequence[ClearancePolicy]] = MappingProxyType({})
    kinds: Mapping[str, Mapping[str, Kind]] = MappingProxyType({})
    held: Mapping[UUID, Sequence[Clearance]] = MappingProxyType({})
    kept: Mapping[UUID, UUID] = MappingProxyType({})

    def standing(self, visit: UUID, state: VisitState, at: datetime) -> Standing:
        """Return how a visit stands in this state: nothing that was given for another patient counts."""
        clinic_id, service_type, patient = state.clinic_id or "", state.service_type, state.patient
        policies = self.policies.get(clinic_id)
        if not policies:
            return NOTHING_REQUIRED
        his = self.kept.get(patient, patient) if isinstance(patient, UUID) else None
        held = [one for one in self.held.get(visit, ()) if his is not None and one.patient_id == his]
        kinds = self.kinds[clinic_id]
        return standing_of(in_force(policies, service_type), held, kinds, at)


NO_TERMS = Terms()


def payer_class_of(clearances: Iterable[Clearance], at: datetime) -> str | None:
    """Return the class of whoever pays the visit, as it was said last; None: not known, or he does not pay then."""
    told = [one for one in clearances if one.payer_class is not None]
    last = max(told, key=lambda one: one.stands_at) if told else None
    return last.payer_class if last is not None and _clears(last, at) else None


def _comes_to(required: Requirement, clearances: Sequence[Clearance], at: datetime) -> str:
    if required.payer_classes:
        payer_class = payer_class_of(clearances, at)
        if payer_class is not None and payer_class not in required.payer_classes:
            return NOT_REQUIRED
    of_kind = [one for one in clearances if one.kind == required.kind]
    held = [_what_counts(one, of_kind) for one in of_kind if required.form in {None, one.form}]
    codes = [_code(one, required, at) for one in sorted(held, key=lambda one: one.stands_at, reverse=True)]
    return next((code for code in codes if code in _ENOUGH), codes[0] if codes else MISSING)


def _what_counts(one: Clearance, of_kind: Iterable[Clearance]) -> Clearance:
    """Return what took this back, or itself: a word that names no form may mean any, and any it."""
    later = [
        other
        for other in of_kind
        if other.state in TAKES_BACK
        and "" in {one.form, other.form}
        and (other.stands_at, other.version) > (one.stands_at, one.version)
    ]
    return max(later, key=lambda other: (other.stands_at, other.version), default=one)


def _clears(held: Clearance, at: datetime) -> bool:
    return held.state in CLEARS and (held.expires_at is None or held.expires_at > at)


def _code(held: Clearance, required: Requirement, at: datetime) -> str:
    if held.state not in CLEARS:
        return held.state.name
    if not _clears(held, at):
        return EXPIRED
    if required.versions and held.form_version not in required.versions:
        return OLD_FORM
    return WAIVED if held.state is State.WAIVED else CLEARED


def _lack(required: Requirement, code: str, kinds: Mapping[str, Kind]) -> Lack:
    kind = kinds.get(required.kind) or Kind(None, required.kind, Shape.PLAIN, required.kind)
    how, link = required.how or kind.how, required.link or kind.link
    return Lack(required.kind, required.form, code, WHOM[kind.shape], how, link, kind.title)
