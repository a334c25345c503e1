"""A whole file goes through the door of a real service: taken once, whatever is killed, and tried without a trace."""

import asyncio
import csv
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from chassis.api.server import serve
from stack.ports import free_port
from tests.support.booking.door import KEY, Door, booking
from tests.support.examples import ROOT
from tests.support.waiting import until

pytestmark = pytest.mark.integration

HEADER = "AppointmentId,MRN,StartDateTime,ApptLength,ApptStatus,FirstName,Mobile,Clinic\n"
ROWS = """9001,17,2027-03-12 10:00,30,booked,Ada,07700900123,EYE
9002,18,12/03/2027 11:00,30,booked,Ben,,EYE
9003,18,2027-03-12 12:00,30,no-show,Ben,07700900124,EYE
9004,19,2027-03-12 13:00,30,cancelled,Cy,,EYE
9005,20,2027-03-12 14:00,30,booked,Dee,,NOWHERE
9006,21,2027-03-12 15:00,30,maybe,Eve,,EYE
"""
PROFILE = {"profile": {"zone": "Europe/London", "country": "GB", "clinic": "EYE"}}
MANY = 12_000


@pytest.fixture
async def url(door: Door) -> AsyncIterator[str]:
    """Serve the API over HTTP, as its process does, with a profile of the client's source."""
    assert (await door.ask("PUT", "/v1/sources/local/profile", PROFILE)).status_code == 200
    stop, port = asyncio.Event(), free_port()
    serving = asyncio.create_task(serve(door.api, "127.0.0.1", port, stop))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

        async def answers() -> bool:
            with suppress(httpx2.ConnectError):
                return (await http.get("/")).status_code == 401
            return False

        await until(answers)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await serving


async def started(url: str, file: Path, *options: str, key: str = KEY) -> asyncio.subprocess.Process:
    environment = os.environ | {"ATTEND_BOOKING_URL": url, "ATTEND_CLIENT_KEY": key}
    words = (sys.executable, "-m", "booking", "import", str(file), "--json", *options)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*words, env=environment, stdout=pipe, stderr=pipe)


async def imported(url: str, file: Path, *options: str, key: str = KEY) -> tuple[int | None, Any, str]:
    """Return the exit code, what was told as JSON, and what was said on stderr."""
    process = await started(url, file, *options, key=key)
    told, said = await process.communicate()
    return process.returncode, orjson.loads(told) if told else None, said.decode()


def written(folder: Path, text: str, name: str = "feed.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


async def visits(door: Door) -> Mapping[str, tuple[Any, ...]]:
    """Return (status, version) by the source's id."""
    asked = "SELECT source_id, status, version FROM appointment JOIN appointment_alias USING (appointment_id)"
    return {row["source_id"]: (row["status"], row["version"]) for row in await door.pool.fetch(asked)}


def refused_lines(path: Path) -> list[tuple[str, str, str]]:
    rows = csv.DictReader(path.read_text().splitlines())
    return sorted((row["line"], row["code"], row["place"]) for row in rows)


async def test_good_rows_are_taken_bad_ones_told_by_their_line_and_again_nothing_is_doubled(
    door: Door, url: str, tmp_path: Path
) -> None:
    file = written(tmp_path, HEADER + ROWS)
    code, told, _ = await imported(url, file, "--source", "local")

    assert (code, told["results"]) == (1, {"applied": 2, "tombstone": 1})
    assert told["refused"] == {"BAD_TIME": 1, "UNKNOWN_CLINIC": 1, "UNKNOWN_STATUS": 1}
    assert refused_lines(Path(told["rejected"])) == [
        ("3", "BAD_TIME", "start"), ("6", "UNKNOWN_CLINIC", "appointment.clinic"), ("7", "UNKNOWN_STATUS", "status"),
    ]  # fmt: skip
    assert {name: status for name, (status, _) in (await visits(door)).items()} == {
        "9001": "booked", "9003": "noshow", "9004": "cancelled",
    }  # fmt: skip
    ada = await door.pool.fetchrow("SELECT given_name, mobile FROM patient WHERE given_name = 'Ada'")
    assert ada is not None
    assert ada["mobile"] == "+447700900123"
    before = await visits(door)
    _, again, _ = await imported(url, file)
    assert again["results"] == {"repeat": 3}
    assert await visits(door) == before


WISHES = """AppointmentId,MRN,StartDateTime,Mobile,Email,SMSConsent,OptOut
1,held,2027-03-12 10:00,07700900123,held@example.org,1,0
2,text,2027-03-12 10:00,07700900124,text@example.org,0,0
3,out,2027-03-12 10:00,07700900125,out@example.org,1,1
4,odd,2027-03-12 10:00,07700900126,odd@example.org,maybe,0
"""


async def test_a_no_of_a_file_holds_and_a_yes_lifts_nothing(door: Door, url: str, tmp_path: Path) -> None:
    for one, flags in (("held", {"do_not_contact": True}), ("text", {"mobile": "+447700900199"})):
        assert (await door.ask("PUT", f"/v1/patients/{one}", flags)).status_code == 200
    _, told, _ = await imported(url, written(tmp_path, WISHES))

    assert refused_lines(Path(told["rejected"])) == [("5", "UNKNOWN_VALUE", "may_text")]
    asked = (
        "SELECT a.source_id, mobile, email, consent, do_not_contact, "
        "(SELECT max(barred) FROM appointment_history h JOIN appointment USING (appointment_id) "
        "WHERE appointment.patient_id = p.patient_id) AS barred FROM patient p JOIN patient_alias a USING (patient_id)"
    )
    assert {row["source_id"]: tuple(row)[1:] for row in await door.pool.fetch(asked)} == {
        "held": ("+447700900123", "held@example.org", True, True, "DO_NOT_CONTACT"),
        "text": (None, "text@example.org", True, False, None),
        "out": ("+447700900125", "out@example.org", True, True, "DO_NOT_CONTACT"),
    }


async def test_an_old_file_that_is_sent_again_undoes_nothing_that_came_since(
    door: Door, url: str, tmp_path: Path
) -> None:
    file = written(tmp_path, HEADER + ROWS.splitlines()[0])
    await imported(url, file)
    await door.post({"event_id": "since", "appointment": {"id": "9001", "status": "cancelled"}})
    _, told, _ = await imported(url, file)

    assert told["results"] == {"repeat": 1}
    assert (await visits(door))["9001"] == ("cancelled", 2)


async def test_a_dry_run_says_what_the_file_comes_to_and_keeps_nothing(door: Door, url: str, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + ROWS)
    before = await door.counts()
    code, tried, _ = await imported(url, file, "--dry-run", "--mode", "backfill")

    assert await door.counts() == before
    assert code == 1
    _, taken, _ = await imported(url, file, "--mode", "backfill")
    assert tried == taken


@pytest.mark.parametrize(("options", "silent"), [((), False), (("--mode", "backfill"), True)])
async def test_history_is_told_on_as_history_for_which_nothing_is_sent(
    door: Door, url: str, tmp_path: Path, options: tuple[str, ...], silent: bool
) -> None:
    file = written(tmp_path, HEADER + ROWS.splitlines()[0])
    await imported(url, file, *options)

    payloads = await door.pool.fetch("SELECT convert_from(value, 'utf8') AS event FROM outbox ORDER BY 1")
    modes = {event["mode"] for row in payloads if "mode" in (event := data_of(row["event"]))}
    assert modes == ({"backfill"} if silent else {"live"})


def data_of(event: str) -> dict[str, Any]:
    found = orjson.loads(event)
    data: dict[str, Any] = found.get("data", found)
    return data


async def test_a_file_that_was_killed_in_the_middle_is_sent_again_without_loss_or_double(
    door: Door, url: str, tmp_path: Path
) -> None:
    rows = (f"{n},p{n % 3_000},2027-03-{n % 27 + 1:02} 10:00,30,booked,Ada,,EYE\n" for n in range(MANY))
    file = written(tmp_path, HEADER + "".join(rows))
    process = await started(url, file)

    async def under_way() -> bool:
        return bool(await door.pool.fetchval("SELECT count(*) > 1000 FROM appointment"))

    await until(under_way)
    process.kill()
    await process.communicate()
    assert await door.pool.fetchval("SELECT count(*) FROM appointment") < MANY
    code, told, said = await imported(url, file)
    assert (code, sum(told["results"].values()), told["refused"]) == (0, MANY, {}), said
    assert told["results"]["repeat"] > 0
    found = await visits(door)
    assert len(found) == MANY
    assert set(found.values()) == {("booked", 1)}


async def test_the_example_is_taken_whole(door: Door, url: str) -> None:
    await door.put("/v1/clinics/CARDIO", {"name": "Heart Clinic", "zone": "Europe/London", "country": "GB"})
    file = ROOT / "examples" / "files" / "history.csv"
    code, tried, _ = await imported(url, file, "--source", "local", "--mode", "backfill", "--dry-run")
    assert (code, tried["refused"]) == (0, {})
    code, told, _ = await imported(url, file, "--source", "local", "--mode", "backfill")

    assert (code, told) == (0, tried)
    assert [status for status, _ in (await visits(door)).values()].count("fulfilled") == 2


SIU = (
    "MSH|^~\\&|RIS|EYE|||20270301090000+0000||SIU^S12|{0}|P|2.5\rSCH|P{0}|F{0}|||||||30|min|"
    "^^^20270312100000+0000\rPID|1||77^^^^MR||Meier^Anna\rAIL|1||EYE^^^EYE\r"
)
EVENT = (
    "BEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:20270312T100000Z\r\nLOCATION:EYE\r\n"
    "ATTENDEE:mailto:ada@example.org\r\nEND:VEVENT\r\n"
)
KINDS = {
    "feed.hl7": "BHS|^~\\&\r" + SIU.format(1) + SIU.format(2) + "BTS|3\r",
    "feed.ics": "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n" + EVENT.format(1) + EVENT.format(2) + "END:VCALENDAR\r\n",
    "feed.ndjson": "\n".join(orjson.dumps(booking(f"e{n}", f"v{n}")).decode() for n in (1, 2)),
}


@pytest.mark.parametrize("name", KINDS)
async def test_other_kinds_of_file_are_taken_too(door: Door, url: str, tmp_path: Path, name: str) -> None:
    code, told, said = await imported(url, written(tmp_path, KINDS[name], name), "--source", "local")

    assert (code, told["results"], told["kind"]) == (0, {"applied": 2}, name.rpartition(".")[2]), (told, said)
    assert [one["code"] for one in told["file_warnings"]] == ["BATCH_COUNT_DIFFERS"] * name.endswith("hl7")
    assert len(await visits(door)) >= 2


@pytest.mark.parametrize(
    ("text", "options", "key", "code", "said"),
    [
        (HEADER + ROWS, ("--source", "other"), KEY, 1, "FOREIGN_SOURCE"),
        (HEADER + ROWS, (), "no key of anybody, long enough", 1, "WRONG_KEY"),
        ("a,b\n1,2\n", (), KEY, 2, "NO_COLUMNS"),
        ("[]", (), KEY, 2, "NDJSON"),
        ("", (), KEY, 2, "EMPTY_BODY"),
    ],
)
async def test_what_cannot_be_sent_says_why_and_leaves_nothing(
    door: Door, url: str, tmp_path: Path, text: str, options: tuple[str, ...], key: str, code: int, said: str
) -> None:
    before = await door.counts()
    ended, told, why = await imported(url, written(tmp_path, text), *options, key=key)

    assert ended == code
    assert said in f"{why} {told}"
    assert "Traceback" not in why
    assert await door.counts() == before
