"""`attend sources`: files are planned, applied and shown, and each mistake is told with its file and line."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chassis.process.errors import AttendError
from stack.__main__ import app
from tests.support.booking.door import OPERATOR_KEY, Door
from tests.support.booking.heard import heard
from tests.support.examples import ROOT

EXAMPLES = sorted((ROOT / "examples" / "profiles").glob("*.yaml"))

WRONG: Mapping[str, tuple[str, int, tuple[str, ...]]] = {
    "a misspelt key": (
        "source: local\nzone: Europe/London\nhl7v2:\n  time:\n    gap: later\n",
        1,
        ("local.yaml:4: hl7v2.time: there is no such key; did you mean times?", "(UNKNOWN_FIELD)"),
    ),
    "several mistakes": (
        "source: local\nzone: Europe/Londn\nhl7v2:\n  place:\n    - PV1-3.4\n    - PV1.3\n  words: {Sch: bookd}\n",
        1,
        (
            "local.yaml:2: zone: not a zone of the IANA list",
            "did you mean Europe/London?",
            "local.yaml:6: hl7v2.place.1: a place such as PID-3",
            "local.yaml:7: hl7v2.words.Sch: one of pending,",
            "did you mean booked?",
        ),
    ),
    "a trigger that YAML reads as a number": (
        "source: local\nhl7v2:\n  events:\n    13: moved\n",
        1,
        ("local.yaml:4: hl7v2.events.13: a trigger event such as S12",),
    ),
    "no encoding and no format of dates": (
        "source: local\ncsv:\n  encoding: latin-99\n  date_format: [dd.mm.yyyy]\n  columns: {patientid: PatNo}\n",
        1,
        (
            "local.yaml:3: csv.encoding: an encoding such as utf-8",
            "local.yaml:4: csv.date_format.0: a format of strptime",
            "local.yaml:5: csv.columns.patientid: one of appointment_id,",
            "did you mean patient_id?",
        ),
    ),
    "a text where a list belongs, and a number out of bounds": (
        "source: local\nhl7v2:\n  processing: P\n  times: {default_minutes: 0}\n",
        1,
        ("local.yaml:3: hl7v2.processing: a list", "local.yaml:4: hl7v2.times.default_minutes: at least 1"),
    ),
    "no YAML": ("source: local\nzone: Europe/London\n  country: GB\n", 2, ("local.yaml:3: no YAML 1.2",)),
    "a key twice": ("source: local\nzone: UTC\nzone: Europe/Paris\n", 2, ("local.yaml:3: no YAML 1.2", "duplicate")),
    "no source": ("zone: UTC\n", 2, ("local.yaml:1: `source: NAME` is missing",)),
    "nothing": ("", 2, ("local.yaml:1: no keys are in it",)),
}


@dataclass
class Sources:
    """The command, as somebody at another machine has it: with address and key in the environment."""

    url: str
    folder: Path

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Run it to its end; return exit code, stdout, and stderr with the message of an error."""
        environment = {"ATTEND_BOOKING_URL": self.url, "ATTEND_OPERATOR_KEY": OPERATOR_KEY, "COLUMNS": "120"}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["sources", *words], env=environment)
        told = str(done.exception) if isinstance(done.exception, AttendError) else ""
        return done.exit_code, done.stdout, done.stderr + told

    def file(self, text: str, name: str = "local.yaml") -> str:
        """Write a file and return its path."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)


@pytest.fixture
async def sources(door: Door, tmp_path: Path) -> AsyncIterator[Sources]:
    """Give the command with a door that runs in this test's loop."""
    async with heard(door) as url:
        yield Sources(url, tmp_path)


async def test_examples_are_planned_applied_shown_and_planned_again_with_nothing_to_do(sources: Sources) -> None:
    files = list(map(str, EXAMPLES))
    assert len(files) == 3

    planned = await sources.run("plan", *files)
    applied = await sources.run("apply", *files, "--reason", "connected")
    again = await sources.run("plan", *files)
    shown = await sources.run("show", "nhs-like")

    assert [one[0] for one in (planned, applied, again, shown)] == [0, 0, 0, 0], applied
    assert "nhs-like: 14 keys, would be version 1" in planned[1]
    assert "zone: nothing → Europe/London" in planned[1]
    assert "2027-07-27 15:30, is read in Europe/London (2027-07-27T14:30Z), until now refused, NAIVE_TIME" in planned[1]
    assert "! hl7v2.clinics.RNJ ROYALLONDON: no clinic has this code yet" in planned[1]
    assert "nhs-like: 14 keys, version 1 holds" in applied[1]
    assert again[1].count("nothing to do, version 1 holds") == 3
    assert "by operator: connected" in shown[1]
    (sources.folder / "shown.yaml").write_text(shown[1])
    assert "nothing to do" in (await sources.run("plan", str(sources.folder / "shown.yaml")))[1]


@pytest.mark.parametrize("name", WRONG)
async def test_a_mistake_is_told_with_file_line_key_and_what_is_allowed_and_nothing_is_written(
    sources: Sources, door: Door, name: str
) -> None:
    text, expected, said = WRONG[name]
    before = await door.counts()

    code, out, err = await sources.run("apply", sources.file(text), *map(str, EXAMPLES))

    assert (code, out) == (expected, "")
    for one in said:
        assert one in err, err
    assert await door.counts() == before


async def test_norway_is_a_country_and_no_falsehood(sources: Sources) -> None:
    file = sources.file("source: local\ncountry: NO\nzone: Europe/Oslo\n")

    code, out, err = await sources.run("apply", file, "--json")

    assert code == 0, err
    told: list[Any] = json.loads(out)
    assert (told[0]["profile"]["country"], told[0]["changed"], told[0]["version"]) == ("NO", True, 1)


async def test_two_files_of_one_source_are_one_too_many(sources: Sources) -> None:
    first, second = sources.file("source: local\n", "a.yaml"), sources.file("source: local\nzone: UTC\n", "b.yaml")

    code, _, err = await sources.run("apply", first, second)

    assert code == 2
    assert "b.yaml:1: local stands in another file too" in err


async def test_the_schema_is_the_one_that_is_published(sources: Sources) -> None:
    code, out, _ = await sources.run("schema")
    held = json.loads((ROOT / "schemas" / "profiles" / "source.profile.v1.json").read_text())

    assert code == 0
    assert json.loads(out)["properties"].keys() == held["properties"].keys()
