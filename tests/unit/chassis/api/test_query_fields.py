"""What callers may ask with: instants, and lines of text."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.api.query_fields import By, Moment

WHO, WHEN = TypeAdapter[str](By), TypeAdapter[datetime](Moment)


@pytest.mark.parametrize(
    "name",
    ["", "   ", "a" * 81, "Ada\nAbara", "Ada\x00", "Ada\u202e", "\x1b[31mAda", "Ada\u2028A", "\x9b0m", "Ada\u2066",
     7, None, ["Ada"]],
)  # fmt: skip
def test_who_acts_has_a_name_that_can_be_read(name: object) -> None:
    with pytest.raises(ValidationError):
        WHO.validate_python(name)


@pytest.mark.parametrize("name", ["front desk", "Zo\u00eb d'Arc-M\u00fcller", "\u738b\u5c0f\u660e", "a" * 80])
def test_names_of_every_script_can_be_read(name: str) -> None:
    assert WHO.validate_python(f" {name} ") == name


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2027-03-01T09:00:00"])
def test_an_instant_that_no_zone_or_database_can_tell_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        WHEN.validate_python(text)


def test_an_instant_has_an_offset() -> None:
    assert WHEN.validate_python("2027-03-01T10:00:00+01:00") == datetime(2027, 3, 1, 9, tzinfo=UTC)
