"""What a message of patient administration tells of a patient: what it does not say stays (D51)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from booking.door.domain import Client
from booking.formats.hl7v2.people_messages import registration
from booking.formats.hl7v2.segments import read
from booking.formats.port import Hints
from booking.patients.domain.patient import PatientState
from booking.patients.domain.registrations import Registration
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.hl7 import header

HELD = PatientState(
    UUID(int=1), 3, "FILE-2027-000001", "Ann", "Old", "de", "+447700900123", "ann@example.org", deceased=False
)


def told(pid: str, trigger: str = "A31", client: Client = LOCAL, **profile: Any) -> Registration:
    body = f"{header(trigger, kind='ADT')}\rEVN|{trigger}\r{pid}\r".encode()
    return registration(read(body), "local", Profile.model_validate(profile), Hints(client, NOW), "GB")


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing but who it is": ("PID|1||77", {}),
    "another name": ("PID|1||77||Meier^Anna", {"given_name": "Anna", "family_name": "Meier"}),
    "a given name alone": ("PID|1||77||^Anna", {"given_name": "Anna"}),
    "without phones none is wiped": ("PID|1||77||Meier^Anna|||F", {"given_name": "Anna", "family_name": "Meier"}),
    "another mobile": ("PID|1||77||||||||||07700 900555^PRS^CP", {"mobile": "+447700900555"}),
    "his mobile is taken away": ('PID|1||77||||||||||""^MOBILE', {"mobile": None}),
    "all are": ('PID|1||77||||||||||""', {"mobile": None, "email": None}),
    "one that is none": ("PID|1||77||||||||||none^PRS^CP", {}),
    "an address": ("PID|1||77||||||||||^NET^Internet^new@example.org", {"email": "new@example.org"}),
    "his language": ("PID|1||77||||||||||||eng", {"language": "en"}),
    "a placeholder of one": ("PID|1||77||||||||||||NSP", {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("trigger", ["A04", "A05", "A08", "A28", "A31"])
def test_what_is_said_changes_and_the_rest_stays(trigger: str, case: str) -> None:
    pid, expected = CASES[case]
    found = told(pid, trigger)
    assert found.identity == ("local", "77")
    assert found.onto(HELD) == replace(HELD, **expected)
    assert found.flags == {}


@pytest.mark.parametrize(("last", "flags"), [("Y", {"deceased": True}), ("N", {"deceased": False}), ("", {})])
def test_whether_he_is_dead_is_a_flag_that_is_named(last: str, flags: dict[str, bool]) -> None:
    assert told("PID|1||77" + "|" * 27 + last).flags == flags


@pytest.mark.parametrize("trigger", ["A23", "A29"])
def test_to_whom_a_deleted_record_belongs_nobody_writes_any_more_and_he_stays_as_he_is(trigger: str) -> None:
    found = told("PID|1||77||Meier^Anna", trigger)
    assert (found.flags, found.onto(HELD)) == ({"do_not_contact": True}, HELD)


def test_numbers_are_read_by_the_profiles_country_before_the_installations() -> None:
    found = told("PID|1||77||||||||||0151 23456789^PRS^CP", country="DE")
    assert found.onto(HELD).mobile == "+4915123456789"


def test_his_best_name_is_the_profiles() -> None:
    found = told("PID|1||1^^^A^MR~2^^^B^MR", hl7v2={"patient": {"authorities": ["B"]}})
    assert found.identity == ("local", "B|2")


REFUSED: dict[str, tuple[str, str, Client, str]] = {
    "nobody": ("PID|1||", "A31", LOCAL, "NO_PATIENT"),
    "no PID": ("NTE|1", "A31", LOCAL, "NO_PATIENT"),
    "two": ("PID|1||1\rPID|2||2", "A31", LOCAL, "SEVERAL_PATIENTS"),
    "a merge": ("PID|1||1\rMRG|2", "A40", LOCAL, "UNSUPPORTED_EVENT"),
    "an admission": ("PID|1||1", "A01", LOCAL, "UNSUPPORTED_EVENT"),
    "by who may not": ("PID|1||1", "A31", replace(LOCAL, may_register=False), "MAY_NOT_REGISTER"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_taken_is_refused_by_its_reason(case: str) -> None:
    pid, trigger, client, code = REFUSED[case]
    with pytest.raises(Refused) as refused:
        told(pid, trigger, client)
    assert refused.value.code == code
