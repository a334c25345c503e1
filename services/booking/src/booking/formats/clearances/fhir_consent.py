"""FHIR's Consent, R4 and R5: a patient's word about a visit, or that of whoever speaks for him."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fhir.resources.consent import Consent as ConsentR5
from fhir.resources.R4B.consent import Consent as ConsentR4

from booking.clearances.domain.clearance import SignedBy
from booking.clearances.domain.kinds import State
from booking.formats.clearances.fhir import Models, Read, codes, moment, read, told, until
from booking.formats.clearances.told import ToldClearance
from booking.formats.fhir_r4.periods import begins
from booking.formats.port import Hints
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.warned import DETAIL_DROPPED, Warned

KIND = "Consent"
_MODELS: Models = {"R4": ConsentR4, "R5": ConsentR5}
_OF_ANOTHER = {"R4": ("subject", "FHIR_R5"), "R5": ("patient", "FHIR_R4")}
"""Which element tells that a resource is of another release, and how that is refused."""

TREATMENT = "consent"
"""The kind of a consent to what is done at the visit: scope `treatment`, or none that is coded."""
_SCOPES = frozenset({"patient-privacy", "research", "adr"})
"""FHIR's other scopes: each is a kind of its own, which a clinic adds that asks for it."""

_STATES = {
    "active": State.CLEARED,
    "draft": State.PENDING,
    "proposed": State.PENDING,
    "unknown": State.PENDING,
    "rejected": State.REFUSED,
    "not-done": State.REFUSED,
    "inactive": State.WITHDRAWN,
    "entered-in-error": State.WITHDRAWN,
}
_PLACES = {
    "R4": {
        "kind": "scope", "state": "status", "form": "policy", "form_version": "policy", "signed_at": "dateTime",
        "signed_by": "performer", "expires_at": "provision.period.end",
    },
    "R5": {
        "kind": "category", "state": "status", "form": "policyBasis", "form_version": "policyBasis",
        "signed_at": "date", "signed_by": "grantor", "expires_at": "period.end",
    },
}  # fmt: skip
"""Where in the resource a field of the command stands."""

EARLIEST_ZONE = timedelta(hours=14)
"""How long before UTC a day begins where it begins first."""


def parse(body: bytes, release: str, hints: Hints) -> ToldClearance:
    """Return the clearance that a Consent is.

    Args:
        release: FHIR's: `R4` or `R5`.

    Raises:
        Refused: WRONG_RESOURCE, INVALID_FHIR, FHIR_R5, UNKNOWN_STATUS, or as `fhir.told`.
    """
    one = read(body, KIND, release, _MODELS, hints, _OF_ANOTHER)
    consent, places = one.found, _PLACES[release]
    parts = _parts_r5(consent) if release == "R5" else _parts_r4(consent)
    state = _state(consent.status, parts.decision)
    form, version = _form(one, parts.addresses, parts.rules, places["form"])
    _note_what_is_not_read(one, parts)
    return told(
        one,
        parts.patient,
        parts.references,
        places,
        kind=next((code for code in codes(parts.categories) if code in _SCOPES), TREATMENT),
        state=state,
        form=form,
        form_version=version,
        signed_at=one.details.read(None, _signed_at, one, parts.signed_at, places["signed_at"]),
        signed_by=_signed_by(one, parts.signers),
        expires_at=until(parts.period, f"{KIND}.{places['expires_at']}"),
        reason=_reason(consent.status, state),
    )


class _Parts(NamedTuple):
    """What both releases say, each in its own elements.

    Attributes:
        patient: The element that says whose it is, and its value.
        decision: Whether he permits or denies; None: his consent says it.
        addresses: Canonical ones of what is agreed to, with `|version`.
        rules: The same as CodeableConcepts.
        references: That may name the visit.
        exceptions: Whether something in it is excepted.
    """

    patient: tuple[str, Any]
    decision: str | None
    categories: list[Any]
    addresses: list[Any]
    rules: list[Any]
    signed_at: Any
    signers: list[Any]
    period: Any
    references: list[Any]
    exceptions: bool


def _parts_r4(consent: Any) -> _Parts:
    root = consent.provision
    return _Parts(
        patient=("patient", consent.patient),
        decision=root.type if root is not None else None,
        categories=[consent.scope, *(consent.category or [])],
        addresses=[policy.uri for policy in consent.policy or []],
        rules=[consent.policyRule],
        signed_at=consent.dateTime,
        signers=consent.performer or [],
        period=root.period if root is not None else None,
        references=[consent.sourceReference, *_data(root)],
        exceptions=root is not None and bool(root.provision),
    )


def _parts_r5(consent: Any) -> _Parts:
    provisions, basis = consent.provision or [], consent.policyBasis
    return _Parts(
        patient=("subject", consent.subject),
        decision=consent.decision,
        categories=consent.category or [],
        addresses=[basis.url] if basis is not None else [],
        rules=consent.regulatoryBasis or [],
        signed_at=consent.date,
        signers=consent.grantor or [],
        period=consent.period,
        references=[*(consent.sourceReference or []), *(one for each in provisions for one in _data(each))],
        exceptions=any(one.action or one.actor or one.code or one.purpose or one.provision for one in provisions),
    )


def _data(provision: Any) -> list[Any]:
    return [one.reference for one in provision.data or []] if provision is not None else []


def _state(status: str, decision: str | None) -> State:
    state = _STATES.get(status)
    if state is None:
        raise Refused("UNKNOWN_STATUS", "not one of FHIR's statuses of a Consent", f"{KIND}.status")
    return State.REFUSED if state is State.CLEARED and decision == "deny" else state


def _reason(status: str, state: State) -> str | None:
    if state is State.CLEARED:
        return None
    return "the Consent denies it" if status == "active" else f"the Consent is {status}"


def _form(one: Read, addresses: list[Any], rules: list[Any], place: str) -> tuple[str | None, str | None]:
    """Return the form and its version: of what is agreed to by its address, else by its code."""
    for address in filter(None, addresses):
        form, _, version = str(address).partition("|")
        return _text(one, form, place), _text(one, version, place)
    for rule in filter(None, rules):
        coding = next((coding for coding in rule.coding or [] if coding.code), None)
        if coding is not None:
            return _text(one, coding.code, place), _text(one, coding.version, place)
        if rule.text:
            return _text(one, rule.text, place), None
    return None, None


def _text(one: Read, text: str | None, place: str) -> str | None:
    return one.details.read(None, texts.identifier, text.strip(), f"{KIND}.{place}") if text else None


def _signed_at(one: Read, at: Any, place: str) -> datetime | None:
    """Return when it was signed; a day that has begun somewhere on earth, and in UTC has not, is now."""
    if at is None:
        return None
    found, now = moment(at, f"{KIND}.{place}"), one.hints.now
    is_today = not isinstance(at, datetime) and now < found < now + EARLIEST_ZONE
    return now if is_today else found


def _signed_by(one: Read, signers: list[Any]) -> SignedBy | None:
    """Return who signed: a related person is a guardian, and nobody named is the patient himself."""
    kinds = {one.message.kind(reference) for reference in signers}
    return SignedBy.GUARDIAN if "RelatedPerson" in kinds else SignedBy.PATIENT


def _note_what_is_not_read(one: Read, parts: _Parts) -> None:
    if parts.exceptions:
        text = "exceptions are not read: look at the form; the rest was taken"
        one.details.warnings.append(Warned(DETAIL_DROPPED, f"{KIND}.provision", text))
    period = parts.period
    if period is not None and period.start and begins(period.start) > one.hints.now:
        text = "it begins later, which is not kept; it counts from now on"
        one.details.warnings.append(
            Warned(DETAIL_DROPPED, f"{KIND}.{_PLACES[one.release]['expires_at'][:-3]}start", text)
        )
