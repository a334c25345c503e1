"""Lines of JSON behind the port (NDJSON): each line an event of another format of JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from booking.formats.port import Asked, Format, Hints, Parsed, parsed_by
from booking.values.refusals import Refused

MEDIA_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/fhir+ndjson")
LARGEST_BATCH = 1_000

_OF_FHIR = b'"resourceType"'


class LinesOfJson:
    """`port.Format` of lines of JSON: each is an event, and is answered for itself.

    Args:
        plain: The format of lines that are no resource of FHIR.
        fhir: The format of those that are.
    """

    media_types = MEDIA_TYPES
    topic_content_types: Sequence[str] = ()
    openapi: Mapping[str, Any] = {"schema": {"type": "string"}}

    def __init__(self, plain: Format, fhir: Format) -> None:
        self._plain, self._fhir = plain, fhir

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`; a line of our own without an `event_id` is the event of its hash."""
        lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        if len(lines) > LARGEST_BATCH:
            raise Refused("BATCH_TOO_LARGE", f"at most {LARGEST_BATCH} lines")
        if not lines:
            raise Refused("EMPTY_BODY", "the body is empty")
        inside = replace(hints, key=None)
        return Parsed([self._of(number, line.strip(), inside) for number, line in enumerate(lines)], is_batch=True)

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`: a refused body is many events, and none."""
        return None

    def _of(self, number: int, line: bytes, hints: Hints) -> Asked:
        hints.done(number)
        is_fhir = _OF_FHIR in line
        try:
            if is_fhir:
                found = parsed_by(self._fhir.parse, line, hints)
            else:
                found = parsed_by(self._plain.parse, line, replace(hints, key=_key_of(line, hints)))
        except Refused as refusal:
            return refusal
        if not found.is_one:
            return Refused("WRONG_TYPE", "one event a line", "")
        return found.commands[0]


def _key_of(line: bytes, hints: Hints) -> str:
    return f"line:{sha256((hints.source or '').encode() + bytes(1) + line).hexdigest()}"
