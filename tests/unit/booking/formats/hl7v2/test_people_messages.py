"""What a message of patient administration tells of a patient: what it does not say stays (D51)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from booking.door.domain import Client
from booking.formats.hl7v2.people_messages import merges, registration
from booking.formats.hl7v2.segments import read
from booking.formats.port import Hints, Meant
from booking.patients.domain.patient import PatientState
from booking.patients.domain.registrations import Registration
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.hl7 import header

HELD = PatientState(
    UUID(int=1), 3, "FILE-2027-000001", "Ann", "Old", "de", "+447700900123", "ann@example.org", deceased=False
)


def told(pid: str, trigger: str = "A31", client: Client = LOCAL, **profile: Any) -> Registration:
    body = f"{header(trigger, kind='ADT')}\rEVN|{trigger}\r{pid}\r".encode()
    meant = Meant("local", Profile.model_validate(profile), None, None, Profiles())
    return registration(read(body), meant, Hints(client, NOW, country="GB"))


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


@pytest.mark.parametrize(
    ("profile", "mobile"),
    [({"clinic": "EYE"}, "+4915123456789"), ({"clinic": "EYE", "country": "GB"}, None), ({}, None)],
)
def test_without_a_country_of_its_own_a_source_has_that_of_its_default_clinic(
    profile: dict[str, str], mobile: str | None
) -> None:
    profiles = Profiles.fixed({"local": Profile.model_validate(profile)}, clinic_countries={"EYE": "DE"})
    body = f"{header('A08', kind='ADT')}\rEVN|A08\rPID|1||77||||||||||0151 23456789^PRS^CP\r".encode()
    hints = Hints(LOCAL, NOW, source="local", profiles=profiles, country="GB")
    found = registration(read(body), hints.meant(), hints)
    assert found.onto(replace(HELD, mobile=None)).mobile == mobile


def test_his_best_name_is_the_profiles() -> None:
    found = told("PID|1||1^^^A^MR~2^^^B^MR", hl7v2={"patient": {"authorities": ["B"]}})
    assert found.identity == ("local", "B|2")


REFUSED: dict[str, tuple[str, str, Client, str]] = {
    "nobody": ("PID|1||", "A31", LOCAL, "NO_PATIENT"),
    "no PID": ("NTE|1", "A31", LOCAL, "NO_PATIENT"),
    "two": ("PID|1||1\rPID|2||2", "A31", LOCAL, "SEVERAL_PATIENTS"),
    "parts of a merge": ("PID|1||1\rMRG|2", "A41", LOCAL, "UNSUPPORTED_EVENT"),
    "an admission": ("PID|1||1", "A01", LOCAL, "UNSUPPORTED_EVENT"),
    "by who may not": ("PID|1||1", "A31", replace(LOCAL, may_register=False), "MAY_NOT_REGISTER"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_taken_is_refused_by_its_reason(case: str) -> None:
    pid, trigger, client, code = REFUSED[case]
    with pytest.raises(Refused) as refused:
        told(pid, trigger, client)
    assert refused.value.code == code


def test_the_profiles_language_is_his_of_whom_nobody_told_one() -> None:
    found = told("PID|1||77||Meier^Anna", language="fr")
    assert found.onto(HELD).language == "de"
    assert found.onto(replace(HELD, language=None)).language == "fr"
    assert told("PID|1||77||||||||||||eng", language="fr").onto(HELD).language == "en"


def test_a_deletion_registers_nobody_and_a_description_does() -> None:
    assert [told("PID|1||77", trigger).only_known for trigger in ("A23", "A29", "A31")] == [True, True, False]


def merged(lines: str, trigger: str = "A40", client: Client = LOCAL) -> list[tuple[list[str], list[str]]]:
    body = f"{header(trigger, kind='ADT')}\r{lines}\r".encode()
    found = merges(read(body), Meant("local", Profile(), None, None, Profiles()), Hints(client, NOW))
    return [([name for _, name in pair.away], [name for _, name in pair.into]) for pair in found.pairs]


MERGED: dict[str, tuple[str, list[tuple[list[str], list[str]]]]] = {
    "one pair": ("EVN|A40\rPID|1||2^^^EYE^MR\rMRG|1^^^EYE^MR", [(["EYE|1"], ["EYE|2"])]),
    "several": (
        "PID|1||2^^^EYE^MR\rPD1|1\rMRG|1^^^EYE^MR\rPID|2||4^^^EYE^MR\rMRG|3^^^EYE^MR",
        [(["EYE|1"], ["EYE|2"]), (["EYE|3"], ["EYE|4"])],
    ),
    "without EVN, with a note": ("PID|1||2\rNTE|1||same person\rMRG|1", [(["1"], ["2"])]),
    "MRG-1 without an authority": ("PID|1||2^^^EYE^MR\rMRG|1", [(["1", "EYE|1"], ["EYE|2"])]),
    "a national number that both have": (
        "PID|1||2^^^EYE^MR~9^^^NHS^NH\rMRG|1^^^EYE^MR~9^^^NHS^NH",
        [(["EYE|1"], ["EYE|2", "NHS|9"])],
    ),
    "MRG-1 that repeats": ("PID|1||2^^^EYE^MR\rMRG|9^^^A^PI~1^^^EYE^MR", [(["EYE|1", "A|9"], ["EYE|2"])]),
}


@pytest.mark.parametrize("case", MERGED)
@pytest.mark.parametrize("trigger", ["A34", "A40"])
def test_each_mrg_is_merged_into_the_pid_before_it(trigger: str, case: str) -> None:
    lines, expected = MERGED[case]
    assert merged(lines, trigger) == expected


NOT_MERGED: dict[str, tuple[str, Client, str, str]] = {
    "itself": ("PID|1||1^^^EYE^MR\rMRG|1^^^EYE^MR", LOCAL, "SAME_PATIENT", "MRG-1"),
    "itself, under a number more": ("PID|1||1^^^EYE^MR\rMRG|1^^^EYE^MR~7^^^B^PI", LOCAL, "SAME_PATIENT", "MRG-1"),
    "itself, under a number less": ("PID|1||1^^^EYE^MR~9^^^NHS^NH\rMRG|9^^^NHS^NH", LOCAL, "SAME_PATIENT", "MRG-1"),
    "nobody merged away": ("PID|1||1", LOCAL, "NO_PATIENT", "MRG-1"),
    "MRG that names nobody": ("PID|1||1\rMRG|", LOCAL, "NO_PATIENT", "MRG-1"),
    "PID that names nobody": ("PID|1\rMRG|1", LOCAL, "NO_PATIENT", "PID-3"),
    "by who may not": ("PID|1||1\rMRG|2", replace(LOCAL, may_register=False), "MAY_NOT_REGISTER", ""),
}


@pytest.mark.parametrize("case", NOT_MERGED)
def test_what_merges_nothing_is_refused_by_its_place(case: str) -> None:
    lines, client, code, place = NOT_MERGED[case]
    with pytest.raises(Refused) as refused:
        merged(lines, client=client)
    assert refused.value.code == code
    assert not place or refused.value.place == place
