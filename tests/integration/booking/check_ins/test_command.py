"""`attend check-in` on a real door over HTTP: what lacks is said, and who overrides says why (R34)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import httpx2
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from booking.door.domain import Client
from chassis.api.app import serve
from chassis.process.errors import AttendError
from stack.__main__ import app
from stack.ports import free_port
from tests.support.booking.check_ins import consent, require_consent, staff
from tests.support.booking.door import KEY, Door, booking
from tests.support.waiting import until

LACK = "clearances.consent (MISSING): Consent form, of the patient or his guardian: nothing was said of it"
LINK = "https://forms.example.org/mri"


class Done(NamedTuple):
    """A command that ended: its exit code, what it printed, and its error."""

    code: int
    out: str
    error: str


type CheckIn = Callable[..., Awaitable[Done]]


@pytest.fixture
async def check_in(door: Door) -> AsyncIterator[CheckIn]:
    """Give the command, as somebody at another machine has it: with the address and a client's key."""
    url, stop = f"http://127.0.0.1:{(port := free_port())}", asyncio.Event()

    async def run(*words: str, key: str = KEY) -> Done:
        env = {"ATTEND_BOOKING_URL": url, "ATTEND_CLIENT_KEY": key, "COLUMNS": "200"}
        done = await asyncio.to_thread(CliRunner().invoke, app, ["check-in", *words], env=env)
        told = done.exception.message if isinstance(done.exception, AttendError) else done.stderr
        return Done(done.exit_code, done.stdout, told)

    with capture_logs():  # this process's stdout is the command's
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(door.api, "127.0.0.1", port, stop))
            await until(lambda: _answers(url))
            yield run
            stop.set()


async def _answers(url: str) -> bool:
    async with httpx2.AsyncClient(base_url=url) as http:
        try:
            return (await http.get("/v1/clinics")).status_code == 401
        except httpx2.TransportError:
            return False


async def test_what_lacks_is_said_with_whom_and_how_and_nothing_is_changed(door: Door, check_in: CheckIn) -> None:
    visit = (await door.post(booking("e1")))["appointment_id"]
    await require_consent(door, key := await staff(door))

    for words in (["local:v1"], ["local:v1", "--dry-run"], [visit[:18]]):
        refused = await check_in(*words)
        assert (refused.code, refused.out) == (1, "")
        assert refused.error.startswith("NOT_CLEARED: the visit lacks consent (MISSING)")
        assert f"\n  {LACK}; " in refused.error
        assert LINK in refused.error
        assert "--override --reason WHY" in refused.error
    assert await door.pool.fetchval("SELECT status FROM appointment") == "booked"

    await consent(door, key, visit)
    would, done, again = [await check_in(*words) for words in ([visit, "--dry-run"], [visit], [visit])]
    assert [one.code for one in (would, done, again)] == [0, 0, 0]
    assert would.out == f"{visit} would be checked in.\n  consent mri: CLEARED\n"
    assert done.out.startswith(f"{visit} is checked in.")
    assert again.out.startswith(f"{visit} is checked in already.")


async def test_where_the_clinic_only_observes_what_lacks_is_said_and_he_is_in(door: Door, check_in: CheckIn) -> None:
    visit = (await door.post(booking("e1")))["appointment_id"]
    await require_consent(door, await staff(door), mode="observe")
    done = await check_in("local:v1")
    lack = f"  lacks consent mri (MISSING), of the patient or his guardian; Read the form and sign it; {LINK}"
    assert (done.code, done.out.splitlines()[0]) == (0, f"{visit} is checked in.")
    assert lack in done.out


async def test_whoever_overrides_has_the_right_to_and_says_why(door: Door, check_in: CheckIn) -> None:
    await door.post(booking("e1"))
    await require_consent(door, await staff(door))
    doctor = await door.client(Client("doctor", ("local",), may_override_clearance=True))
    words = ("local:v1", "--override", "--by", "Dr Adeyemi")

    without_reason = await check_in(*words, key=doctor)
    without_right = await check_in(*words, "--reason", "an emergency")
    done = await check_in(*words, "--reason", "an emergency", "--key", "k1", key=doctor)
    again = await check_in(*words, "--reason", "an emergency", "--key", "k1", key=doctor)

    assert (without_reason.code, "--reason" in without_reason.error) == (2, True)
    assert (without_right.code, "--may-override-clearance" in without_right.error) == (1, True)
    assert "is checked in all the same: what lacks is overridden" in done.out
    assert again.code == 0
    assert await door.pool.fetchval("SELECT count(*) FROM check_in") == 1
    kept = await door.pool.fetch("SELECT checked_by, reason FROM check_in")
    assert [tuple(row) for row in kept] == [("Dr Adeyemi", "an emergency")]


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("local:nobody", 1, "UNKNOWN_APPOINTMENT"),
        ("other:v1", 1, "FOREIGN_SOURCE"),
        ("01a2b3c4", 1, "no appointment's id begins with 01a2b3c4"),
        ("Mrs Jones", 2, "neither a visit's id"),
    ],
)
async def test_a_visit_that_is_not_there_is_said_so(check_in: CheckIn, word: str, code: int, said: str) -> None:
    done = await check_in(word)
    assert (done.code, said in done.error) == (code, True), done.error
