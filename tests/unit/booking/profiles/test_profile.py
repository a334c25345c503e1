"""A profile: every knob has a default, and a value that nothing could be read by is refused with its place."""

from typing import Any

import pytest
from pydantic import ValidationError

from booking.profiles.domain import DEFAULT, Meaning, Profile, Word
from schemas.appointments import IngestMode

TAKEN: tuple[dict[str, Any], ...] = (
    {},
    {"zone": "GMT Standard Time", "country": "GB", "language": "en-GB", "clinic": "EYE", "mode": "backfill"},
    {"hl7v2": {"events": {"S13": "cancelled"}, "words": {"Sch": "booked"}, "extra": {"mobile": "Z01-1"}}},
    {"hl7v2": {"times": {"start": ["SCH-11.4"], "default_minutes": 20}, "ack": {"refused_as": "AA"}}},
    {"hl7v2": {"patient": {"authorities": ["NHS"], "types": ["NH", ""]}, "charset": "iso-8859-1"}},
    {
        "csv": {
            "delimiter": "\t",
            "columns": {"start_date": "AppointmentDate", "mobile": 1},
            "date_format": ["%d/%m/%Y"],
        }
    },
    {"csv": {"encoding": "utf-16", "id": ["Mobile", 8], "words": {"kept": "complete"}}},
)

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown key": ({"zon": "Europe/London"}, "zon", "extra_forbidden"),
    "an unknown key below": ({"hl7v2": {"time": {}}}, "hl7v2.time", "extra_forbidden"),
    "no zone": ({"zone": "Europe/Londn"}, "zone", "value_error"),
    "no country": ({"country": "UK"}, "country", "value_error"),
    "no language": ({"language": "english"}, "language", "string_pattern_mismatch"),
    "no clinic's code": ({"hl7v2": {"clinics": {"Eye": "eye"}}}, "hl7v2.clinics.Eye", "value_error"),
    "no path": ({"hl7v2": {"times": {"start": ["SCH.11"]}}}, "hl7v2.times.start.0", "string_pattern_mismatch"),
    "a field 0": ({"hl7v2": {"place": ["PV1-0"]}}, "hl7v2.place.0", "string_pattern_mismatch"),
    "a text for a list": ({"hl7v2": {"place": "PV1-3"}}, "hl7v2.place", "tuple_type"),
    "no trigger": ({"hl7v2": {"events": {"13": "moved"}}}, "hl7v2.events.13.[key]", "string_pattern_mismatch"),
    "no class of words": ({"hl7v2": {"words": {"Sch": "scheduled"}}}, "hl7v2.words.Sch", "enum"),
    "no field of ours": ({"hl7v2": {"extra": {"phone": "Z01-1"}}}, "hl7v2.extra.phone.[key]", "enum"),
    "no encoding": ({"hl7v2": {"charset": "8859/1-x"}}, "hl7v2.charset", "value_error"),
    "no encoding of text": ({"hl7v2": {"charset": "hex"}}, "hl7v2.charset", "value_error"),
    "no length": ({"hl7v2": {"times": {"default_minutes": 0}}}, "hl7v2.times.default_minutes", "greater_than_equal"),
    "no format of dates": ({"csv": {"date_format": ["dd.mm.yyyy"]}}, "csv.date_format.0", "value_error"),
    "half a format": ({"csv": {"date_format": ["%d.%m.%"]}}, "csv.date_format.0", "value_error"),
}


def test_nothing_said_is_a_profile() -> None:
    assert Profile.model_validate({}) == DEFAULT
    assert DEFAULT.mode is IngestMode.LIVE
    assert DEFAULT.hl7v2.no_show_by_clock


@pytest.mark.parametrize("written", TAKEN)
def test_what_is_said_is_kept_and_read_again(written: dict[str, Any]) -> None:
    profile = Profile.model_validate(written)

    assert Profile.model_validate(profile.model_dump(mode="json", exclude_unset=True)) == profile
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_words_and_triggers_have_the_classes_that_the_mapping_knows() -> None:
    profile = Profile.model_validate(TAKEN[2]).hl7v2

    assert profile.events == {"S13": Meaning.CANCELLED}
    assert profile.words == {"Sch": Word.BOOKED}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_could_be_read_by_is_refused_with_its_place(name: str) -> None:
    written, place, kind = REFUSED[name]
    with pytest.raises(ValidationError) as refused:
        Profile.model_validate(written)

    found = [(".".join(map(str, one["loc"])), one["type"]) for one in refused.value.errors()]

    assert (place, kind) in found


def test_every_knob_says_what_it_is_for() -> None:
    schema = Profile.model_json_schema()
    models = [schema, *(one for one in schema["$defs"].values() if "properties" in one)]

    assert len(models) > 5
    for model in models:
        assert "required" not in model
        for name, knob in model["properties"].items():
            assert knob.get("description", "").endswith("."), name
