"""Of which format a file is, by what is in it; by its name only where that does not tell."""

import json
from pathlib import Path
from typing import Any

HL7 = "application/hl7-v2"
PLAIN = "application/json"
FHIR = "application/fhir+json"
LINES = "application/x-ndjson"
CALENDAR = "text/calendar"
SEPARATED = "text/csv"

_ENVELOPES = (b"MSH", b"FHS", b"BHS")
_AROUND = b"\xef\xbb\xbf\x0b \t\r\n"
_BY_NAME = {
    ".hl7": HL7,
    ".json": PLAIN,
    ".ndjson": LINES,
    ".jsonl": LINES,
    ".ics": CALENDAR,
    ".csv": SEPARATED,
    ".tsv": SEPARATED,
}


def media_type_of(path: Path, content: bytes) -> str | None:
    """Return the media type of a file; None: nothing tells."""
    begins = content.lstrip(_AROUND)
    if begins.startswith(_ENVELOPES):
        return HL7
    if begins[:15].upper() == b"BEGIN:VCALENDAR":
        return CALENDAR
    if begins[:1] in {b"{", b"["} and (found := _of_json(begins)) is not None:
        return found
    return _BY_NAME.get(path.suffix.lower())


def _of_json(content: bytes) -> str | None:
    whole = _read(content)
    if whole is not None:
        return FHIR if isinstance(whole, dict) and "resourceType" in whole else PLAIN
    first, *others = content.splitlines()
    return LINES if others and _read(first) is not None else None


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
