"""The commands of `attend` by which the demo's sources are made known, and one's history is brought in."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

from chassis.process.errors import AttendError
from stack.demo import history
from stack.demo.changes import Change
from stack.demo.client import AS_OPERATOR, Client, gather_by_key
from stack.demo.found import Names
from stack.demo.people import BY_MLLP, HARBOR_HIS, LOCAL, MLLP_CLIENT
from stack.layout import python

PROFILES = Path(__file__).parents[4] / "examples" / "demo"

_OTHERS = ("ATTEND_", "BOOKING_", "DATABASE_", "KAFKA_")
"""How variables begin that may name another installation."""


class Commands:
    """Runs `attend` against the demo's own installation.

    Args:
        folder: The installation's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def make_sources_known(self) -> list[str]:
        """Create the client of MLLP, and apply the profiles; return what the commands said, a line each."""
        rights = ["--source", HARBOR_HIS, "--may-register"] + [word for code in BY_MLLP for word in ("--clinic", code)]
        await self._attend("clients", "create", MLLP_CLIENT, *rights)  # its key is nobody's: MLLP has none
        files = [str(PROFILES / f"{source}.yaml") for source in (HARBOR_HIS, LOCAL)]
        said = await self._attend("sources", "apply", *files, "--reason", "the demo's clinics")
        return [line for line in said.splitlines() if line and not line.startswith(" ")]

    async def bring_in(self, changes: Sequence[Change], client: Client, names: Names) -> tuple[str, list[str]]:
        """Import a history and learn its visits' ids; return what the command said, and what was not as expected."""
        file = self._folder / "history.csv"
        file.write_text(history.as_csv(changes), "utf-8")
        told = json.loads(await self._attend("import", str(file), "--source", LOCAL, "--mode", "backfill", "--json"))
        wrong = [] if told["results"] == {"applied": len(changes)} else [f"{len(changes)} rows of history: {told}"]

        async def visit(name: str) -> str:
            found = await client.ask(AS_OPERATOR, "GET", "/v1/appointments", source=LOCAL, id=name)
            return str(found["appointment_id"])

        names.appointments |= await gather_by_key([one.appointment for one in changes], visit)
        return f"{file.name}: {len(changes)} visits of years past taken as history", wrong

    async def _attend(self, *words: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
        process = await asyncio.create_subprocess_exec(
            *python("-m", "stack", *words), env={**env, "ATTEND_HOME": str(self._folder)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, wrong = await process.communicate()
        if process.returncode:
            raise AttendError("DEMO_COMMAND", f"attend {' '.join(words)}: {(wrong or said).decode().strip()[-800:]}")
        return said.decode()
