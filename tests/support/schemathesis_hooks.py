"""How schemathesis writes bodies that are no JSON: texts as they are, whatever else it made up as JSON."""

from typing import Any

import orjson
import schemathesis

_TEXTS = (
    "application/hl7-v2",
    "application/hl7-v2+er7",
    "x-application/hl7-v2+er7",
    "text/csv",
    "application/csv",
    "text/tab-separated-values",
    "text/calendar",
)


@schemathesis.serializer(*_TEXTS)
def as_text(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Return the bytes of a text, or of JSON where the description is broken on purpose."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else orjson.dumps(value, default=str)
