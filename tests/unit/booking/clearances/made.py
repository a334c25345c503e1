"""Words, visits and policies that tests of clearances have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from booking.clearances.domain.clearance import Clearance, GiveClearance, SignedBy, Visit, decide
from booking.clearances.domain.kinds import Kind, Shape, State
from booking.clearances.domain.policy import ClearancePolicy, Mode, Requirement
from booking.clearances.domain.rules import Facts
from schemas.appointments import Status

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISIT = Visit(UUID(int=1), "local", Status.BOOKED, "CARDIO", UUID(int=2))
KINDS = {
    "financial": Kind(None, "financial", Shape.FINANCIAL, "Payment", "Pay."),
    "consent": Kind(None, "consent", Shape.CONSENT, "Consent form", "Sign it.", "https://forms.example.org"),
    "referral": Kind(None, "referral", Shape.PLAIN, "Referral"),
}


def word(kind: str = "referral", state: State = State.CLEARED, **told: Any) -> GiveClearance:
    """Return a word about the visit."""
    return GiveClearance("desk", "e-1", b"", VISIT.appointment_id, kind, state, **told)


def consent(state: State = State.CLEARED, **told: Any) -> GiveClearance:
    """Return a word about a consent that the patient signed a day ago."""
    return word("consent", state, **{"form": "mri", "signed_at": NOW - DAY, "signed_by": SignedBy.PATIENT, **told})


def facts(kind: str = "referral", **told: Any) -> Facts:
    """Return what is known where a word about such a kind is judged."""
    return Facts(**{"visit": VISIT, "kind": KINDS.get(kind), **told})


def policy(*requires: Requirement, mode: Mode = Mode.ENFORCE, service_type: str | None = None) -> ClearancePolicy:
    """Return a policy."""
    return ClearancePolicy("CARDIO", 1, service_type, mode, requires, (), "operator", NOW)


def held(*words: GiveClearance, at: datetime = NOW) -> dict[tuple[str, str], Clearance]:
    """Return what is held after these words, which come a minute one after another, the last at that time."""
    found: dict[tuple[str, str], Clearance] = {}
    for number, one in enumerate(words, 1 - len(words)):
        kept = decide(found, one, at + timedelta(minutes=number)).held
        found[kept.kind, kept.form] = kept
    return found
