"""The pages of settings, metrics and states say what the code says."""

import re
import subprocess
import sys
from itertools import product

from booking.appointments.domain.transitions import TABLE, Actor, Step
from schemas.appointments import Status
from tests.support.examples import ROOT


def test_the_made_pages_are_what_the_code_tells() -> None:
    command = [sys.executable, str(ROOT / "docs" / "site" / "made.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_drawing_of_a_visits_states_has_every_step_that_takes_no_reason_and_no_other() -> None:
    page = (ROOT / "docs" / "booking" / "transitions.md").read_text()
    boxes = {name: box.split(", ") for box, name in re.findall(r'state "(.+)" as (\w+)', page)}
    of_box = {name: [Status(status) for status in box] for name, box in boxes.items()}
    drawn: dict[tuple[Status | None, Status], str] = {}
    for held, to, told in re.findall(r"^    (\S+) --> (\w+)(?:: (\w+))?$", page, re.MULTILINE):
        drawn |= dict.fromkeys(product([None] if held == "[*]" else of_box[held], of_box[to]), told or "allowed")

    free = {
        (held, to): str(step)
        for (actor, held, to), step in TABLE.items()
        if actor is Actor.UPSTREAM and step in {Step.ALLOWED, Step.FACT} and held is not to
    }
    assert {way: told for way, told in drawn.items() if way[0] is not way[1]} == free


def test_the_page_of_a_visits_states_has_what_each_step_is_to_everybody() -> None:
    page = (ROOT / "docs" / "booking" / "transitions.md").read_text()
    words = {"yes": Step.ALLOWED, "fact": Step.FACT, "reason": Step.WITH_REASON, "no": Step.REFUSED}
    told: dict[tuple[Actor, Status | None, Status], Step] = {}
    for actor in Actor:
        head, _, *rows = page.split(f"## By {actor}\n")[1].split("\n\n")[1].strip().splitlines()
        columns = [Status(cell) for cell in map(str.strip, head.strip("|").split("|")[1:])]
        for row in rows:
            held, *cells = (cell.strip() for cell in row.strip("|").split("|"))
            before = None if held == "never heard of" else Status(held)
            told |= {(actor, before, to): words[cell] for to, cell in zip(columns, cells, strict=True)}
    assert told == TABLE
