"""The checked-in schemas and golden examples."""

from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas" / "json"
EXAMPLES = ROOT / "schemas" / "examples"


def schema(event_type: str) -> dict[str, Any]:
    """Return the checked-in JSON Schema of an event type."""
    held: dict[str, Any] = orjson.loads((SCHEMAS / f"{event_type}.json").read_bytes())
    return held


def example(event_type: str) -> bytes:
    """Return the golden example of an event type, its white space left out."""
    return orjson.dumps(orjson.loads((EXAMPLES / f"{event_type}.json").read_bytes()))
