"""FHIR's Consent, R4 and R5: a patient's word about a visit, or that of whoever speaks for him."""

from datetime import datetime
from typing import Any, NamedTuple

from fhir.resources.consent import Consent as ConsentR5
from fhir.resources.R4B.consent import Consent as ConsentR4

from booking.clearances.domain.clearance import SignedBy
from booking.clearances.domain.kinds import State
from booking.formats.clearances.fhir import EARLIEST_ZONE, Models, Read, begins_later, codes, moment, read, told, until
from booking.formats.clearances.told import ToldClearance
from booking.formats.port import Hints
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.warned import DETAIL_DROPPED, Warned

KIND = "Consent"
_MODELS: Models = {"R4": ConsentR4, "R5": ConsentR5}
_OF_ANOTHER = {"R4": ("subject", "FHIR_R5"), "R5": ("patient", "FHIR_R4")}
"""Which element tells that a resource is of another release, and how that is refused."""

TREATMENT = "consent"
"""The kind of a consent to what is done at the visit."""
_KINDS = {
    TREATMENT: "treatment 59284-0 64293-4",
    "patient-privacy": "patient-privacy npp infa infao infaso icol idscl irdscl emrgonly 57016-8 57017-6 64292-6",
    "research": "research rsdid rsreid",
    "adr": "adr acd dnr hcd polst",
}
"""FHIR's scopes and categories, HL7's ActCodes and LOINC's, by kind: all but the first clear one of their own."""
_KIND_OF = {code: kind for kind, known in _KINDS.items() for code in known.split()}

_OPT_OUT = frozenset({"OPTOUT", "OPTOUTE"})
_OPT_IN_WITHIN_LIMITS = "OPTINR"
_BASES = _OPT_OUT | {_OPT_IN_WITHIN_LIMITS, "OPTIN"}
"""HL7's base policies: they say whether, and are no form."""

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


def parse(body: bytes, release: str, hints: Hints) -> ToldClearance:
    """Return the clearance that a Consent is.

    Args:
        release: FHIR's: `R4` or `R5`.

    Raises:
        Refused: WRONG_RESOURCE, INVALID_FHIR, FHIR_R5, UNKNOWN_STATUS, or as `fhir.told`.
    """
    one = read(body, KIND, release, _MODELS, hints, _OF_ANOTHER)
    with one.details.beside_refusals():
        consent, places = one.found, _PLACES[release]
        parts = _parts_r5(consent) if release == "R5" else _parts_r4(consent)
        state, reason = _judged(one, parts)
        form, version = _form(one, parts.addresses, parts.rules, places["form"])
        return told(
            one,
            parts.patient,
            parts.references,
            places,
            kind=_kind(parts.categories, f"{KIND}.{places['kind']}"),
            state=state,
            form=form,
            form_version=version,
            signed_at=one.details.read(None, _signed_at, one, parts.signed_at, places["signed_at"]),
            signed_by=_signed_by(one, parts.signers),
            expires_at=_expires_at(parts.periods),
            reason=reason,
        )


class _Parts(NamedTuple):
    """What both releases say, each in its own elements.

    Attributes:
        patient: The element that says whose it is, and its value.
        decision: Whether he permits or denies; None: his consent says it.
        addresses: Canonical ones of what is agreed to, with `|version`.
        rules: The same as CodeableConcepts.
        periods: In each of which it holds, by where they stand.
        references: That may name the visit.
        has_exceptions: Whether something in it is excepted.
    """

    patient: tuple[str, Any]
    decision: str | None
    categories: list[Any]
    addresses: list[Any]
    rules: list[Any]
    signed_at: Any
    signers: list[Any]
    periods: dict[str, Any]
    references: list[Any]
    has_exceptions: bool


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
        periods={} if root is None else {"provision.period": root.period},
        references=[consent.sourceReference, *_data(root)],
        has_exceptions=root is not None and bool(root.provision),
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
        periods={
            "period": consent.period,
            **{f"provision[{place}].period": one.period for place, one in enumerate(provisions)},
        },
        references=[*(consent.sourceReference or []), *(one for each in provisions for one in _data(each))],
        has_exceptions=any(getattr(one, name) for one in provisions for name in _LIMITS),
    )


_LIMITS = (
    "action", "actor", "code", "purpose", "provision", "securityLabel", "documentType", "resourceType", "expression",
)  # fmt: skip
"""What a provision of R5 may except."""


def _data(provision: Any) -> list[Any]:
    return [one.reference for one in provision.data or []] if provision is not None else []


def _kind(categories: list[Any], place: str) -> str:
    """Return the kind that it is of: of several the one that is no treatment, and of none that is coded treatment.

    Raises:
        Refused: UNKNOWN_KIND: it is coded, and no code is known here.
    """
    coded = list(codes(categories))
    known = [_KIND_OF[code.lower()] for code in coded if code.lower() in _KIND_OF]
    if coded and not known:
        message = "none of its codes is known: say that it is for treatment, by LOINC 59284-0 or 64293-4 or its scope"
        raise Refused("UNKNOWN_KIND", message, place)
    return next((kind for kind in known if kind != TREATMENT), TREATMENT)


def _judged(one: Read, parts: _Parts) -> tuple[State, str | None]:
    """Return what it comes to, and why, where it does not clear the visit."""
    status = one.found.status
    state = _STATES.get(status)
    if state is None:
        raise Refused("UNKNOWN_STATUS", "not one of FHIR's statuses of a Consent", f"{KIND}.status")
    if state is not State.CLEARED:
        return state, f"the Consent is {status}"
    if parts.decision == "deny" or not _OPT_OUT.isdisjoint(_bases(parts)):
        return State.REFUSED, "the Consent denies it"
    return _as_far_as_it_is_read(one, parts)


def _as_far_as_it_is_read(one: Read, parts: _Parts) -> tuple[State, str | None]:
    """Return what an active consent comes to: nobody is let in on what it may except, or before it begins."""
    has_exceptions = parts.has_exceptions or _OPT_IN_WITHIN_LIMITS in _bases(parts)
    later = [f"{place}.start" for place, period in parts.periods.items() if begins_later(period, one.hints.now)]
    limits = [("provision", "it has exceptions, which are not read: look at the form")] if has_exceptions else []
    limits += [(place, "it begins later: send it again when it has begun") for place in later]
    one.details.warnings.extend(Warned(DETAIL_DROPPED, f"{KIND}.{place}", text) for place, text in limits)
    return (State.PENDING, limits[0][1]) if limits else (State.CLEARED, None)


def _bases(parts: _Parts) -> set[str]:
    """Return what it names as its policy that may be a base policy's code."""
    return {_base(address) for address in parts.addresses if address} | {code.upper() for code in codes(parts.rules)}


def _base(address: Any) -> str:
    """Return the code that the address of a base policy ends with: `…/opt-out` is OPTOUT."""
    return str(address).partition("|")[0].rstrip("/").rpartition("/")[2].replace("-", "").upper()


def _expires_at(periods: dict[str, Any]) -> datetime | None:
    """Return when the first of them ends; None: none does."""
    ends = (until(period, f"{KIND}.{place}.end") for place, period in periods.items())
    return min((end for end in ends if end is not None), default=None)


def _form(one: Read, addresses: list[Any], rules: list[Any], place: str) -> tuple[str | None, str | None]:
    """Return the form and its version: of what is agreed to by its address, else by its code."""
    for address in (address for address in addresses if address and _base(address) not in _BASES):
        form, _, version = str(address).partition("|")
        return _text(one, form, place), _text(one, version, place)
    for rule in filter(None, rules):
        codings = [coding for coding in rule.coding or [] if coding.code]
        coding = next((coding for coding in codings if coding.code.upper() not in _BASES), None)
        if coding is not None:
            return _text(one, coding.code, place), _text(one, coding.version, place)
        if rule.text and not codings:
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
