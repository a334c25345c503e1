"""Carriers' reports doubled, reversed, early, late, forged and of strangers; a lane and the API are killed."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Sequence
from random import Random
from uuid import UUID, uuid4

import httpx2
import pytest

from schemas.appointments import Appointment
from schemas.notifications import Channel
from tests.chaos.evidence import Evidence, read_topics
from tests.chaos.invariants import i10_history_is_monotone
from tests.chaos.sending.lane_runs import QUIETLY, enter, ids, in_state, kill_9, lane, settle, taken, verdict
from tests.chaos.sending.table import Line
from tests.support.installation import Installation
from tests.support.notifier.callbacks import secrets, status
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

NUMBER = 30
SOME = 12
"""So many reports are answered before the API is killed."""

ORDER = ("unknown", "undelivered", "delivered", "read")
STORIES: tuple[tuple[str, ...], ...] = (
    ("queued", "sent", "delivered", "read"),
    ("sent", "delivered"),
    ("sent", "undelivered"),
    ("sent", "undelivered", "delivered"),
    ("sent",),
)
"""What a carrier has to say of a message, in the order in which it happened."""

SAYS = {"queued": "unknown", "sent": "unknown", "undelivered": "undelivered", "delivered": "delivered", "read": "read"}


async def test_reports_in_any_order_and_number_end_in_the_strongest_evidence(
    notifier: RunningNotifier, installation: Installation, faults: list[Line]
) -> None:
    """The lane is killed between the carrier's answer and its own word of it: the reports alone tell what happened."""
    random = Random(5)
    visits = await enter(notifier, Channel.SMS, "held", number=NUMBER)
    await notifier.start(lanes=(), **secrets())
    sending = await lane(
        notifier, Channel.SMS, NOTIFIER_SMS_SLOTS="64", NOTIFIER_CALLBACK_BASE_URL="https://clinic.example"
    )
    await taken(notifier, NUMBER)
    attempts = [UUID(one.reference) for one in notifier.carriers.taken]
    stories = {attempt: STORIES[n % len(STORIES)] for n, attempt in enumerate(attempts)}
    reports = [(attempt, said) for attempt, story in stories.items() for said in story] * 2
    random.shuffle(reports)

    early, late = reports[: len(reports) // 2], reports[len(reports) // 2 :]
    await _report(notifier, early)  # before the carrier has answered our own call
    notifier.carriers.let_go()
    await kill_9(sending)  # and nobody ever will write that answer down
    await _report(notifier, [(uuid4(), "delivered") for _ in range(10)])
    await _forge(notifier, attempts)
    await _report(notifier, late)
    await notifier.let_leases_run_out()
    await lane(notifier, Channel.SMS)
    await settle(notifier, visits)

    faults.append(await verdict(notifier, "reports doubled, reversed, early, late, forged, of strangers", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == NUMBER
    await _says_the_strongest(notifier, visits, stories)
    topics = await read_topics(installation.bootstrap, installation.topic_prefix)
    assert list(i10_history_is_monotone(Evidence(topics=topics))) == []


async def _report(notifier: RunningNotifier, reports: Sequence[tuple[UUID, str]]) -> None:
    answers = await asyncio.gather(*(status(notifier, attempt, said, f"SM{attempt}") for attempt, said in reports))
    assert {answer.status_code for answer in answers} <= {204}


async def _forge(notifier: RunningNotifier, attempts: Sequence[UUID]) -> None:
    before = await notifier.pool.fetchval("SELECT count(*) FROM receipt")
    url = f"http://127.0.0.1:{notifier.port}/callbacks/twilio"
    async with httpx2.AsyncClient(timeout=30) as http:
        for attempt in attempts:
            body = {"MessageSid": "SM1", "MessageStatus": "read"}
            answer = await http.post(f"{url}/{attempt}", data=body, headers={"X-Twilio-Signature": "AAAA"})
            assert answer.status_code == 401
    assert await notifier.pool.fetchval("SELECT count(*) FROM receipt") == before


async def _says_the_strongest(
    notifier: RunningNotifier, visits: Sequence[Appointment], stories: dict[UUID, tuple[str, ...]]
) -> None:
    query = "SELECT attempt_id, delivery_state FROM attempt WHERE attempt_id = ANY($1::uuid[])"
    rows = await notifier.pool.fetch(query, list(stories))
    held = {row["attempt_id"]: row["delivery_state"] for row in rows}
    strongest = {attempt: max((SAYS[said] for said in story), key=ORDER.index) for attempt, story in stories.items()}
    assert held == strongest
    await in_state(notifier, visits, "accepted", "failed")


async def test_reports_taken_by_an_api_that_is_killed_are_all_kept_once(
    notifier: RunningNotifier, faults: list[Line]
) -> None:
    visits = await enter(notifier, Channel.SMS, number=NUMBER)
    api = await _api(notifier)
    await notifier.start(fanout=False, lanes=(Channel.SMS,))
    await in_state(notifier, visits, "accepted")
    attempts = [UUID(one.reference) for one in notifier.carriers.taken]
    waiting = [(attempt, said) for attempt in attempts for said in ("sent", "delivered", "read")]
    Random(6).shuffle(waiting)
    for _ in range(2):
        waiting = await _tell_until_killed(notifier, api, waiting)
        api = await _api(notifier)
    await _report(notifier, waiting)
    assert await notifier.pool.fetchval("SELECT count(*) FROM receipt") == len(attempts) * 3
    query = "SELECT DISTINCT delivery_state FROM notification WHERE appointment_id = ANY($1::uuid[])"
    assert [row[0] for row in await notifier.pool.fetch(query, ids(visits))] == ["read"]
    faults.append(await verdict(notifier, "kill -9 of the API that takes the reports, twice", visits))
    assert faults[-1].sound
    assert faults[-1].accepted == NUMBER


async def _api(notifier: RunningNotifier) -> Process:
    """Run fan-out and API as a process of their own, and wait until it answers."""
    settings = {f"NOTIFIER_{name.upper()}": str(value) for name, value in secrets().items()}
    ports = {"NOTIFIER_HTTP_PORT": str(notifier.port), "NOTIFIER_OPERATIONS_PORT": str(notifier.operations_port)}
    process = await notifier.process("fanout", **{**QUIETLY, **settings, **ports})

    async def answers() -> bool:
        try:
            return (await notifier.look("/health/ready")).is_success
        except httpx2.HTTPError:
            return False

    await until(answers)
    return process


async def _tell_until_killed(
    notifier: RunningNotifier, api: Process, waiting: Sequence[tuple[UUID, str]]
) -> list[tuple[UUID, str]]:
    """Tell the API what waits, kill it after some; return what was not answered 2xx and so will be sent again."""
    assert len(waiting) > SOME, "there is somebody left to be told when it is killed"
    unanswered = list(waiting)
    some_are_told = asyncio.Event()

    async def tell(report: tuple[UUID, str]) -> None:
        try:
            if (await status(notifier, *report, f"SM{report[0]}")).status_code == 204:
                unanswered.remove(report)
            if len(unanswered) <= len(waiting) - SOME:
                some_are_told.set()
        except httpx2.HTTPError:
            return

    async def kill() -> None:
        await some_are_told.wait()
        await kill_9(api)

    await asyncio.gather(kill(), *(tell(report) for report in waiting))
    return unanswered
