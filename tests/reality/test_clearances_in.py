"""Consents and payers' answers as they come: what each is answered, and what the visit then holds."""

from typing import Any

from tests.reality.test_order import resource
from tests.reality.test_three_values import event
from tests.support.reality import FHIR, Case, Post, Seen, fhir

BOOK = Post(event(1, start="{S}"), {"result": "applied"}, warnings=None)
VISIT = {"url": "https://hospital.example/appointment", "valueReference": {"reference": "Appointment/v-{mark}"}}
ELIGIBILITY = "CoverageEligibilityResponse"
WITHDRAWN = {"consent": "withdrawn"}
CODE = "issue.0.details.coding.0.code"


def consent(release: str = "R4", code: str = "applied", http: int = 201, **members: Any) -> Post:
    """Return the post of a Consent of the case's patient, signed yesterday; None leaves a member out."""
    whom = "patient" if release == "R4" else "subject"
    at = "dateTime" if release == "R4" else "date"
    scope = {"scope": {"coding": [{"code": "treatment"}]}, "category": [{"text": "surgery"}]} if release == "R4" else {}
    whole = {
        "resourceType": "Consent",
        "extension": [VISIT],
        "status": "active",
        **scope,
        whom: {"reference": "Patient/{patient}"},
        at: "{NOW-1d}",
    }
    if release == "R5":
        whole[at] = "{NOW-1d%Y-%m-%d}"
    return posted(f"/fhir/{release}/Consent", {**whole, **members}, code, http)


def eligibility(release: str = "R4", code: str = "applied", http: int = 201, **members: Any) -> Post:
    """Return the post of a payer's answer that coverage is in force for the case's patient."""
    whole = {
        "resourceType": ELIGIBILITY,
        "extension": [VISIT],
        "status": "active",
        "purpose": ["validation"],
        "patient": {"reference": "Patient/{patient}"},
        "created": "{NOW}",
        "request": {"reference": "CoverageEligibilityRequest/9"},
        "outcome": "complete",
        "insurer": {"display": "Payer"},
        "insurance": [
            {"coverage": {"reference": "Coverage/1"}, "inforce": True, "benefitPeriod": {"end": "2027-12-31"}}
        ],
    }
    return posted(f"/fhir/{release}/{ELIGIBILITY}", {**whole, **members}, code, http)


def posted(path: str, whole: dict[str, Any], code: str, http: int) -> Post:
    """Return the post of a resource, whose answer's first issue has this code."""
    body = {name: one for name, one in whole.items() if one is not None}
    return Post(body, {CODE: code}, None, http, path, content_type=FHIR)


def refused(post: Post, code: str, place: str, http: int = 422) -> Post:
    """Return the same post, refused at a place."""
    expected = {CODE: code, "issue.0.expression.0": place}
    return Post(post.body, expected, None, http, post.path, content_type=FHIR)


REPEATED: dict[str, Any] = {"code": "repeat", "http": 200}
NOT_COVERED = [{"coverage": {}, "inforce": False}]
ANOTHERS = {"url": "urn:any", "valueReference": {"reference": "Appointment/nobodys-{mark}"}}
IN_ITS_WORDS = {"type": "Appointment", "identifier": {"value": "v-{mark}"}}
FHIR_BOOK = fhir(resource("{NOW}"), {"Attend-Result": "applied"}, status=201, warnings=None)
NOTHING: dict[str, str] = {}

CASES = (
    Case("R4: a consent", [BOOK, consent()], cleared={"consent": "cleared"}),
    Case("R4: a consent and its withdrawal", [BOOK, consent(), consent(status="inactive")], cleared=WITHDRAWN),
    Case("R4: the same consent twice", [BOOK, consent(), consent(**REPEATED)], cleared={"consent": "cleared"}),
    Case("R4: a draft, then it is signed", [BOOK, consent(status="draft"), consent()], cleared={"consent": "cleared"}),
    Case("R4: entered in error", [BOOK, consent(), consent(status="entered-in-error")], cleared=WITHDRAWN),
    Case(
        "R5: signed by the guardian",
        [BOOK, consent("R5", grantor=[{"reference": "RelatedPerson/1"}])],
        cleared={"consent": "cleared"},
    ),
    Case("R5: he denies it", [BOOK, consent("R5", decision="deny")], cleared={"consent": "refused"}),
    Case(
        "of a visit booked in FHIR, named by its identifier",
        [FHIR_BOOK, consent(extension=[{"url": "urn:any", "valueReference": IN_ITS_WORDS}])],
        cleared={"consent": "cleared"},
    ),
    Case("R4: covered", [BOOK, eligibility()], cleared={"financial": "cleared"}),
    Case(
        "R5: queued, then covered",
        [BOOK, eligibility("R5", outcome="queued"), eligibility("R5")],
        cleared={"financial": "cleared"},
    ),
    Case(
        "R4: covered, then no longer",
        [BOOK, eligibility(), eligibility(insurance=NOT_COVERED)],
        cleared={"financial": "refused"},
    ),
    Case(
        "signed and paid",
        [BOOK, consent("R5"), eligibility("R5")],
        cleared={"consent": "cleared", "financial": "cleared"},
    ),
    Case(
        "a withdrawal that is older than the consent",
        [
            BOOK,
            consent(meta={"lastUpdated": "{NOW}"}),
            consent(status="inactive", meta={"lastUpdated": "{NOW-1h}"}, code="stale", http=200),
        ],
        cleared={"consent": "cleared"},
    ),
    Case(
        "another patient's consent",
        [BOOK, refused(consent(patient={"reference": "Patient/{other}"}), "CONSENT_OF_ANOTHER", "Consent.patient")],
        cleared=NOTHING,
    ),
    Case(
        "expired before it was signed",
        [
            BOOK,
            refused(
                consent(provision={"period": {"end": "2020-01-01"}}),
                "EXPIRED_BEFORE_SIGNED",
                "Consent.provision.period.end",
            ),
        ],
        cleared=NOTHING,
    ),
    Case(
        "a privacy consent is none to be treated",
        [
            BOOK,
            refused(consent(scope={"coding": [{"code": "patient-privacy"}]}), "UNKNOWN_KIND", "Consent.scope"),
        ],
        cleared=NOTHING,
    ),
    Case(
        "a consent that nobody signed",
        [BOOK, refused(consent(dateTime=None), "MISSING_FIELD", "Consent.dateTime")],
        cleared=NOTHING,
    ),
    Case(
        "a visit that nobody booked",
        [BOOK, refused(consent(extension=[ANOTHERS]), "UNKNOWN_APPOINTMENT", "Consent.extension", 404)],
        cleared=NOTHING,
    ),
    Case(
        "no visit named",
        [BOOK, refused(eligibility(extension=[]), "NO_APPOINTMENT", f"{ELIGIBILITY}.extension")],
        cleared=NOTHING,
    ),
    Case(
        "in force, as a word",
        [
            BOOK,
            refused(
                eligibility(insurance=[{"coverage": {}, "inforce": "perhaps"}]),
                "INVALID_FHIR",
                f"{ELIGIBILITY}.insurance[0].inforce",
            ),
        ],
        cleared=NOTHING,
    ),
    Case(
        "a cancelled visit",
        [
            BOOK,
            Post(event(2, "cancelled"), {"result": "applied"}, None),
            refused(consent(), "VISIT_CANCELLED", "Consent", 409),
        ],
        cleared=NOTHING,
    ),
)


def test_what_a_sender_says_in_fhir_is_what_the_visit_holds(seen: Seen) -> None:
    seen.judge()
