"""A hundred thousand spoiled messages of HL7 v2, those of SAMPLES too if they are there: none breaks the reader."""

import os
from pathlib import Path
from random import Random

import pytest

from tests.support.hl7v2 import MESSAGES, asked_everything, mutated

SAMPLES = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples")) / "hl7v2"
HOW_MANY = 100_000
SEED = 20270312


@pytest.mark.fuzz
@pytest.mark.timeout(1200)
def test_a_hundred_thousand_spoiled_messages() -> None:
    bodies = [*MESSAGES, *(file.read_bytes() for file in sorted(SAMPLES.rglob("*.hl7")))]
    random = Random(SEED)
    taken = refused = 0
    for number in range(HOW_MANY):
        body = mutated(bodies[number % len(bodies)], random)
        try:
            read, not_read = asked_everything(body)
        except Exception as error:
            raise AssertionError(f"message {number} of seed {SEED}: {body!r}") from error
        taken, refused = taken + read, refused + not_read
    assert taken > HOW_MANY / 2, taken
    assert refused > HOW_MANY / 100, refused
