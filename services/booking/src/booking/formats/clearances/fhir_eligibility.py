"""FHIR's CoverageEligibilityResponse, R4 and R5: a payer's word about whether he pays for a visit."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fhir.resources.coverageeligibilityresponse import CoverageEligibilityResponse as EligibilityR5
from fhir.resources.R4B.coverageeligibilityresponse import CoverageEligibilityResponse as EligibilityR4

from booking.clearances.domain.kinds import State, slug
from booking.formats.clearances.fhir import Inside, Models, Read, begins_later, codes_in, extended, read, told, until
from booking.formats.clearances.told import ToldClearance
from booking.formats.port import Hints
from booking.values import texts
from booking.values.refusals import Refused

KIND = "CoverageEligibilityResponse"
_MODELS: Models = {"R4": EligibilityR4, "R5": EligibilityR5}

FINANCIAL = "financial"
"""The kind of clearance that it is a word of."""

_PLACES = {
    "state": "outcome", "reference": "preAuthRef", "payer_class": "insurance.coverage",
    "expires_at": "insurance.benefitPeriod.end", "reason": "disposition",
}  # fmt: skip
_STATUSES = frozenset({"active", "cancelled", "draft", "entered-in-error"})
_OUTCOMES = frozenset({"queued", "complete", "error", "partial"})
_ASKS_ABOUT_THIS = frozenset({"validation", "benefits", "auth-requirements"})
"""Purposes of a question about this coverage; `discovery` looks for any."""
_NOT_ASKED = "it was asked which coverage there is, not whether it pays for this"
_ASKED_WHAT = "it does not say what was asked"


def parse(body: bytes, release: str, hints: Hints) -> ToldClearance:
    """Return the clearance that a CoverageEligibilityResponse is.

    Args:
        release: FHIR's: `R4` or `R5`.

    Raises:
        Refused: WRONG_RESOURCE, INVALID_FHIR, UNKNOWN_STATUS, or as `fhir.told`.
    """
    one = read(body, KIND, release, _MODELS, hints)
    with one.details.beside_refusals():
        found = one.found
        state, reason = _judged(one)
        insurances = _in_force(one)
        return told(
            one,
            ("patient", found.patient),
            _references(one),
            _PLACES,
            kind=FINANCIAL,
            state=state,
            reference=_reference(one),
            payer_class=_payer_class(one, insurances) if state is State.CLEARED else None,
            expires_at=_expires_at(insurances or found.insurance or []),
            reason=None if reason is None else _said(one, reason),
        )


def _judged(one: Read) -> tuple[State, str | None]:
    """Return what the answer comes to, and why, where it does not clear the visit."""
    found = one.found
    if found.status not in _STATUSES or found.outcome not in _OUTCOMES:
        place = "status" if found.status not in _STATUSES else "outcome"
        raise Refused("UNKNOWN_STATUS", f"not one of FHIR's codes of {place}", f"{KIND}.{place}")
    if found.status in {"cancelled", "entered-in-error"}:
        return State.REFUSED, f"the answer is {found.status}"
    if found.status == "draft" or found.outcome in {"queued", "partial"}:
        return State.PENDING, "the payer has not answered to the end"
    if found.outcome == "error":
        return State.REFUSED, next(_errors(found), "the payer could not answer")
    return _answered(one)


def _answered(one: Read) -> tuple[State, str | None]:
    """Return what a complete answer comes to."""
    found, in_force = one.found, _in_force(one)
    told = [insurance.inforce for insurance in found.insurance or []]
    items = [item for insurance in in_force for item in insurance.item or []]
    if _ASKS_ABOUT_THIS.isdisjoint(found.purpose or ()):
        return State.PENDING, _NOT_ASKED if "discovery" in (found.purpose or ()) else _ASKED_WHAT
    if told and all(answer is False for answer in told):
        return State.REFUSED, "no coverage is in force"
    if True not in told:
        return State.PENDING, "it does not say whether coverage is in force"
    if not in_force:
        return State.PENDING, "the coverage begins later"
    if items and all(item.excluded for item in items):
        return State.REFUSED, "the coverage excludes it"
    if any(item.authorizationRequired for item in items) and not found.preAuthRef:
        return State.PENDING, "the payer wants to authorise it before"
    return State.CLEARED, None


def _in_force(one: Read) -> list[Any]:
    """Return what is in force today: a plan's next year is not, though its coverage may be."""
    listed, now = one.found.insurance or [], one.hints.now
    return [each for each in listed if each.inforce and not begins_later(each.benefitPeriod, now)]


def _errors(found: Any) -> Iterator[str]:
    """Yield the words of errors: the code's own, not free text about a person."""
    for error in found.error or []:
        coding = next((coding for coding in error.code.coding or [] if coding.display or coding.code), None)
        if coding is not None:
            yield str(coding.display or coding.code)


def _references(one: Read) -> Iterator[Any]:
    """Yield what may name the visit: what was asked, and what that names, if it came along."""
    asked = one.found.request
    yield asked
    inside = one.message.resolve(asked)
    if isinstance(inside, Inside):
        yield from extended(inside)


def _reference(one: Read) -> str | None:
    named = [one.found.preAuthRef, *(identifier.value for identifier in one.found.identifier or [])]
    text = next((text for text in named if text), None)
    return None if text is None else one.details.read(None, texts.identifier, text.strip(), f"{KIND}.preAuthRef")


def _payer_class(one: Read, insurances: list[Any]) -> str | None:
    """Return the class of the payer: the type's code of the first coverage that came along, in small letters."""
    for insurance in insurances:
        inside = one.message.resolve(insurance.coverage)
        if isinstance(inside, Inside) and inside.kind == "Coverage":
            code = next(codes_in(inside.raw.get("type")), None)
            return None if code is None else one.details.read(None, slug, code.lower(), f"{KIND}.contained.type")
    return None


def _expires_at(insurances: list[Any]) -> datetime | None:
    """Return when the last of them ends; None: one of them does not."""
    ends = [until(one.benefitPeriod, f"{KIND}.insurance.benefitPeriod.end") for one in insurances]
    return max((end for end in ends if end is not None), default=None) if None not in ends else None


def _said(one: Read, text: str) -> str | None:
    return one.details.read(None, texts.name, text, f"{KIND}.error")
