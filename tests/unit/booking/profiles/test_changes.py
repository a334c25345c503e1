"""What another profile changes and means, and what a release makes of a profile that a later one kept."""

from typing import Any

import pytest

from booking.profiles.bodies import read
from booking.profiles.changes import changes, description_of
from booking.profiles.domain import DEFAULT, Profile
from booking.profiles.kept import read_kept, said
from booking.values.refusals import Refused

LONDON = Profile(zone="Europe/London")

MEANT: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({}, {"zone": "Europe/London"}, "zone", "(2027-07-27T14:30Z), until now refused, NAIVE_TIME"),
    ({"zone": "Asia/Tokyo"}, {}, "zone", "is refused, NAIVE_TIME, until now read in Asia/Tokyo (2027-07-27T06:30Z)"),
    ({}, {"clinic": "EYE"}, "clinic", "read in Europe/Madrid (2027-07-27T13:30Z)"),
    ({}, {"mode": "backfill"}, "mode", "nothing is sent for them"),
    ({}, {"hl7v2": {"events": {"S13": "cancelled"}}}, "hl7v2.events.S13", "S13 is read as cancelled, until now as"),
    ({"hl7v2": {"words": {"Sch": "booked"}}}, {}, "hl7v2.words.Sch", "the table of words says, until now as booked"),
    ({}, {"hl7v2": {"clinics": {"Ward A.1": "EYE"}}}, "hl7v2.clinics.Ward A.1", "this place is EYE"),
    ({}, {"csv": {}}, "csv", "its files of separated values are read"),
    ({}, {"hl7v2": {"times": {"gap": "refuse"}}}, "hl7v2.times.gap", "A local time that the clocks jump over"),
]


@pytest.mark.parametrize(("before", "after", "key", "means"), MEANT)
def test_each_key_that_changes_says_what_it_means(
    before: dict[str, Any], after: dict[str, Any], key: str, means: str
) -> None:
    found = changes(Profile.model_validate(before), Profile.model_validate(after), {"EYE": "Europe/Madrid"})

    assert [one.key for one in found] == [key]
    assert means in found[0].means


def test_what_is_the_same_changes_nothing_whether_it_was_said_or_not() -> None:
    assert changes(DEFAULT, DEFAULT, {}) == []
    assert (
        changes(LONDON, Profile.model_validate({"zone": "Europe/London", "hl7v2": {"processing": ["P", "T", "D"]}}), {})
        == []
    )
    assert said(LONDON) == {"zone": "Europe/London"}


@pytest.mark.parametrize(
    ("kept", "holds", "passed_over"),
    [
        ({"zone": "Europe/London"}, {"zone": "Europe/London"}, []),
        ({"zone": "Europe/London", "newer": {"a": 1}}, {"zone": "Europe/London"}, ["newer"]),
        ({"hl7v2": {"place": ["PV1-3", "newer:3"], "charset": "cp1252"}}, {"hl7v2": {"charset": "cp1252"}},
         ["hl7v2.place"]),
        ({"hl7v2": 7, "country": "GB"}, {"country": "GB"}, ["hl7v2"]),
        ({"mode": "shadow", "csv": {"columns": {"ward": "W", "start": "S"}}}, {"csv": {"columns": {"start": "S"}}},
         ["mode", "csv.columns.ward"]),
    ],
)  # fmt: skip
def test_what_a_later_release_kept_is_read_as_far_as_it_is_known(
    kept: dict[str, Any], holds: dict[str, Any], passed_over: list[str]
) -> None:
    assert read_kept(kept) == (Profile.model_validate(holds), passed_over)


def test_every_place_that_is_wrong_is_told_once_in_the_order_of_the_model() -> None:
    profile = {"csv": {"columns": {"start": []}, "encoding": "zz"}, "zone": "Nowhere", "clinic": "eye"}
    with pytest.raises(Refused) as refused:
        read({"profile": profile, "reson": "typed in haste"})

    told = [(one.place, one.code) for one in (refused.value, *refused.value.also)]

    assert told == [
        ("profile.zone", "UNKNOWN_ZONE"),
        ("profile.clinic", "ILLEGAL_CLINIC_CODE"),
        ("profile.csv.encoding", "UNKNOWN_ENCODING"),
        ("profile.csv.columns.start", "WRONG_TYPE"),
        ("reson", "UNKNOWN_FIELD"),
    ]


@pytest.mark.parametrize("value", [{}, [], {"profile": None}, {"profile": []}, {"profile": "zone: UTC"}, None, 7])
def test_what_is_no_profile_at_all_is_refused(value: object) -> None:
    with pytest.raises(Refused):
        read(value)


def test_a_description_is_found_by_the_path_of_its_knob() -> None:
    assert description_of("hl7v2.words.Left. without seen") == "Its own status word, in any case → its class."
    assert description_of("hl7v2.times.gap").startswith("A local time")
