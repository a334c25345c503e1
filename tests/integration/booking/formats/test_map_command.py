"""`attend map`: a file is explained, with an exit code for programs; each mistake of whoever asks is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from chassis.process.errors import AttendError
from stack.__main__ import app
from tests.support.booking.door import KEY, Door, booking
from tests.support.booking.heard import heard
from tests.support.booking.hl7 import siu


@dataclass
class Command:
    """The command, as somebody at another machine has it."""

    url: str
    folder: Path

    async def run(self, name: str, content: bytes | None, *words: str, source: str = "local") -> tuple[int, str, str]:
        """Run it on a file; return exit code, stdout, and stderr with the message of an error."""
        if content is not None:
            (self.folder / name).write_bytes(content)
        environment = {"ATTEND_BOOKING_URL": self.url, "ATTEND_CLIENT_KEY": KEY, "COLUMNS": "120"}
        asked = ["map", "--source", source, *words, str(self.folder / name)]
        done = await asyncio.to_thread(CliRunner().invoke, app, asked, env=environment)
        told = str(done.exception) if isinstance(done.exception, AttendError) else ""
        return done.exit_code, done.stdout, done.stderr + told


@pytest.fixture
async def command(door: Door, tmp_path: Path) -> AsyncIterator[Command]:
    """Give the command with a door that runs in this test's loop."""
    async with heard(door) as url:
        yield Command(url, tmp_path)


async def test_a_file_is_told_in_short_and_field_by_field(command: Command) -> None:
    body = orjson.dumps(booking())

    code, short, _ = await command.run("a.json", body)
    _, explained, _ = await command.run("a.json", body, "--explain")
    _, with_values, _ = await command.run("a.json", body, "--explain", "--values")

    assert code == 0
    assert short.splitlines()[:2] == [
        "a.json: 1 message of local as application/json by all defaults",
        "1. e1 → applied: version 1, booked, 2027-03-12T10:00Z, EYE (a new visit)",
    ]
    assert "←" not in short
    assert "  patient               xxx\n                        ← appointment.patient.id" in explained
    assert "  patient               ann\n" in with_values


@pytest.mark.parametrize(
    ("name", "content", "words", "code", "said"),
    [
        ("gone.hl7", None, (), 2, "gone.hl7: No such file or directory"),
        ("letter.doc", b"Dear Sirs", (), 2, "name its media type with --type"),
        ("bad.hl7", b"MSH|^~\\&|A", (), 1, "refused, NO_MESSAGE_TYPE at MSH-9"),
        ("cut.json", b'{"event_id": "e1"', (), 1, "refused, TRUNCATED_JSON"),
        ("letter.doc", b'{"event_id": "e1"', ("--type", "application/json"), 1, "refused, TRUNCATED_JSON"),
        ("several.hl7", siu("S23") + siu(SCH=""), (), 1, "1 would be refused"),
        ("slot.hl7", siu("S23"), (), 0, "ignored: taken, and there is nothing to do"),
    ],
)
async def test_its_exit_code_says_whether_all_would_be_taken(
    command: Command, name: str, content: bytes | None, words: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = await command.run(name, content, *words)
    assert found == code, out + err
    assert said in (out if code < 2 else err)


async def test_a_source_of_others_is_refused_with_its_code(command: Command) -> None:
    code, _, err = await command.run("a.json", orjson.dumps(booking()), source="theirs")
    assert code == 1
    assert "FOREIGN_SOURCE: not a source of this client" in err


async def test_programs_read_json(command: Command) -> None:
    code, out, _ = await command.run("a.hl7", siu("S23") + siu(SCH=""), "--json")
    assert code == 1
    assert [one["outcome"] for one in json.loads(out)["messages"]] == ["ignored", "refused"]
