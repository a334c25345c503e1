"""One line, however its number is written."""

import pytest

from notifier.values.addresses import Peppers
from notifier.values.lines import other_form

PEPPERS = Peppers((b"new", b"old"))

ONE_LINE = [
    ("+5511987654321", "+551187654321"),
    ("+5521912345678", None),
    ("+525512345678", "+5215512345678"),
    ("+528112345678", "+5218112345678"),
    ("+5491155554444", "+541155554444"),
    ("+5493514567890", "+543514567890"),
    ("+2290190011234", "+22990011234"),
    ("+551132345678", None),
    ("+442071838750", None),
    ("+491701234567", None),
    ("+15125550123", None),
    ("ada@example.org", None),
]


@pytest.mark.parametrize(("number", "other"), ONE_LINE)
def test_a_line_has_one_other_form_or_none(number: str, other: str | None) -> None:
    assert other_form(number) == other
    if other:
        assert other_form(other) == number


@pytest.mark.parametrize(("number", "other"), [pair for pair in ONE_LINE if pair[1]])
def test_d56_what_is_kept_under_one_form_is_found_under_the_other(number: str, other: str) -> None:
    written, asked = PEPPERS.of(number), PEPPERS.of(other)

    assert set(written.keys) == set(asked.keys)
    assert written.key != asked.key
    assert written.key in asked.keys
    assert len(written.keys) == 2 * len(PEPPERS.secrets)
