"""`attend policy` on a real door over HTTP (B4)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from booking.appointments.counts import AnswerCounts
from booking.wiring import door as door_of
from chassis.api.app import serve
from chassis.process.errors import AttendError
from chassis.process.metrics import Metrics
from stack.__main__ import app
from stack.ports import free_port
from tests.integration.booking.policies.policy import reissuer, transactions_on, visits
from tests.support.booking.door import OPERATOR_KEY, Door, settings_on
from tests.support.examples import ROOT
from tests.support.installation import Installation
from tests.support.waiting import until

EXAMPLES = ROOT / "examples" / "policies"


@dataclass
class Attend:
    """The command, as somebody at another machine has it: with address and key in the environment."""

    url: str
    key: str = OPERATOR_KEY

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Run it to its end; return exit code, stdout, and stderr with the message of an error."""
        environment = {"ATTEND_BOOKING_URL": self.url, "ATTEND_OPERATOR_KEY": self.key, "COLUMNS": "120"}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["policy", *words], env=environment)
        told = str(done.exception) if isinstance(done.exception, AttendError) else ""
        return done.exit_code, done.stdout, done.stderr + told

    async def json(self, *words: str) -> Any:
        """Run it with `--json`, which must succeed, and return what it prints."""
        code, out, err = await self.run(*words, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
async def attend(door: Door, base: Installation) -> AsyncIterator[Attend]:
    """Give the command with a door and a job that run in this test's loop."""
    settings, port = settings_on(base), free_port()
    job = reissuer(door)
    api = door_of(settings, transactions_on(door), AnswerCounts(Metrics("booking")), policy_changed=job.wake)
    stop = asyncio.Event()
    with capture_logs():  # this process's stdout is the command's
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(api, "127.0.0.1", port, stop))
            tasks.create_task(job.run(stop))
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                await until(lambda: answers(http))
            yield Attend(f"http://127.0.0.1:{port}")
            stop.set()


async def answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/v1/clinics")).status_code == 401
    except httpx2.TransportError:
        return False


async def test_what_plan_says_is_what_set_reports_and_show_lists(door: Door, attend: Attend) -> None:
    await visits(door, *(30 + 20 * n for n in range(12)))
    file = str(EXAMPLES / "week-and-day.json")
    planned = await attend.json("plan", "EYE", "--file", file)
    done = await attend.json("set", "EYE", "--file", file)
    assert planned["ahead"]["appointments"] == 12
    assert planned["ahead"] == {name: done["change"]["reissue"][name] for name in planned["ahead"]}
    shown = await attend.json("show", "EYE")
    assert (shown["policy_id"], shown["changes"][0]["reissue"]["state"]) == ("EYE/1", "done")
    assert (await attend.json("set", "EYE", "--file", file))["changed"] is False


async def test_unset_gives_a_service_type_the_clinics_rules_again(door: Door, attend: Attend) -> None:
    await visits(door, 500, 600, service_type="Surgery")
    await attend.json("set", "EYE", "-s", "Surgery", "-f", str(EXAMPLES / "surgery.json"))
    planned = await attend.json("unset", "EYE", "-s", "Surgery", "--plan")

    code, out, err = await attend.run("unset", "EYE", "-s", "Surgery")

    assert (code, planned["ahead"]["appointments"]) == (0, 2), err
    assert "EYE, Surgery: 24 h, 2 h" in out
    assert "2 visits ahead looked at: reissued" in out
    assert (await attend.json("unset", "EYE", "-s", "Surgery"))["changed"] is False
    shown = await attend.json("show", "EYE", "-s", "Surgery")
    assert (shown["own"], shown["changes"][0]["unset"]) == (False, True)


async def test_tables_say_it_to_people(door: Door, attend: Attend) -> None:
    await visits(door, 500, 600, service_type="Surgery")
    code, out, _ = await attend.run("plan", "EYE", "-f", str(EXAMPLES / "surgery.json"))
    assert code == 0
    for words in ("EYE, Surgery: 24 h, 2 h → 14 days, 3 days, 24 h", "2 visits ahead", "Nothing was changed"):
        assert words in out


async def test_what_goes_wrong_is_said_with_its_code_and_exit_code(attend: Attend, tmp_path: Path) -> None:
    odd, broken = tmp_path / "odd.json", tmp_path / "broken.json"
    odd.write_text('{"rules": [{"lead_hours": 0}]}', "utf-8")
    broken.write_text('{"rules": [', "utf-8")
    good = str(EXAMPLES / "week-and-day.json")
    asked = [
        (attend, ("plan", "EYE", "-f", str(odd)), 1, "NUMBER_OUT_OF_RANGE"),
        (attend, ("set", "NONE", "-f", good), 1, "UNKNOWN_CLINIC"),
        (attend, ("plan", "EYE", "-f", str(broken)), 2, "not JSON"),
        (attend, ("plan", "EYE", "-f", str(tmp_path / "none.json")), 2, "does not"),
        (Attend(attend.url, "wrong"), ("show", "EYE"), 1, "WRONG_KEY"),
        (Attend("http://127.0.0.1:1"), ("show", "EYE"), 1, "does not answer"),
    ]
    for command, words, exit_code, said in asked:
        code, _, err = await command.run(*words)
        assert (code, said in " ".join(err.split())) == (exit_code, True), err
