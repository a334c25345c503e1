"""A Consent of FHIR R4 and R5 is a word about one visit's clearance: which, whose, which form, until when."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from booking.clearances.domain.clearance import SignedBy
from booking.clearances.domain.kinds import State
from booking.formats.clearances.fhir_consent import parse
from booking.formats.clearances.told import ToldClearance
from booking.formats.port import Hints
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW

VISIT = {"url": "urn:any", "valueReference": {"reference": "Appointment/v1"}}
R4: dict[str, Any] = {
    "resourceType": "Consent",
    "meta": {"lastUpdated": "2027-03-01T08:00:00Z"},
    "extension": [VISIT],
    "status": "active",
    "scope": {"coding": [{"code": "treatment"}]},
    "category": [{"text": "surgery"}],
    "patient": {"reference": "Patient/ann"},
    "dateTime": "2027-02-28T10:00:00+01:00",
    "performer": [{"reference": "Patient/ann"}],
    "policy": [{"uri": "https://clinic.example/forms/surgery|3"}],
    "provision": {"period": {"end": "2027-03-31"}},
}
R5: dict[str, Any] = {
    "resourceType": "Consent",
    "meta": {"lastUpdated": "2027-03-01T08:00:00Z"},
    "extension": [VISIT],
    "status": "active",
    "decision": "permit",
    "subject": {"reference": "Patient/ann"},
    "date": "2027-02-28",
    "grantor": [{"reference": "RelatedPerson/mum"}],
    "regulatoryBasis": [{"coding": [{"code": "surgery", "version": "3"}]}],
    "period": {"end": "2027-03-31"},
}
FORM = "https://clinic.example/forms/surgery"


def read(value: dict[str, Any], release: str = "R4") -> ToldClearance:
    return parse(orjson.dumps(value), release, Hints(LOCAL, NOW))


def refusal(value: dict[str, Any], release: str = "R4") -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        read(value, release)
    return refused.value.code, refused.value.place


def test_a_consent_of_release_4_says_which_form_was_signed_when_by_whom_and_until_when_it_holds() -> None:
    told = read(R4)
    command = told.command
    assert (command.kind, command.state, command.form, command.form_version) == ("consent", State.CLEARED, FORM, "3")
    assert (command.signed_at, command.signed_by) == (datetime(2027, 2, 28, 9, tzinfo=UTC), SignedBy.PATIENT)
    assert (command.expires_at, command.said_at) == (datetime(2027, 4, 1, tzinfo=UTC), NOW.replace(hour=8))
    assert (told.visits, told.patients, command.warnings) == (("Appointment/v1",), ("Patient/ann",), ())
    assert (command.visit, command.patient) == (("local", "Appointment/v1"), "Patient/ann")


def test_a_consent_of_release_5_says_the_same_in_its_own_elements() -> None:
    command = read(R5, "R5").command
    assert (command.kind, command.state) == ("consent", State.CLEARED)
    assert (command.form, command.form_version) == ("surgery", "3")
    assert (command.signed_at, command.signed_by) == (datetime(2027, 2, 28, tzinfo=UTC), SignedBy.GUARDIAN)
    assert (command.expires_at, command.warnings) == (datetime(2027, 4, 1, tzinfo=UTC), ())


@pytest.mark.parametrize(
    ("release", "members", "state"),
    [
        ("R4", {"status": "draft"}, State.PENDING),
        ("R4", {"status": "proposed"}, State.PENDING),
        ("R4", {"status": "rejected"}, State.REFUSED),
        ("R4", {"status": "inactive"}, State.WITHDRAWN),
        ("R4", {"status": "entered-in-error"}, State.WITHDRAWN),
        ("R4", {"provision": {"type": "deny"}}, State.REFUSED),
        ("R4", {"provision": {"type": "permit"}}, State.CLEARED),
        ("R4", {"status": "inactive", "provision": {"type": "deny"}}, State.WITHDRAWN),
        ("R5", {"status": "not-done"}, State.REFUSED),
        ("R5", {"status": "unknown"}, State.PENDING),
        ("R5", {"status": "inactive"}, State.WITHDRAWN),
        ("R5", {"decision": "deny"}, State.REFUSED),
        ("R4", {"policyRule": {"coding": [{"code": "OPTOUT"}]}}, State.REFUSED),
        ("R4", {"policyRule": {"coding": [{"code": "OPTOUTE"}]}, "status": "inactive"}, State.WITHDRAWN),
        ("R4", {"policyRule": {"coding": [{"code": "OPTIN"}]}}, State.CLEARED),
        ("R4", {"policyRule": {"coding": [{"code": "OPTINR"}]}}, State.PENDING),
        ("R4", {"policy": [{"uri": "http://hl7.org/fhir/ConsentPolicy/opt-out"}]}, State.REFUSED),
        ("R5", {"regulatoryBasis": [{"coding": [{"code": "OPTOUTE"}]}]}, State.REFUSED),
        ("R4", {"provision": {"provision": [{"type": "deny"}]}}, State.PENDING),
        ("R4", {"provision": {"type": "deny", "provision": [{"type": "permit"}]}}, State.REFUSED),
        ("R5", {"provision": [{"action": [{"coding": [{"code": "disclose"}]}]}]}, State.PENDING),
        ("R4", {"provision": {"period": {"start": "2029-01-01"}}}, State.PENDING),
        ("R5", {"period": {"start": "2027-03-01T08:30:00Z"}}, State.CLEARED),
        ("R5", {"period": {"start": "2027-03-01T09:30:00Z"}}, State.PENDING),
        ("R5", {"provision": [{"period": {"start": "2027-04-01"}}]}, State.PENDING),
        ("R4", {"status": "rejected", "provision": {"period": {"start": "2029-01-01"}}}, State.REFUSED),
    ],
)
def test_status_and_decision_are_one_state(release: str, members: dict[str, Any], state: State) -> None:
    command = read({**(R5 if release == "R5" else R4), **members}, release).command
    assert command.state is state
    assert (command.reason is None) == (state is State.CLEARED)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"scope": {"text": "as agreed"}}, "consent"),
        ({"scope": {"coding": [{"code": "patient-privacy"}]}}, "patient-privacy"),
        ({"scope": {"coding": [{"code": "research"}]}}, "research"),
        ({"scope": {"coding": [{"code": "adr"}, {"code": "treatment"}]}}, "adr"),
        ({"category": [{"coding": [{"code": "research"}]}]}, "research"),
        ({"category": [{"coding": [{"code": "npp"}]}]}, "patient-privacy"),
        ({"category": [{"coding": [{"code": "surgery-form"}]}]}, "consent"),
    ],
)
def test_another_scope_than_treatment_clears_a_kind_of_its_own(members: dict[str, Any], kind: str) -> None:
    assert read({**R4, **members}).command.kind == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("59284-0", "consent"),
        ("64293-4", "consent"),
        ("npp", "patient-privacy"),
        ("INFA", "patient-privacy"),
        ("IDSCL", "patient-privacy"),
        ("dnr", "adr"),
        ("RSDID", "research"),
    ],
)
def test_a_category_of_release_5_is_that_of_a_treatment_or_clears_a_kind_of_its_own(code: str, kind: str) -> None:
    assert read({**R5, "category": [{"coding": [{"code": code}]}]}, "R5").command.kind == kind


def test_a_base_policy_is_no_form() -> None:
    rule = {"coding": [{"code": "OPTIN"}, {"code": "surgery", "version": "3"}], "text": "opt in"}
    command = read({**R4, "policy": [{"uri": "urn:hl7/opt-in"}], "policyRule": rule}).command
    assert (command.form, command.form_version) == ("surgery", "3")
    command = read({**R4, "policy": [], "policyRule": {"coding": rule["coding"][:1], "text": "opt in"}}).command
    assert (command.form, command.form_version) == (None, None)


def test_a_consent_ends_with_the_first_of_its_periods() -> None:
    provisions = [{"period": {"end": "2027-02-01"}}, {"period": {"end": "2028-02-01"}}]
    for root in ({"end": "2027-03-31"}, {"start": "2027-01-01"}):
        command = read({**R5, "period": root, "provision": provisions}, "R5").command
        assert command.expires_at == datetime(2027, 2, 2, tzinfo=UTC)


NAMED_BY = {
    "any extension": {"extension": [VISIT]},
    "a provision's data": {
        "provision": {"data": [{"meaning": "related", "reference": {"reference": "Appointment/v1"}}]}
    },
    "its source": {"sourceReference": {"reference": "Appointment/v1"}},
    "both, as an address and without": {
        "extension": [VISIT],
        "sourceReference": {"reference": "https://pas.example/fhir/Appointment/v1/_history/2"},
    },
}


@pytest.mark.parametrize("members", NAMED_BY.values(), ids=NAMED_BY.keys())
def test_the_visit_is_named_in_one_of_several_places(members: dict[str, Any]) -> None:
    assert "Appointment/v1" in read({**R4, "extension": [], **members}).visits


def test_a_visit_is_named_by_what_is_contained_and_by_its_identifier_alone() -> None:
    inside = {"resourceType": "Appointment", "id": "a", "identifier": [{"system": "urn:pas", "value": "7"}, 5]}
    told = read({**R4, "contained": [inside], "extension": [{"url": "urn:any", "valueReference": {"reference": "#a"}}]})
    assert told.visits == ("urn:pas|7",)
    assert [(one.code, one.place) for one in told.command.warnings] == [
        ("DETAIL_DROPPED", "Consent.contained[0].identifier[1]")
    ]
    logical = {"type": "Appointment", "identifier": {"value": "v-9"}}
    assert read({**R4, "extension": [{"url": "urn:any", "valueReference": logical}]}).visits == ("v-9",)


SECOND = {"url": "urn:any", "valueReference": {"reference": "Appointment/v2"}}
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "no visit": ({"extension": []}, ("NO_APPOINTMENT", "Consent.extension")),
    "two visits": ({"extension": [VISIT, SECOND]}, ("SEVERAL_APPOINTMENTS", "Consent.extension")),
    "nobody's": ({"patient": None}, ("NO_PATIENT", "Consent.patient")),
    "an organisation's": ({"patient": {"reference": "Organization/o"}}, ("NO_PATIENT", "Consent.patient")),
    "a status that is none": ({"status": "signed"}, ("UNKNOWN_STATUS", "Consent.status")),
    "R5 to R4": ({"subject": {"reference": "Patient/ann"}}, ("FHIR_R5", "Consent.subject")),
    "an unreadable end": ({"provision": {"period": {"end": "soon"}}}, ("INVALID_FHIR", "Consent.provision.period.end")),
    "an end before 1900": (
        {"provision": {"period": {"end": "0001-01-01"}}},
        ("TIME_OUT_OF_RANGE", "Consent.provision.period.end"),
    ),
    "a modifier": ({"modifierExtension": [{"url": "urn:not"}]}, ("UNKNOWN_MODIFIER", "Consent.modifierExtension")),
    "a modifier of a part": (
        {"provision": {"modifierExtension": [{"url": "urn:not"}]}},
        ("UNKNOWN_MODIFIER", "Consent.provision.modifierExtension"),
    ),
    "a modifier of what is listed": (
        {"policy": [{"uri": "urn:a"}, {"uri": "urn:b", "modifierExtension": [{"url": "urn:not"}]}]},
        ("UNKNOWN_MODIFIER", "Consent.policy[1].modifierExtension"),
    ),
    "a scope that cannot be read": (
        {"scope": {"coding": [{"code": 7}]}},
        ("INVALID_FHIR", "Consent.scope.coding[0].code"),
    ),
    "exceptions that cannot be read": (
        {"provision": {"provision": [{"type": 7}]}},
        ("INVALID_FHIR", "Consent.provision.provision[0].type"),
    ),
    "a scope that nobody knows": ({"scope": {"coding": [{"code": "surgery"}]}}, ("UNKNOWN_KIND", "Consent.scope")),
    "another resource": ({"resourceType": "Contract"}, ("WRONG_RESOURCE", "resourceType")),
}


@pytest.mark.parametrize(("members", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_clear_a_visit_by_guess_is_refused(members: dict[str, Any], expected: tuple[str, str]) -> None:
    value = {name: one for name, one in {**R4, **members}.items() if one is not None}
    assert refusal(value) == expected


def test_release_4_sent_to_release_5_is_told_where_it_belongs() -> None:
    assert refusal(R4, "R5") == ("FHIR_R4", "Consent.patient")


DROPPED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a date that is none": ({"dateTime": "yesterday"}, ["Consent.dateTime"]),
    "a field of another release": ({"verificationResult": 1}, ["Consent.verificationResult"]),
    "a form over two lines": ({"policy": [{"uri": "urn:a\nb"}]}, ["Consent.policy"]),
    "no scope and no category": ({"scope": None, "category": None}, ["Consent.category", "Consent.scope"]),
}


@pytest.mark.parametrize(("members", "places"), DROPPED.values(), ids=DROPPED.keys())
def test_a_detail_that_cannot_be_kept_is_named_and_the_rest_is_taken(
    members: dict[str, Any], places: list[str]
) -> None:
    command = read({name: one for name, one in {**R4, **members}.items() if one is not None}).command
    code = "UNKNOWN_FIELD" if "verificationResult" in members else "DETAIL_DROPPED"
    assert [(one.code, one.place) for one in command.warnings] == [(code, place) for place in places]
    assert command.state is State.CLEARED


def test_what_keeps_an_active_consent_pending_is_named_and_why() -> None:
    later = {"start": "2027-03-05", "end": "9999-12-31"}
    command = read({**R4, "provision": {"provision": [{"type": "deny"}], "period": later}}).command
    assert [(one.code, one.place) for one in command.warnings] == [
        ("DETAIL_DROPPED", "Consent.provision"),
        ("DETAIL_DROPPED", "Consent.provision.period.start"),
    ]
    assert (command.state, command.reason) == (State.PENDING, "it has exceptions, which are not read: look at the form")


def test_a_consent_from_a_day_that_began_in_the_east_is_in_force() -> None:
    evening = Hints(LOCAL, NOW.replace(hour=20))
    value = {**R4, "provision": {"period": {"start": "2027-03-02"}}}
    assert parse(orjson.dumps(value), "R4", evening).command.state is State.CLEARED


@pytest.mark.parametrize(
    ("written", "signed_at"),
    [
        ("2027-03-01", NOW.replace(hour=0)),
        ("2027-03-01T23:00:00+14:00", NOW),
        ("2027-03-02", datetime(2027, 3, 2, tzinfo=UTC)),  # tomorrow begins in 15 hours
        ("2027", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_day_on_which_it_was_signed_begins_in_utc(written: str, signed_at: datetime) -> None:
    assert read({**R4, "dateTime": written}).command.signed_at == signed_at


def test_a_day_that_began_in_the_east_alone_is_now() -> None:
    evening = NOW.replace(hour=20)
    told = parse(orjson.dumps({**R4, "dateTime": "2027-03-02"}), "R4", Hints(LOCAL, evening))
    assert told.command.signed_at == evening


def test_a_consent_that_holds_for_ever_does_not_end() -> None:
    assert read({**R4, "provision": {"period": {"end": "9999-12-31"}}}).command.expires_at is None


def test_the_same_resource_is_the_same_event_and_a_header_names_another() -> None:
    assert read(R4).command.key == read(dict(reversed(R4.items()))).command.key
    assert parse(orjson.dumps(R4), "R4", Hints(LOCAL, NOW, key="c-1")).command.key == "c-1"


def test_a_refusal_names_the_place_in_the_resource() -> None:
    told = read(R4)
    found = told.in_its_words(Refused("NOT_YET", "of the future", "signed_at", [Refused("X", "x", "kind")]))
    assert (found.place, [one.place for one in found.also]) == ("Consent.dateTime", ["Consent.scope"])
    assert told.in_its_words(Refused("VISIT_CANCELLED", "it is cancelled")).place == "Consent"
