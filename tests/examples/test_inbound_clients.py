"""`make examples`: what `examples/node` and `examples/java` do, and print, on an installation that really runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from stack import jars, services
from stack.java import find_java
from stack.supervisor import System

EXAMPLES = Path(__file__).parents[2] / "examples"
OLDEST_NODE = 20
AT_MOST_S = 120

TOLD = [
    ("booked", "applied, version 1"),
    ("moved", "applied, version 2"),
    ("cancelled", "applied, version 3"),
    ("sent again", "repeat, version 3"),
    ("wrong key", "refused, KEY_MISMATCH: the record's key is no name of its appointment"),
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the settings of the examples: booking alone runs, with its listener and a clinic."""
    booking = services.named(["booking", "booking-mllp"])
    with System(tmp_path_factory.mktemp("examples"), ports="free", sinks=False, run=booking) as system:
        named = [{"system": "AIL-3.4", "value": "EYE"}]
        clinic = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB", "identifiers": named}
        key = {"authorization": f"Bearer {system.key}"}
        put = httpx2.put(f"{system.urls['booking']}/v1/clinics/EYE", json=clinic, headers=key)
        assert put.status_code == 200, put.text
        own = {"ATTEND_BOOKING_URL": system.urls["booking"], "ATTEND_KEY": system.key}
        own["MLLP_PORT"] = system.urls["booking-mllp"].rpartition(":")[2]
        yield {**os.environ, **own, "KAFKA_BOOTSTRAP_SERVERS": system.bootstrap}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the Node examples with the packages of its lock."""
    version = ran("node", "--version") if shutil.which("node") and shutil.which("npm") else ""
    major = re.match(r"v(\d+)", version)
    assert int(major[1] if major else 0) >= OLDEST_NODE, (
        f"The examples need Node.js {OLDEST_NODE} or newer with npm in PATH, found: {version.strip() or 'none'}. "
        "Install it (Debian: apt-get install nodejs npm) and run this again."
    )
    folder = tmp_path_factory.mktemp("node")
    shutil.copytree(EXAMPLES / "node", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    ran("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", folder=folder)
    return folder


def ran(*command: str | Path, folder: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program to its end, and return what it printed."""
    done = subprocess.run(  # noqa: S603  # our own examples
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=AT_MOST_S, check=False
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def judge(printed: str) -> None:
    sys.stdout.write(f"\n{printed}")
    lines = [re.fullmatch(r"(\w[\w ]*?) +bookings-inbound/\d+/\d+  (.*)", line) for line in printed.splitlines()]
    assert [line.groups() for line in lines if line] == TOLD, printed
    assert all(lines), printed


def test_node_books_moves_cancels_and_asks(node: Path, installation: dict[str, str]) -> None:
    judge(ran("node", "book.mjs", folder=node, env=installation))


def test_java_books_moves_cancels_and_asks(installation: dict[str, str]) -> None:
    path = os.pathsep.join(map(str, jars.class_path()))
    judge(ran(find_java().executable, "-cp", path, EXAMPLES / "java" / "Book.java", env=installation))


def test_node_books_moves_and_cancels_by_hl7_over_mllp(node: Path, installation: dict[str, str]) -> None:
    printed = ran("node", "mllp.mjs", folder=node, env=installation)
    sys.stdout.write(f"\n{printed}")
    assert printed.splitlines()[:4] == [f"{name:<11} AA" for name in ("booked", "moved", "cancelled", "sent again")]
    assert re.fullmatch(r"no SCH      AR  NO_SCH: .+", printed.splitlines()[4])


def test_the_description_of_the_topics_is_valid_asyncapi(node: Path) -> None:
    printed = ran("node", "asyncapi.mjs", EXAMPLES.parent / "schemas" / "asyncapi.json", folder=node)
    sys.stdout.write(f"\n{printed}")
    assert re.fullmatch(r"AsyncAPI 3\.0\.0: \d+ topics, \d+ messages, no faults\n", printed)


@pytest.mark.parametrize("fault", ["channels", "info"])
def test_a_document_that_is_not_valid_is_told_of(node: Path, tmp_path: Path, fault: str) -> None:
    document = json.loads((EXAMPLES.parent / "schemas" / "asyncapi.json").read_text())
    document[fault] = {"appointments": {"bindings": {"kafka": {"partitions": "many"}}}} if fault == "channels" else {}
    (tmp_path / "broken.json").write_text(json.dumps(document))
    with pytest.raises(AssertionError, match="ended with 1"):
        ran("node", "asyncapi.mjs", tmp_path / "broken.json", folder=node)


def test_the_lock_names_no_registry() -> None:
    lock = (EXAMPLES / "node" / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in "".join(line for line in lock.splitlines() if '"url"' not in line)
