"""`python -m schemas.export [--check] FOLDER`: JSON Schema files of every event type.

Without `--check` the files are written anew, unless a change would break readers or events in use; with
it nothing is written and the exit code is 1 if a file is missing, out of date or broken by the models.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from schemas.catalogue import MODELS
from schemas.compatibility import breaks

type Models = Mapping[str, type[BaseModel]]
"""Name of a contract, which is its file's → its model."""


def json_schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one contract's value."""
    schema = model.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, **schema}


def written(value: object) -> bytes:
    """Return a JSON file's text."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def findings(folder: Path, models: Models = MODELS) -> dict[str, list[str]]:
    """Return, for each contract, how the models differ from the files of `folder`; nothing if they agree.

    A finding that starts with `breaks` needs a new major version; the others need the files written anew.
    """
    found = {}
    for name, model in models.items():
        file = folder / f"{name}.json"
        if not file.exists():
            found[name] = ["not written yet"]
            continue
        held, now = orjson.loads(file.read_bytes()), json_schema(name, model)
        problems = [f"breaks {broken}" for broken in breaks(held, now)]
        if problems or held != now:
            found[name] = problems or ["grew: write it anew (make schemas)"]
    known = {f"{name}.json" for name in models}
    gone = [file.stem for file in sorted(folder.glob("*.json")) if file.name not in known]
    return found | {name: ["breaks it: the type has no model any more"] for name in gone}


def write(folder: Path, models: Models = MODELS) -> None:
    """Write one file a contract into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in models.items():
        (folder / f"{name}.json").write_bytes(written(json_schema(name, model)))


def main(arguments: list[str], models: Models = MODELS) -> int:
    """Run the command; return its exit code."""
    folder = Path(arguments[-1])
    found = findings(folder, models)
    broken = [problem for problems in found.values() for problem in problems if problem.startswith("breaks")]
    for name, problems in found.items():
        sys.stdout.writelines(f"{name}: {problem}\n" for problem in problems)
    if "--check" in arguments:
        return 1 if found else 0
    if broken:
        sys.stdout.write("Nothing written: give the changed event a new major version beside the old one.\n")
        return 1
    write(folder, models)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
