"""Every code by which an API refuses is in its list, and so in its description's enumeration (decision 0045)."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from booking.values.warned import _DETAILS, DETAIL_DROPPED, UNKNOWN_FIELD
from tests.support.described import APIS

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"[A-Z][A-Z0-9]+(_[A-Z0-9]+)*")
RAISE = {
    "Refused",
    "BadBody",
    "BadChoice",
    "Problem",
    "AttendError",
    "Unavailable",
    "RejectedEvent",
    "UndecodableEvent",
}
"""What carries a code, beside the `__init__` of an error and functions that are named after refusing."""

NEVER_ANSWERED = {
    # of `clients create`, and of `import`
    "booking": {"KEY_TOO_SHORT", "KEY_IN_USE", "CLIENT_EXISTS", "NOT_TEXT", "NOT_A_FILE"},
    "records": {"MAIN_FILE_TAKEN", "SUB_FILE_ORDINAL_OVERFLOW"},  # of events: dead letters
    "reminders": {"KAFKA_UNAVAILABLE", "BOOKING_UNAVAILABLE", "BOOKING_KEY_REFUSED", "BOOKING_UNREADABLE"},  # of jobs
    "notifier": {"NOT_CONFIGURED", "TIMEOUT", "NO_ANSWER", "KEY_REFUSED"},  # in a timeline's `missing`
}
"""Raised where nobody asks over HTTP."""


@cache
def constants(folder: Path) -> dict[str, str]:
    """Return the names of texts at the top of any module."""
    found: dict[str, str] = {}
    for file in folder.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                found |= {t.id: str(node.value.value) for t in node.targets if isinstance(t, ast.Name)}
    return found


def codes_of(folder: Path) -> Iterator[str]:
    """Yield the codes with which anything below a folder is refused."""
    known = constants(folder)
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in RAISE or name == "__init__" or "refus" in name.lower():
                for one in node.args:
                    text = one.value if isinstance(one, ast.Constant) else known.get(getattr(one, "id", ""), "")
                    if isinstance(text, str) and CODE.fullmatch(text) and (len(text) > 4 or "_" in text):
                        yield text


@pytest.mark.parametrize("service", APIS)
def test_every_code_that_a_service_raises_is_in_the_enumeration_of_its_description(service: str) -> None:
    enumerated = APIS[service]().openapi()["components"]["schemas"]["ProblemCode"]["enum"]

    raised = set(codes_of(ROOT / "services" / service / "src"))

    assert raised - NEVER_ANSWERED[service] - set(enumerated) == set()
    assert NEVER_ANSWERED[service] - raised == set()


def test_every_code_that_the_door_and_the_database_raise_is_in_every_enumeration() -> None:
    folders = (ROOT / "chassis/src/chassis" / each for each in ("api", "postgres"))
    of_jobs = {"MIGRATION_LOCKED_OUT", "RETENTION_REFUSED"}
    raised = {code for folder in folders for code in codes_of(folder)} - of_jobs

    for service, api in APIS.items():
        assert raised - set(api().openapi()["components"]["schemas"]["ProblemCode"]["enum"]) == set(), service


def warned() -> set[str]:
    """Return the codes of warnings: those with which `Warned` is made, and those of its words."""
    source = ROOT / "services/booking/src"
    known = constants(source)
    calls = (node for file in source.rglob("*.py") for node in ast.walk(ast.parse(file.read_text())))
    names = {
        getattr(call.args[0], "id", "")
        for call in calls
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Warned" and call.args
    }
    return {known[name] for name in names if name in known} | set(_DETAILS)


def test_every_code_of_a_warning_is_in_the_enumeration_and_none_that_nothing_says() -> None:
    view = APIS["booking"]().openapi()["components"]["schemas"]["WarningView"]

    assert set(view["properties"]["code"]["enum"]) == warned() | {DETAIL_DROPPED, UNKNOWN_FIELD}


@pytest.mark.parametrize("service", APIS)
def test_no_code_is_listed_that_nothing_raises(service: str) -> None:
    texts = (
        "".join(
            file.read_text()
            for folder in (ROOT / "services" / service / "src", ROOT / "chassis/src", ROOT / "schemas/src")
            for file in folder.rglob("*.py")
            if file.name != "codes.py"
        )
        + (ROOT / "chassis/src/chassis/api/codes.py").read_text()
    )
    enumerated = APIS[service]().openapi()["components"]["schemas"]["ProblemCode"]["enum"]

    assert [code for code in enumerated if f'"{code}"' not in texts] == []
