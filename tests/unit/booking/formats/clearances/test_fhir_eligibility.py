"""A CoverageEligibilityResponse of FHIR R4 and R5 is a payer's word: whether he pays for a visit, and until when."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from booking.clearances.domain.kinds import State
from booking.formats.clearances.fhir_eligibility import parse
from booking.formats.clearances.told import ToldClearance
from booking.formats.port import Hints
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW

KIND = "CoverageEligibilityResponse"
COVERED: dict[str, Any] = {"coverage": {"reference": "#plan"}, "inforce": True, "benefitPeriod": {"end": "2027-12-31"}}
ANSWER: dict[str, Any] = {
    "resourceType": KIND,
    "meta": {"lastUpdated": "2027-03-01T08:00:00Z"},
    "contained": [{"resourceType": "Coverage", "id": "plan", "type": {"coding": [{"code": "EHCPOL"}]}}],
    "extension": [{"url": "urn:any", "valueReference": {"reference": "Appointment/v1"}}],
    "status": "active",
    "purpose": ["validation", "benefits"],
    "patient": {"reference": "Patient/ann"},
    "created": "2027-03-01",
    "request": {"reference": "CoverageEligibilityRequest/1"},
    "outcome": "complete",
    "insurer": {"identifier": {"value": "payer"}},
    "insurance": [COVERED],
    "preAuthRef": "A-17",
}


def read(value: dict[str, Any], release: str = "R4") -> ToldClearance:
    return parse(orjson.dumps(value), release, Hints(LOCAL, NOW))


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_coverage_in_force_clears_what_is_paid_for_until_the_benefit_ends(release: str) -> None:
    told = read(ANSWER, release)
    command = told.command
    assert (command.kind, command.state, command.reason) == ("financial", State.CLEARED, None)
    assert (command.reference, command.payer_class) == ("A-17", "ehcpol")
    assert (command.expires_at, command.said_at) == (datetime(2028, 1, 1, tzinfo=UTC), NOW.replace(hour=8))
    assert (told.visits, told.patients, command.warnings) == (("Appointment/v1",), ("Patient/ann",), ())
    assert (command.amount_minor, command.currency, command.form, command.signed_at) == (None, None, None, None)


def covered(**members: Any) -> dict[str, Any]:
    return {"insurance": [{**COVERED, **members}]}


ERROR = {"outcome": "error", "error": [{"code": {"coding": [{"code": "75", "display": "Subscriber not found"}]}}]}
ANSWERS: list[tuple[dict[str, Any], State, str | None]] = [
    ({"outcome": "queued"}, State.PENDING, "the payer has not answered to the end"),
    ({"outcome": "partial"}, State.PENDING, "the payer has not answered to the end"),
    ({"status": "draft"}, State.PENDING, "the payer has not answered to the end"),
    (ERROR, State.REFUSED, "Subscriber not found"),
    (
        {"outcome": "error", "error": [{"code": {"text": "Ann Smith is unknown"}}]},
        State.REFUSED,
        "the payer could not answer",
    ),
    ({"status": "cancelled"}, State.REFUSED, "the answer is cancelled"),
    ({"status": "entered-in-error"}, State.REFUSED, "the answer is entered-in-error"),
    (covered(inforce=False), State.REFUSED, "no coverage is in force"),
    ({"insurance": [{**COVERED, "inforce": False}, COVERED]}, State.CLEARED, None),
    (covered(inforce=None), State.PENDING, "it does not say whether coverage is in force"),
    ({"insurance": None}, State.PENDING, "it does not say whether coverage is in force"),
    ({"purpose": ["discovery"]}, State.PENDING, "it was asked which coverage there is, not whether it pays for this"),
    ({"purpose": ["discovery", "benefits"]}, State.CLEARED, None),
    (
        {"purpose": ["discovery", 7]},
        State.PENDING,
        "it was asked which coverage there is, not whether it pays for this",
    ),
    ({"purpose": ["discover"]}, State.PENDING, "it does not say what was asked"),
    ({"purpose": []}, State.PENDING, "it does not say what was asked"),
    ({"purpose": None}, State.PENDING, "it does not say what was asked"),
    (covered(benefitPeriod={"start": "2028-01-01", "end": "2028-12-31"}), State.PENDING, "the coverage begins later"),
    (
        {"insurance": [COVERED, {**COVERED, "benefitPeriod": {"start": "2028-01-01", "end": "2028-12-31"}}]},
        State.CLEARED,
        None,
    ),
    (covered(item=[{"excluded": True}]), State.REFUSED, "the coverage excludes it"),
    (covered(item=[{"excluded": True}, {"excluded": False}]), State.CLEARED, None),
    (
        {"preAuthRef": None, **covered(item=[{"authorizationRequired": True}])},
        State.PENDING,
        "the payer wants to authorise it before",
    ),
    (covered(item=[{"authorizationRequired": True}]), State.CLEARED, None),
]


@pytest.mark.parametrize(("members", "state", "reason"), ANSWERS)
def test_outcome_purpose_and_insurance_are_one_state_and_why(
    members: dict[str, Any], state: State, reason: str | None
) -> None:
    command = read(given(members)).command
    assert (command.state, command.reason) == (state, reason)


@pytest.mark.parametrize(
    "members",
    [
        covered(inforce=False),
        covered(inforce=None),
        covered(benefitPeriod={"start": "2028-01-01"}),
        {"outcome": "error"},
        {"outcome": "queued"},
        {"status": "cancelled"},
        {"purpose": ["discovery"]},
        {"insurance": [{"inforce": True}, {**COVERED, "inforce": False}]},
    ],
)
def test_who_pays_is_told_only_by_an_answer_that_clears_and_what_is_in_force(members: dict[str, Any]) -> None:
    assert read(given(members)).command.payer_class is None


def given(members: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with these members; None: without it."""
    value = {name: one for name, one in {**ANSWER, **members}.items() if one is not None}
    kept = [{name: one for name, one in each.items() if one is not None} for each in value.get("insurance", ())]
    return {**value, **({"insurance": kept} if kept else {})}


@pytest.mark.parametrize(
    ("insurance", "expires_at"),
    [
        ([{**COVERED, "benefitPeriod": {"end": "9999-12-31"}}], None),
        ([COVERED, {**COVERED, "benefitPeriod": {"end": "2027-03"}}], datetime(2028, 1, 1, tzinfo=UTC)),
        ([COVERED, {"coverage": {}, "inforce": True}], None),
        ([COVERED, {**COVERED, "benefitPeriod": {"start": "2028", "end": "2028"}}], datetime(2028, 1, 1, tzinfo=UTC)),
        (
            [{**COVERED, "inforce": False}, {**COVERED, "benefitPeriod": {"end": "2027-03"}}],
            datetime(2027, 4, 1, tzinfo=UTC),
        ),
    ],
)
def test_it_holds_as_long_as_the_last_coverage_in_force(insurance: list[Any], expires_at: datetime | None) -> None:
    assert read({**ANSWER, "insurance": insurance}).command.expires_at == expires_at


REQUEST = {"resourceType": "CoverageEligibilityRequest", "id": "asked", "extension": ANSWER["extension"]}
NAMED_BY = {
    "the request that came along": {"request": {"reference": "#asked"}, "contained": [REQUEST]},
    "an Appointment as the request": {"request": {"reference": "Appointment/v1"}},
}


@pytest.mark.parametrize("members", NAMED_BY.values(), ids=NAMED_BY.keys())
def test_the_visit_is_named_by_what_was_asked(members: dict[str, Any]) -> None:
    assert read({**ANSWER, "extension": [], **members}).visits == ("Appointment/v1",)


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "no visit": ({"extension": []}, ("NO_APPOINTMENT", f"{KIND}.extension")),
    "nobody's": ({"patient": None}, ("INVALID_FHIR", f"{KIND}.patient")),
    "a status that is none": ({"status": "done"}, ("UNKNOWN_STATUS", f"{KIND}.status")),
    "an outcome that is none": ({"outcome": "yes"}, ("UNKNOWN_STATUS", f"{KIND}.outcome")),
    "no outcome": ({"outcome": None}, ("INVALID_FHIR", f"{KIND}.outcome")),
    "in force, as a word": (covered(inforce="perhaps"), ("INVALID_FHIR", f"{KIND}.insurance[0].inforce")),
    "an unreadable end": (
        covered(benefitPeriod={"end": "soon"}),
        ("INVALID_FHIR", f"{KIND}.insurance[0].benefitPeriod.end"),
    ),
    "a modifier of an insurance": (
        covered(modifierExtension=[{"url": "urn:not", "valueBoolean": True}]),
        ("UNKNOWN_MODIFIER", f"{KIND}.insurance[0].modifierExtension"),
    ),
    "a modifier of the plan": (
        {"contained": [{**ANSWER["contained"][0], "modifierExtension": [{"url": "urn:not"}]}]},
        ("UNKNOWN_MODIFIER", f"{KIND}.contained[0].modifierExtension"),
    ),
    "another resource": ({"resourceType": "ClaimResponse"}, ("WRONG_RESOURCE", "resourceType")),
}


@pytest.mark.parametrize(("members", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_clear_a_visit_by_guess_is_refused(members: dict[str, Any], expected: tuple[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        read(given(members))
    assert (refused.value.code, refused.value.place) == expected


def test_what_fhir_requires_and_a_payer_leaves_out_is_named_and_the_rest_is_taken() -> None:
    left_out = {"created": None, "insurer": None, "request": None}
    command = read(given({**left_out, **covered(coverage=None)})).command
    assert command.state is State.CLEARED
    named = [f"{KIND}.{name}" for name in ("created", "insurance[0].coverage", "insurer", "request")]
    assert sorted(one.place for one in command.warnings) == sorted(named)


def test_a_class_of_payers_that_can_be_none_is_dropped() -> None:
    plan = {"resourceType": "Coverage", "id": "plan", "type": {"coding": [5, {"code": "a b"}]}}
    command = read({**ANSWER, "contained": [plan]}).command
    assert (command.payer_class, [one.place for one in command.warnings]) == (None, [f"{KIND}.contained.type"])
