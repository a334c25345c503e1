"""Asks a running API what schemathesis makes of its description, and judges each answer by that."""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from fastapi import FastAPI

from chassis.api.server import serve
from stack.ports import free_port
from tests.support.waiting import until

PHASES = ("examples", "coverage", "fuzzing")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
CONFIG = f"""
hooks = "{HOOKS}"

[checks] # not `allow_header_conformance`: `Allow` names what the path takes, and it looks at one template that fits it
enabled = false
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_headers_conformance.enabled = true
unsupported_method.enabled = true

[checks.response_schema_conformance]
enabled = true
validate-formats = false # a time of day at the clinic has no offset

[[operations]] # asked with GET, such a word is read as an appointment's id and refused as none
include-path-regex = "^/v1/appointments/(cancel|move|seen|check-in)$"
[operations.checks.unsupported_method]
enabled = false
"""
ANSWER_WITHIN_S = 40
"""Seconds; `GET /v1/outcomes` waits for up to 30 if it is told to."""
_COUNT = re.compile(r"(\d+) (?:generated|test cases)")


@dataclass(frozen=True)
class Judged:
    """What came of a run. `said` is what schemathesis printed, with the requests that show what is wrong."""

    cases: int
    is_well: bool
    said: str


async def judged(api: FastAPI, folder: Path, key: str | None, most: int, only: Sequence[str] = ()) -> Judged:
    """Serve the API as its process does and ask it.

    Args:
        folder: Where the description and the configuration are written.
        most: Cases that are made up for one operation, beside those of the phases before.
        only: Further options that pick operations.
    """
    port, stop = free_port(), asyncio.Event()
    described, config = folder / "openapi.json", folder / "schemathesis.toml"
    described.write_bytes(orjson.dumps(api.openapi()))
    config.write_text(CONFIG)
    serving = asyncio.create_task(serve(api, "127.0.0.1", port, stop))
    try:
        await until(lambda: _listens(port))
        return await _asked(described, config, port, key, most, only)
    finally:
        stop.set()
        await serving


async def _asked(described: Path, config: Path, port: int, key: str | None, most: int, only: Sequence[str]) -> Judged:
    program = Path(sys.executable).with_name("schemathesis")
    header = () if key is None else ("--header", f"Authorization: Bearer {key}")
    process = await asyncio.create_subprocess_exec(
        program, "--config-file", config, "run", described, "--url", f"http://127.0.0.1:{port}", *header,
        "--phases", ",".join(PHASES), "--max-examples", str(most), "--no-shrink",
        "--continue-on-failure", "--generation-deterministic", "--suppress-health-check", "all", "--workers", "2",
        "--request-timeout", str(ANSWER_WITHIN_S), "--warnings", "off", "--no-color", *only,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=config.parent,
    )  # fmt: skip
    out, _ = await process.communicate()
    said = out.decode()
    counts = [int(found) for found in _COUNT.findall(said)]
    return Judged(max(counts, default=0), process.returncode == 0, said)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
