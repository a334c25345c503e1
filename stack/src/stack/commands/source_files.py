"""Profiles of sources in files: YAML 1.2, each key with its line, so that a mistake is told where it stands.

The library of YAML takes a third of a second of each `attend` to import, so it is imported where it is used.
"""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from chassis.process.errors import AttendError

MOST_NODES = 20_000
"""Keys and values of one file, aliases followed: more is no profile."""


class BadFile(AttendError):
    """A file that cannot be read as YAML, or names no source."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__("BAD_FILE", f"{path}:{line}: {why}")


class SourceFile(NamedTuple):
    """A source's profile as a file has it.

    Attributes:
        profile: The keys, as JSON; they are judged by booking.
    """

    path: Path
    source: str
    profile: Mapping[str, Any]
    written: Any

    def line_of(self, place: str) -> int:
        """Return the line, from 1, of a place, keys joined by dots; of one that is not there, of what is above."""
        line, here, rest = 0, self.written, place
        while rest and (found := _step(here, rest)):
            line, here, rest = found
        return line + 1


def read(path: Path) -> SourceFile:
    """Return the profile in a file.

    Raises:
        BadFile: It is no YAML, names a key twice, or has no `source`.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        written: Any = YAML().load(path.read_bytes())
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile(path, line, f"no YAML 1.2: {str(error.problem or error.context).splitlines()[0]}") from None
    except (YAMLError, ValueError) as error:
        raise BadFile(path, 1, f"no YAML 1.2: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise BadFile(path, 1, "values lie too deep in each other") from None
    except OSError as error:
        raise BadFile(path, 1, f"cannot be read: {error.strerror}") from None
    if not isinstance(written, dict):
        raise BadFile(path, 1, "no keys are in it: a profile begins with `source: NAME`")
    try:
        value = _json(written, iter(range(MOST_NODES)))
    except (RecursionError, StopIteration):
        raise BadFile(path, 1, "larger than a profile can be: does an alias hold itself?") from None
    source = value.pop("source", None)
    if not isinstance(source, str) or not source:
        line = SourceFile(path, "", value, written).line_of("source")
        raise BadFile(path, line, "`source: NAME` is missing: whose profile it is, as a text")
    return SourceFile(path, source, value, written)


def as_yaml(source: str, profile: Mapping[str, Any]) -> str:
    """Return a profile as a file holds it."""
    from ruamel.yaml import YAML

    yaml, lines = YAML(), BytesIO()
    yaml.default_flow_style, yaml.width = None, 100
    yaml.dump({"source": source, **profile}, lines)
    return lines.getvalue().decode()


def _json(value: Any, left: Iterator[int]) -> Any:
    """Return what YAML read as JSON: keys are texts, and so is what JSON has not, as a date."""
    next(left)
    if isinstance(value, dict):
        return {str(key): _json(one, left) for key, one in value.items()}
    if isinstance(value, list):
        return [_json(one, left) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _step(here: Any, place: str) -> tuple[int, Any, str] | None:
    """Return the line (from 0) of the first key or number of a place, what is there, and the rest of the place."""
    keys: Sequence[Any] = ()
    if isinstance(here, dict):
        keys = [key for key in here if place == str(key) or place.startswith(f"{key}.")]
    elif isinstance(here, list):
        keys = [key for key in range(len(here)) if place == str(key) or place.startswith(f"{key}.")]
    if not keys:
        return None
    key = max(keys, key=lambda one: len(str(one)))
    marks: Any = here.lc
    line = marks.key(key)[0] if isinstance(here, dict) else marks.item(key)[0]
    return line, here[key], place[len(str(key)) + 1 :]
