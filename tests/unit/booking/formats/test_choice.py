"""Which format a body is in: the type that comes with it says, over HTTP and on a topic alike."""

from collections.abc import Mapping
from typing import Any

import pytest

from booking.formats.choice import Formats
from booking.formats.port import Format, Hints, Parsed


class Named:
    """A format that holds nothing."""

    openapi: Mapping[str, Any] = {"schema": {}}

    def __init__(self, media_types: tuple[str, ...], topic_content_types: tuple[str, ...] = ()) -> None:
        self.media_types = media_types
        self.topic_content_types = topic_content_types

    def event_id(self, body: bytes) -> str | None:
        return None

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        return Parsed([])


JSON, HL7 = Named(("application/json",), ("application/json",)), Named(("x-application/hl7-v2+er7",), ("hl7/v2",))
FORMATS = Formats(JSON, HL7)


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", JSON),
        ("x-application/hl7-v2+er7", HL7),
        ("X-Application/HL7-v2+er7 ; charset=utf-8", HL7),
        ("application/x-www-form-urlencoded", JSON),
        ("hl7/v2", JSON),
        ("", JSON),
        (None, JSON),
    ],
)
def test_a_request_is_of_the_format_that_declares_its_media_type_else_of_the_first(
    content_type: str | None, found: Format
) -> None:
    assert FORMATS.of_request(content_type) is found


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ((("content-type", b"hl7/v2"),), HL7),
        ((("Content-Type", b"HL7/V2; charset=utf-8"),), HL7),
        ((("client", b"x"), ("content-type", b"hl7/v2"), ("content-type", b"application/json")), HL7),
        ((("content-type", b"x-application/hl7-v2+er7"),), JSON),
        ((("content-type", b"\xff\xfe"),), JSON),
        ((("content-type", None),), JSON),
        ((), JSON),
    ],
)
def test_a_record_is_of_the_format_that_declares_its_content_type_else_of_the_first(
    headers: tuple[tuple[str, bytes | None], ...], found: Format
) -> None:
    assert FORMATS.of_record(headers) is found


@pytest.mark.parametrize("other", [Named(("application/json",)), Named((), ("application/json",))])
def test_two_formats_of_one_type_are_refused_at_the_start(other: Format) -> None:
    with pytest.raises(ValueError, match="application/json"):
        Formats(JSON, other)
