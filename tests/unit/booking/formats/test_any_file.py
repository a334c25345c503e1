"""Files that are spoiled anywhere are read or refused, never more: a few of those of tests/fuzz."""

from random import Random

import pytest

from tests.fuzz.test_files import FORMATS, PIECES, cut, fates
from tests.support.hl7v2 import mutated


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", FORMATS)
def test_a_spoiled_file_is_read_or_refused(name: str, seed: int) -> None:
    read_by, body = FORMATS[name]
    random = Random(seed)
    for _ in range(10):
        spoiled = mutated(body, random, PIECES)
        assert set(fates(read_by, spoiled)) <= {"taken", "refused"}
        cut(spoiled)
