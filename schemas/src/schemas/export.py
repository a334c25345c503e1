"""`python -m schemas.export [--check] FOLDER`: JSON Schema files of every event type.

Without `--check` the files are written anew, unless a change would break readers or events in use; with
it nothing is written and the exit code is 1 if a file is missing, out of date or broken by the models.
"""

import sys
from pathlib import Path
from typing import Any

import orjson

from schemas.catalogue import MODELS
from schemas.compatibility import breaks


def json_schema(event_type: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one event type's value."""
    schema = MODELS[event_type].model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": event_type, **schema}


def findings(folder: Path) -> dict[str, list[str]]:
    """Return, for each event type, how the models differ from the files of `folder`; nothing if they agree.

    A finding that starts with `breaks` needs a new major version; the others need the files written anew.
    """
    found = {}
    for event_type in MODELS:
        file = folder / f"{event_type}.json"
        if not file.exists():
            found[event_type] = ["not written yet"]
            continue
        held, now = orjson.loads(file.read_bytes()), json_schema(event_type)
        problems = [f"breaks {broken}" for broken in breaks(held, now)]
        if problems or held != now:
            found[event_type] = problems or ["grew: write it anew (make schemas)"]
    known = {f"{event_type}.json" for event_type in MODELS}
    gone = [file.stem for file in sorted(folder.glob("*.json")) if file.name not in known]
    return found | {event_type: ["breaks it: the type has no model any more"] for event_type in gone}


def write(folder: Path) -> None:
    """Write one file an event type into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for event_type in MODELS:
        text = orjson.dumps(json_schema(event_type), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / f"{event_type}.json").write_bytes(text)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    folder = Path(arguments[-1])
    found = findings(folder)
    broken = [problem for problems in found.values() for problem in problems if problem.startswith("breaks")]
    for event_type, problems in found.items():
        sys.stdout.writelines(f"{event_type}: {problem}\n" for problem in problems)
    if "--check" in arguments:
        return 1 if found else 0
    if broken:
        sys.stdout.write("Nothing written: give the changed event a new major version beside the old one.\n")
        return 1
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
