"""`python -m SERVICE openapi | python -m schemas.openapi [--check] FILE`: the file of a service's description.

Without `--check` the file is written anew, unless a change would break a client in use; with it nothing is written
and the exit code is 1 if the file is missing, out of date or broken by what is described.
"""

import sys
from pathlib import Path
from typing import Any

import orjson

from schemas.openapi_breaks import openapi_breaks


def findings(file: Path, described: dict[str, Any]) -> list[str]:
    """Return how a description differs from its file; nothing if they agree.

    A finding that starts with `breaks` needs a path beside the old one; the others need the file written anew.
    """
    if not file.exists():
        return ["not written yet"]
    held = orjson.loads(file.read_bytes())
    return [f"breaks {broken}" for broken in openapi_breaks(held, described)] or (
        [] if held == described else ["grew: write it anew (make schemas)"]
    )


def write(file: Path, described: dict[str, Any]) -> None:
    """Write the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(described, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    file, described = Path(arguments[-1]), orjson.loads(sys.stdin.buffer.read())
    found = findings(file, described)
    sys.stdout.writelines(f"{file.stem}: {problem}\n" for problem in found)
    if "--check" in arguments:
        return 1 if found else 0
    if any(problem.startswith("breaks") for problem in found):
        sys.stdout.write("Nothing written: give what changed a path or a field beside the old one.\n")
        return 1
    write(file, described)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
