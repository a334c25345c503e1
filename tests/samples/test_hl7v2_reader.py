"""Other people's messages of HL7 v2 say to the reader here what they say to another one, field by field (0058)."""

import os
from pathlib import Path

import hl7
import pytest

from booking.formats.hl7v2.batches import split
from booking.formats.hl7v2.escapes import plain
from booking.formats.hl7v2.segments import Segment, read

FOLDER = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples")) / "hl7v2"
NAMES = [str(file.relative_to(FOLDER)) for file in sorted(FOLDER.rglob("*.hl7"))]


def messages(name: str) -> list[bytes]:
    return list(split((FOLDER / name).read_bytes()))


def theirs(field: object, segment: Segment) -> list[list[list[str]]]:
    """Return the other reader's repetitions, components and sub-components of a field, unescaped and stripped."""

    def below(one: object) -> list[object]:
        return list(one) if isinstance(one, list) else [one]

    return [
        [[plain(str(sub), segment.encoding).strip() for sub in below(component)] for component in below(repetition)]
        for repetition in below(field)
    ]


def ours(number: int, segment: Segment, shape: list[list[list[str]]]) -> list[list[list[str]]]:
    """Return what the reader here says of every place that the other one sees."""
    return [
        [
            [segment.text(number, at + 1, sub + 1, repetition) for sub in range(len(component))]
            for at, component in enumerate(components)
        ]
        for repetition, components in enumerate(shape)
    ]


def test_there_are_samples() -> None:
    assert len(NAMES) >= 25, f"{FOLDER} is missing: SAMPLES must name the folder of the samples"


@pytest.mark.parametrize("name", NAMES)
def test_every_field_says_to_this_reader_what_it_says_to_another(name: str) -> None:
    compared = 0
    for body in messages(name):
        message = read(body)
        other = hl7.parse(body.decode().replace("\r\n", "\r").replace("\n", "\r").replace("\r\r", "\r"))
        assert [segment.name for segment in message.segments] == [str(segment[0]) for segment in other]
        for segment, as_other in zip(message.segments, other, strict=True):
            first = 3 if segment.name == "MSH" else 1
            for number in range(first, len(as_other)):
                shape = theirs(as_other[number], segment)
                without_null = [[["" if sub == '""' else sub for sub in one] for one in rep] for rep in shape]
                assert ours(number, segment, shape) == without_null, f"{segment.name}-{number}"
                assert segment.repetitions(number) == (len(shape) if str(as_other[number]).strip() else 0)
                compared += 1
            assert segment.text(len(as_other)) == ""
    assert compared > 15


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_a_kind_an_event_and_an_id_and_no_warning(name: str) -> None:
    for body in messages(name):
        message = read(body)

        assert message.kind in {"SIU", "ADT"}
        assert message.trigger[:1] in {"S", "A"}
        assert message.control_id
        assert message.warnings == ()
