"""How many SMS a text takes (3GPP TS 23.038 and 23.040)."""

import pytest

from notifier.wording.domain.sms_segments import GSM, GSM_EXTENSION, Segments, segments, without_typography


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 0)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("a" * 69 + "ő", Segments("UCS-2", 70, 1, "ő")),
        ("a" * 70 + "ő", Segments("UCS-2", 71, 2, "ő")),
        ("ő" * 134, Segments("UCS-2", 134, 2, "ő")),
        ("ő" * 135, Segments("UCS-2", 135, 3, "ő")),
        ("\U0001f600" * 35, Segments("UCS-2", 70, 1, "\U0001f600")),
        ("\U0001f600" * 36, Segments("UCS-2", 72, 2, "\U0001f600")),
    ],
)
def test_a_text_is_counted_in_the_alphabet_that_holds_all_of_it(text: str, expected: Segments) -> None:
    assert segments(text) == expected


def test_a_pair_is_never_split_over_two_messages() -> None:
    assert segments("a" * 152 + "€" + "a" * 151).count == 2
    assert segments("a" * 152 + "€" + "a" * 152).count == 3  # the euro sign begins the second
    assert segments("a" * 66 + "\U0001f600" + "a" * 66).count == 3


def test_the_alphabet_has_127_characters_besides_the_escape_and_ten_more_behind_it() -> None:
    assert len(GSM) == 127
    assert len(GSM_EXTENSION) == 10
    assert not GSM & GSM_EXTENSION


def test_typography_costs_no_second_message_and_letters_stay_as_they_are() -> None:
    text = without_typography("O\u2019Neill \u2013 \u201cNorth\u201d\u2026\u00a0Łódź")

    assert text == 'O\'Neill - "North"... Łódź'
