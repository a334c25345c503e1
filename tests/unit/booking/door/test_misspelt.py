"""A body that is refused names also the fields that its model has not, each with the one that may be meant (0047)."""

from typing import Any

import pytest
from pydantic import BaseModel

from booking.clearances.bodies import ClearancePolicyBody, command_of
from booking.clinics.bodies import ClinicBody
from booking.desk.bodies import MoveBody
from booking.desk.check_in import CheckInBody
from booking.door.bodies import naming_unread, problem, read, refused_members
from booking.merges.http import MergeBody
from booking.patients.bodies import FindBody, ListedBody, PatientBody
from booking.policies.bodies import PolicyBody
from booking.providers.http import ProviderBody
from booking.values.refusals import Refused

ZONE = "Europe/London"
FAR = "none"
"""Nothing is near."""

type Named = dict[str, str]
"""Place → the field that may be meant."""

CASES: dict[str, tuple[type[BaseModel], Any, tuple[str, str], Named]] = {
    "a required one": (ClinicBody, {"nmae": "Eye", "zone": ZONE}, ("MISSING_FIELD", "name"), {"nmae": "name"}),
    "in another case": (ClinicBody, {"NAME": "Eye", "zone": ZONE}, ("MISSING_FIELD", "name"), {"NAME": "name"}),
    "two required ones": (
        ClinicBody, {"nmae": "Eye", "time_zone": ZONE}, ("MISSING_FIELD", "name"),
        {"nmae": "name", "time_zone": "zone"},
    ),
    "a required and an optional one": (
        ClinicBody, {"nmae": "E", "zone": ZONE, "langauges": ["en"]}, ("MISSING_FIELD", "name"),
        {"nmae": "name", "langauges": "languages"},
    ),
    "far from every name": (ProviderBody, {"xyzzy": 1}, ("MISSING_FIELD", "name"), {"xyzzy": FAR}),
    "a name that looks like a value": (ProviderBody, {"Dr Ann Abara": 1}, ("MISSING_FIELD", "name"), {"?": FAR}),
    "words joined otherwise": (
        PatientBody, {"givenName": "A", "family-name": "B", "consent": 1}, ("WRONG_TYPE", "consent"),
        {"givenName": "given_name", "?": "family_name"},
    ),
    "in an item of a list": (
        ClinicBody,
        {"name": "E", "zone": ZONE, "identifiers": [{"system": "a", "value": "1"}, {"system": "a", "valu": 2}]},
        ("MISSING_FIELD", "identifiers.1.value"), {"identifiers.1.valu": "value"},
    ),
    "under a key, beside another fault": (
        ClinicBody, {"name": 7, "zone": ZONE, "services": {"MRI": {"Phone": "1"}}}, ("WRONG_TYPE", "name"),
        {"services.MRI.Phone": "phone"},
    ),
    "of a patient in a batch": (ListedBody, {"ID": "a"}, ("MISSING_FIELD", "id"), {"ID": "id"}),
    "of an order": (MergeBody, {"in_to": {"id": "a"}}, ("MISSING_FIELD", "into"), {"in_to": "into"}),
    "of an order, an optional one": (
        MergeBody, {"into": {"id": "a", "sorce": "x"}, "reson": "x"}, ("UNKNOWN_FIELD", "into.sorce"),
        {"reson": "reason"},
    ),
    "of a search": (FindBody, {"nam": "Abara"}, ("MISSING_FIELD", "name"), {"nam": "name"}),
    "of a policy": (PolicyBody, {"rule": [{"lead_hours": 2}]}, ("MISSING_FIELD", "rules"), {"rule": "rules"}),
    "of a requirement": (
        ClearancePolicyBody, {"mode": "observe", "requires": [{"kidn": "consent"}]},
        ("MISSING_FIELD", "requires.0.kind"), {"requires.0.kidn": "kind"},
    ),
    "of a desk's order": (MoveBody, {"by_minute": "x", "ids": 3}, ("WRONG_TYPE", "ids"), {"by_minute": "by_minutes"}),
    "of a check-in": (CheckInBody, {"overide": True, "by": 4}, ("WRONG_TYPE", "by"), {"overide": "override"}),
    "a list": (ClinicBody, [{"nmae": 1}], ("WRONG_TYPE", ""), {}),
    "a text": (PatientBody, "givenname", ("WRONG_TYPE", ""), {}),
    "nothing": (ProviderBody, None, ("WRONG_TYPE", ""), {}),
}  # fmt: skip


def meant(refusal: Refused) -> Named:
    assert {one.code for one in refusal.also} <= {"UNKNOWN_FIELD"}
    return {one.place: one.message.partition("did you mean ")[2].rstrip("?") or FAR for one in refusal.also}


@pytest.mark.parametrize("what", CASES)
def test_a_refused_body_names_what_it_misspelt(what: str) -> None:
    model, value, expected, named = CASES[what]
    with pytest.raises(Refused) as caught:
        read(model, value)
    assert ((caught.value.code, caught.value.place), meant(caught.value)) == (expected, named)


def test_a_body_of_many_unknown_fields_names_five_of_each_object() -> None:
    value = {**{f"x{number}": 1 for number in range(90)}, "window": {f"y{number}": 1 for number in range(90)}}
    with pytest.raises(Refused) as caught:
        read(ClinicBody, value)
    assert len(caught.value.also) == 10


def test_what_is_refused_later_names_it_too_and_neither_answer_has_a_value() -> None:
    value = {"givenname": "Ann Abara", "phone": "+447700900123"}
    with pytest.raises(Refused) as caught, naming_unread(PatientBody, value):
        raise Refused("BAD_EMAIL", "no address", "email")
    answers = problem(caught.value).body(), refused_members(caught.value)
    places = [one["place"] for one in refused_members(caught.value)["errors"]]
    assert places == ["givenname", "phone"]
    assert problem(caught.value).errors[0] == {"place": "email", "code": "BAD_EMAIL"}
    assert "Abara" not in str(answers)
    assert "7700" not in str(answers)


def test_one_of_several_that_has_no_unknown_field_has_no_errors() -> None:
    members = refused_members(Refused("MISSING_FIELD", "it lacks", "id"))
    assert members == {"status": 422, "code": "MISSING_FIELD", "detail": "it lacks", "place": "id"}


def test_a_word_of_a_clearance_names_it_whatever_refuses_it() -> None:
    for value, code in (
        ({"kidn": "consent", "state": "cleared"}, "MISSING_FIELD"),
        ({"event_id": "c", "kind": "A B", "state": "cleared", "fomr": "x"}, "BAD_SLUG"),
        ({"eventid": "c", "kind": "consent", "state": "cleared"}, "MISSING_FIELD"),
    ):
        with pytest.raises(Refused) as caught:
            command_of(value, "local", ("local", "v1"), b"")
        assert (caught.value.code, len(caught.value.also)) == (code, 1)
