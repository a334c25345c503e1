"""What a trigger event and a status word make of a visit: every cell of the table, for what the visit was before."""

from itertools import product

import pytest

from booking.formats.hl7v2.words import COLUMNS, ROWS, TABLE, TRIGGERS, outcome
from booking.formats.status_words import KNOWN_WORDS, folded, word_of
from booking.profiles.domain import Meaning, Word
from booking.values.unset import UNSET
from schemas.appointments import Status

LETTERS = {
    "P": Status.PENDING, "W": Status.WAITLIST, "B": Status.BOOKED, "A": Status.ARRIVED, "I": Status.CHECKED_IN,
    "F": Status.FULFILLED, "C": Status.CANCELLED, "E": Status.ENTERED_IN_ERROR, "N": Status.NOSHOW,
}  # fmt: skip
BEFORE = (None, Status.PENDING, Status.BOOKED, Status.ARRIVED, Status.CANCELLED)

# a cell is the status of a visit that was not known, pending, booked, arrived and cancelled before the message; then c
# for confirmed, ! for counted, H for held; / parts what is so before the visit's time from what is so after it
# none, pending, waitlist, booked, confirmed, arrived, started, complete, cancelled, deleted, no-show, blocked
EXPECTED = """
S12 BBBAB PPPPP  WWWWW  BBBAB  BBBABc AAAAA   IIIII   FFFFF   CCCCC!H EEEEE!  NNNNN!       BBBAB!
S13 BBBBB PPPPP  WWWWW  BBBBB  BBBBB  AAAAA   IIIII   FFFFF!  BBBBB!H EEEEE!H BBBBB!H      BBBBB!
S14 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S15 CCCCC CCCCC! CCCCC! CCCCC! CCCCC! CCCCC!  CCCCC!  CCCCC!H CCCCC   CCCCC   CCCCC!/NNNNN CCCCC!
S16 CCCAC CCCAC  CCCAC  CCCAC! CCCAC! BPBAC!  CCCAC   FFFFF   CCCCC   CCCAC   CCCAC!       CCCAC!
S17 EEEEE EEEEE  EEEEE  EEEEE! EEEEE! EEEEE!H EEEEE!H EEEEE!H EEEEE   EEEEE   EEEEE!       EEEEE
S18 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S19 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S20 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S21 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S22 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
S23 -     -      -      -      -      -       -       -       -       -       -            -
S24 -     -      -      -      -      -       -       -       -       -       -            -
S26 NNNNN NNNNN! NNNNN! NNNNN  NNNNN  NNNNN!  NNNNN!H NNNNN!H NNNNC!  NNNNN!  NNNNN        NNNNN!
S27 BPBAC PPPPP  WWWWW  BBBAC  BBBABc AAAAA   IIIII   FFFFF   CCCCC   EEEEE   NNNNN        BPBAC!
"""
CELLS = {
    (trigger, word): cell
    for trigger, *cells in map(str.split, EXPECTED.strip().splitlines())
    for word, cell in zip((None, *Word), cells, strict=True)
}


def made(trigger: str, word: Word | None, *, started: bool) -> str:
    found = outcome(TRIGGERS[trigger], word, started=started)
    if found is None:
        return "-"
    after = [before if before in found.keeps else found.status for before in BEFORE]
    letters = {status: letter for letter, status in LETTERS.items()}
    marks = ("c", found.confirmed is True), ("!", found.disagrees), ("H", found.holds)
    assert found.confirmed in {True, UNSET}
    return "".join([letters[one] for one in after if one is not None]) + "".join(mark for mark, is_so in marks if is_so)


@pytest.mark.parametrize(("trigger", "word"), CELLS)
def test_every_trigger_and_word_make_of_every_visit_what_the_table_says(trigger: str, word: Word | None) -> None:
    before, _, after = CELLS[trigger, word].partition("/")
    assert made(trigger, word, started=False) == before
    assert made(trigger, word, started=True) == (after or before)


def test_the_table_has_every_pair_and_every_trigger_a_row() -> None:
    assert set(TABLE) == set(product(set(Meaning) - {Meaning.IGNORED}, COLUMNS))
    assert set(ROWS) == set(Meaning) - {Meaning.IGNORED}
    assert {trigger for trigger, _ in CELLS} == set(TRIGGERS)


WRITTEN = [
    (["Booked"], {}, (Word.BOOKED, False)),
    (["", "", "Scheduled"], {}, (Word.BOOKED, False)),  # `^^Scheduled`
    (["1", "SCH"], {}, (Word.BOOKED, False)),  # Epic's
    (["NO SHOW"], {}, (Word.NO_SHOW, False)),
    (["no-show"], {}, (Word.NO_SHOW, False)),
    (["Did_Not.Attend"], {}, (Word.NO_SHOW, False)),
    (["Dc"], {}, (Word.CANCELLED, False)),
    (["CHECKED IN"], {}, (Word.STARTED, False)),
    (["N/S"], {}, (Word.NO_SHOW, False)),
    (["Cancelled by Patient"], {}, (Word.CANCELLED, False)),
    (["CANCELADO"], {}, (Word.CANCELLED, False)),
    (["Cancellation - late"], {}, (Word.CANCELLED, False)),
    (["Cancel requested"], {}, (None, True)),
    (["Cancelled in error"], {}, (None, True)),
    (["Not cancelled"], {}, (None, True)),
    (["No Show - charged"], {}, (Word.NO_SHOW, False)),
    (["storniert"], {}, (Word.CANCELLED, False)),
    (["Cancelled by Patient"], {"Cancelled by patient": Word.PENDING}, (Word.PENDING, False)),
    (["Cancelled by Patient", "Booked"], {}, (Word.CANCELLED, False)),
    (["4"], {}, (None, True)),
    (["4"], {"4": Word.COMPLETE}, (Word.COMPLETE, False)),
    (["x", "Scheduled"], {"X": Word.CANCELLED}, (Word.CANCELLED, False)),  # its own words come first
    (["Booked"], {"booked": Word.PENDING}, (Word.PENDING, False)),
    (["", ""], {}, (None, False)),
    (['""'], {}, (None, False)),
    ([], {}, (None, False)),
]


@pytest.mark.parametrize(("written", "own", "expected"), WRITTEN)
def test_a_status_word_is_read_in_any_case_and_the_sources_own_first(
    written: list[str], own: dict[str, Word], expected: tuple[Word | None, bool]
) -> None:
    assert word_of(written, own) == expected


def test_no_word_is_of_two_classes_and_each_is_written_folded() -> None:
    assert all(folded(word) == word for word in KNOWN_WORDS)
    assert set(KNOWN_WORDS.values()) == set(Word)
