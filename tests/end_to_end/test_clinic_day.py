"""A clinic's day is called off by one command: every visit, every reminder, every patient once (0049, 0050)."""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Any

from stack.demo.found import address_of
from stack.demo.installation import Installation
from tests.support.practice import SOURCE, Practice

VISITS, PATIENTS = 155, 150


async def attend(running: Installation, *words: str) -> str:
    """Run a command as a client does, elsewhere, and return what it says."""
    env = {**os.environ, "ATTEND_BOOKING_URL": running.urls["booking"], "ATTEND_CLIENT_KEY": running.key}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack", *words),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
    return " ".join(said.decode().split())


async def full_day(practice: Practice) -> str:
    """Register 150 patients, book 155 visits of one day three days ahead, and return the day."""
    mark, ask = practice.mark(), practice.client.ask
    people = [{"id": f"p-{mark}-{n}", "given_name": "Ada", "mobile": f"+121255{n:05d}"} for n in range(PATIENTS)]
    await ask("booking", "PUT", "/v1/patients", {"patients": people}, source=SOURCE)
    start = (practice.now + timedelta(days=3)).replace(hour=9, minute=0)
    events: list[dict[str, Any]] = [
        {
            "event_id": f"e-{mark}-{n}",
            "appointment": {
                "id": f"v-{mark}-{n}", "status": "booked", "patient": {"id": f"p-{mark}-{n % PATIENTS}"},
                "clinic": practice.clinic, "provider": {"id": practice.provider},
                "start": (start + timedelta(minutes=2 * n)).isoformat(),
            },
        }
        for n in range(VISITS)
    ]  # fmt: skip
    await ask("booking", "POST", "/v1/events", {"events": events}, source=SOURCE)
    return f"{start:%Y-%m-%d}"


async def test_a_day_of_155_visits_is_called_off_by_one_command_and_one_call(
    practice: Practice, running: Installation
) -> None:
    day = await full_day(practice)
    await practice.settle()
    listed = await attend(running, "day", practice.clinic, day)
    assert f"{VISITS} visits of {PATIENTS} patients: {VISITS} booked." in listed

    said = await attend(running, "cancel-day", practice.clinic, day, "--reason", "Dr Who is ill", "--yes")
    await practice.settle()
    await practice.pass_until(practice.now + timedelta(minutes=10))

    assert said.startswith(
        f"{VISITS} visits cancelled; {2 * VISITS} reminders taken back; {PATIENTS} patients and 1 provider"
    )
    assert " 1 call, " in said
    cancelled = [one for one in await practice.client.accepted() if "cancelled" in str(one.get("body"))]
    told = [address_of(one) for one in cancelled if address_of(one).startswith("+121255")]
    assert len(told) == len(set(told)) == PATIENTS  # one message each, also to those who had two visits
    assert f"{VISITS} cancelled." in await attend(running, "day", practice.clinic, day)
