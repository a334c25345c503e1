"""`attend why`, run as people do."""

import asyncio
import os
import sys

from stack.demo.installation import Installation


async def attend_why(running: Installation, appointment: str) -> tuple[int, list[str]]:
    """Run the command; return its exit code and lines."""
    environment = {
        **os.environ,
        "ATTEND_NOTIFIER_URL": running.urls["notifier"],
        "ATTEND_BOOKING_URL": running.urls["booking"],
        "ATTEND_OPERATOR_KEY": running.operator_key,
        "COLUMNS": "160",
    }
    command = (sys.executable, "-m", "stack", "why", appointment)
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode().splitlines()
