"""What patients get, word for word: a change of it is seen in a diff, not by a patient."""

import pytest

from tests.unit.notifier import golden

WANTED = dict(golden.rendered())


@pytest.mark.parametrize("name", sorted(WANTED))
def test_each_message_is_word_for_word_what_was_reviewed(name: str) -> None:
    path = golden.FOLDER / name

    assert path.is_file(), "new: python -m tests.unit.notifier.golden, then look at it"
    assert path.read_bytes() == WANTED[name], "changed: python -m tests.unit.notifier.golden, then look at the diff"


def test_there_is_no_golden_file_of_a_message_that_is_not_sent() -> None:
    assert {path.name for path in golden.FOLDER.iterdir()} == set(WANTED)
