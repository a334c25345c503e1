"""docs/walk.md is the way of a booked event: one is followed through all processes, from its POST until SENT."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import psutil
import pytest

from chassis.process import clock
from stack import services
from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.installation import Installation
from stack.supervisor import System
from tests.support.examples import ROOT
from tests.support.practice import HOUR, Practice
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TRACER = Path(__file__).parent / "traced"
MORNING = datetime(2027, 3, 1, 10, tzinfo=UTC)
PRODUCT = frozenset({"schemas", "chassis", "booking", "records", "reminders", "notifier"})
PUT_TOGETHER = re.compile(r"\w+/(__main__|__init__|settings|wiring)(\.py|/)")

WAY, BESIDE = (ROOT / "docs" / "walk.md").read_text().split("## Beside the way")
STEPS = [step for step in WAY.splitlines() if step.startswith("| ")]
ON_THE_WAY = frozenset(place for step in STEPS for place in re.findall(r"\]\(\.\./\S+/src/(\S+\.py)\)", step))
ASKED_BY_THE_TEST = "booking/asking/http.py"
"""The key is remembered for 2 s: so that it is looked up while files are noted, the test asks for that first."""
BESIDE_IT = [
    ASKED_BY_THE_TEST,
    *(
        f"{row[1]}/{files}"
        for row in re.finditer(r"^\| (\w+) \| (`.*`) \|", BESIDE, re.MULTILINE)
        for files in re.findall(r"`(\S+)`", row[2])
    ),
]


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Return the product's files, as `package/file`, that some process enters while one booked event passes."""
    home = tmp_path_factory.mktemp("walk")
    trace, clock_file = home / "trace", home / "clock.json"
    trace.mkdir()
    clock.step(clock_file, MORNING)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(TRACER))
        environment.setenv("ATTEND_TRACE", str(trace))
        with System(home / "system", ports="free", sinks=True, clock_file=clock_file) as system:
            running = Installation(system.urls, system.operations_urls, system.key, system.operator_key, clock_file)
            asyncio.run(follow_one(running, trace))
    return frozenset(product_files(trace))


async def follow_one(running: Installation, trace: Path) -> None:
    """Book a visit while every process notes its files, until its first reminder is SENT, and look at what followed."""
    async with Client(running) as client:
        driver = Driver(client, running)
        driver.step(MORNING)
        await driver.settle()
        practice = await Practice.open(client, driver)
        patient = await practice.new_patient()
        await practice.settle()

        await ask_every_process(trace, "begin", ".begun")
        assert await client.ask("booking", "GET", "/v1/client")  # looks the key up anew
        visit = await practice.book(patient, MORNING + 25 * HOUR)
        await practice.settle()
        await practice.pass_until(MORNING + HOUR)
        assert (await practice.outcomes(visit))["24h"] == ("SENT", None)
        assert await client.ask("booking", "GET", f"/v1/appointments/{visit.id}")
        assert await client.sub_files(visit.id)
        assert await practice.notices(visit)
        await ask_every_process(trace, "end", ".json")


async def ask_every_process(trace: Path, asked: str, answer: str) -> None:
    """Ask, and wait until each process that still runs has answered."""
    (trace / asked).touch()
    running = [one for one in sorted(trace.glob("*.ready")) if psutil.pid_exists(int(one.stem))]  # noqa: ASYNC240
    assert len(running) >= len(services.ALL)
    await until(lambda: all(one.with_suffix(answer).exists() for one in running), f"{answer} of each process")


def product_files(trace: Path) -> Iterator[str]:
    for written in trace.glob("*.json"):
        for path in json.loads(written.read_text()):
            place = path.rpartition("/src/")[2]
            if Path(path).is_relative_to(ROOT) and place.endswith(".py") and place.partition("/")[0] in PRODUCT:
                yield place


def test_every_file_that_the_walk_links_is_entered_by_a_booked_event(entered: frozenset[str]) -> None:
    assert ON_THE_WAY - entered == set()


def test_every_file_that_a_booked_event_enters_is_on_the_walk_or_named_beside_it(entered: frozenset[str]) -> None:
    unnamed = {place for place in entered - ON_THE_WAY if not PUT_TOGETHER.match(place)}
    assert {place for place in unnamed if not any(fnmatch(place, each) for each in BESIDE_IT)} == set()


def test_what_is_beside_the_walk_is_there_and_not_on_it() -> None:
    assert {place for place in ON_THE_WAY if any(fnmatch(place, each) for each in BESIDE_IT)} == set()
    assert {each for each in BESIDE_IT if not [*ROOT.glob(f"*/src/{each}"), *ROOT.glob(f"*/*/src/{each}")]} == set()
