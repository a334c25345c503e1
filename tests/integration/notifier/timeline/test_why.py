"""B1: the timeline over HTTP and `attend why`, with the other parts there, slow, wrong, or gone."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from chassis.api.app import serve
from chassis.process.errors import AttendError
from schemas import wire
from schemas.appointments import Appointment, Status
from stack.__main__ import app
from stack.commands.why import EXIT_IN_PART
from stack.ports import free_port
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import CLINIC, KEY, RunningNotifier

pytestmark = pytest.mark.integration


@dataclass
class Others:
    """Booking, records and reminders in one stand-in: answers as they would, by path; 404 for the rest."""

    port: int = field(default_factory=free_port)
    answers: dict[str, Any] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    hung: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def urls(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}"
        return {"booking_url": url, "records_url": url, "reminders_url": url}

    def know(self, visit: Appointment) -> None:
        """Answer about this visit as the three would."""
        one, reminder_id = str(visit.appointment_id), str(wire.reminder_id(visit.appointment_id, 1, "24h"))
        snapshot = json.loads(wire.encode(visit))
        at = visit.ingest_time.isoformat()
        self.answers |= {
            f"/v1/appointments/{one}": {
                "appointment_id": one, "source": "emr", "source_id": "a-1", "history": [snapshot], "later": "unknown",
            },
            "/v1/subfiles": {"items": [
                {"sub_file_id": str(uuid4()), "status": "ACTIVE", "number": "FILE-2027-000001-NORTH-01",
                 "appointment_id": one, "created_at": at},
            ]},
            "/v1/reminders": {"items": [
                {"reminder_id": reminder_id, "rule": "24h", "schedule_gen": 1, "scheduled_for": at},
            ]},
            f"/v1/reminders/{reminder_id}/history": {"items": [
                {"status": "SCHEDULED", "reason": None, "at": at, "caused_by": "v1"},
            ]},
        }  # fmt: skip


@pytest.fixture
async def others() -> AsyncIterator[Others]:
    """Give the stand-in, answering."""
    made, api, stop = Others(), FastAPI(), asyncio.Event()

    @api.get("/{path:path}")
    async def answer(path: str, request: Request) -> Response:
        made.keys.add(request.headers.get("authorization", ""))
        found = made.answers.get(f"/{path}")
        if found == "hangs":
            await made.hung.wait()
        return JSONResponse({}, 404) if found is None else JSONResponse(found)

    task = asyncio.create_task(serve(api, "127.0.0.1", made.port, stop))
    yield made
    made.hung.set()
    stop.set()
    await task


async def attend(notifier: RunningNotifier, *words: str) -> tuple[int, str, str]:
    """Run `attend …` as somebody at another machine; return exit code, stdout, and the message of an error."""
    environment = {
        "ATTEND_NOTIFIER_URL": f"http://127.0.0.1:{notifier.port}",
        "ATTEND_OPERATOR_KEY": KEY,
        "COLUMNS": "140",
    }
    done = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)
    return done.exit_code, done.stdout, str(done.exception) if isinstance(done.exception, AttendError) else ""


async def test_b1_a_timeline_merges_every_part_and_the_terminal_shows_it(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(read_key="the others' key", **others.urls)
    visit = await notifier.book(await notifier.patient(), await notifier.provider())
    await notifier.settled(visit, "confirmation", "accepted")
    others.know(visit)

    answer = await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")

    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["missing"] == []
    assert [entry["what"] for entry in told["entries"]] == [
        "visit.booked", "sub-file.active", "reminder.planned", "message.asked", "message.asked", "message.given",
        "call.accepted",
    ]  # fmt: skip
    assert all(entry["caused_by"] for entry in told["entries"] if entry["what"].startswith("message"))
    assert told["answer"]["got"] == [
        "confirmation by email at 2027-03-01 09:00, the carrier took it and has not said whether it arrived"
    ]
    assert others.keys == {"Bearer the others' key"}
    code, out, error = await attend(notifier, "why", str(visit.appointment_id))
    assert (code, error) == (0, "")
    assert "the carrier accepted it" in out
    assert "\nThe patient got: confirmation by email" in out


async def test_r40_parts_that_are_slow_wrong_or_gone_are_named_and_the_rest_is_told(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(**{**others.urls, "reminders_url": f"http://127.0.0.1:{free_port()}"}, part_timeout_s=1.5)
    visit = await notifier.book(await notifier.patient(mobile=None, email=None))
    await notifier.settled(visit, "confirmation", "skipped")
    others.answers |= {f"/v1/appointments/{visit.appointment_id}": "hangs", "/v1/subfiles": {"items": [{"no": "file"}]}}

    told = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()

    assert told["missing"] == [
        {"service": "booking", "code": "TIMEOUT"},
        {"service": "records", "code": "UNREADABLE"},
        {"service": "reminders", "code": "NO_ANSWER"},
    ]
    assert (told["zone"], told["status"]) == ("Europe/London", None)
    assert {entry["reason"] for entry in told["entries"]} >= {"NO_CONTACT"}
    code, out, _ = await attend(notifier, "why", str(visit.appointment_id))
    assert code == EXIT_IN_PART
    assert "booking did not answer: TIMEOUT" in out
    code, out, _ = await attend(notifier, "why", str(visit.appointment_id), "--json")
    assert (code, json.loads(out)["answer"]["got"]) == (EXIT_IN_PART, [])


async def test_b1_an_appointment_nobody_knows_and_a_service_that_is_down_are_said_in_words(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(lanes=(), **others.urls)

    assert (await notifier.ask("GET", f"/v1/appointments/{uuid4()}/timeline")).json()["code"] == "UNKNOWN_APPOINTMENT"
    code, _, error = await attend(notifier, "why", str(uuid4()))
    assert code == 1
    assert error.endswith("whether it is a patient is asked of booking, which is not named here")
    notifier.port = free_port()
    code, _, error = await attend(notifier, "why", str(uuid4()))
    assert code == 1
    assert f"http://127.0.0.1:{notifier.port} does not answer (ConnectError: " in error
    assert error.endswith("ATTEND_NOTIFIER_URL names it")


async def test_b1_only_the_operators_key_opens_a_timeline(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=())

    answer = await notifier.ask(
        "GET", f"/v1/appointments/{uuid4()}/timeline", headers={"Authorization": "Bearer other"}
    )

    assert answer.status_code == 401


async def test_b1_a_call_is_told_at_the_domain_time_of_its_claim(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await notifier.book(await notifier.patient(email=None), starts_at=MONDAY + timedelta(days=2))
    await notifier.settled(visit, "confirmation", "accepted")
    notifier.step(timedelta(hours=5))
    due = await notifier.due(visit)
    await notifier.settled(visit, "reminder", "accepted")

    told = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()

    calls = [entry for entry in told["entries"] if entry["source"] == "carrier"]
    assert [call["at"][:16] for call in calls] == ["2027-03-01T09:00", "2027-03-01T14:00"]
    asked = next(entry for entry in told["entries"] if entry["ids"].get("kind") == "reminder")
    assert asked["caused_by"] == f"due-{due.reminder_id}"
    assert {one["code"] for one in told["missing"]} == {"NOT_CONFIGURED"}


async def test_b1_while_sending_is_held_the_answer_says_since_when_by_whom_and_what_leaves_once_it_is_lifted(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(**others.urls)
    await notifier.ask("PUT", f"/v1/clinics/{CLINIC}/sending", json={"mode": "hold", "by": "A. Abara"})
    notifier.step(timedelta(minutes=5))
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "queued")
    others.know(visit)

    told = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()

    held = told["answer"]["held"]
    assert (held["clinic_id"], held["since"][:16], held["by"]) == (CLINIC, "2027-03-01T09:00", "A. Abara")
    assert told["answer"]["to_come"] == [
        "confirmation by email, until 2027-03-03 09:00", "reminder 24h at 2027-03-01 09:05",
    ]  # fmt: skip
    code, out, _ = await attend(notifier, "why", str(visit.appointment_id))
    assert code == 0
    assert "confirmation waits: sending is held" in out
    words = (
        "Sending is held (mode hold) at NORTH since 2027-03-01 09:00, by A. Abara. Once that is lifted: confirmation"
    )
    assert words in " ".join(out.split())


async def test_b1_a_hold_by_the_setting_and_one_for_the_installation_are_said_as_what_they_are(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(sending_mode="hold", **others.urls)
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "queued")
    path = f"/v1/appointments/{visit.appointment_id}/timeline"

    by_setting = (await notifier.ask("GET", path)).json()["answer"]["held"]
    for mode, who in (("live", "A. Abara"), ("hold", "B. Bell")):
        await notifier.ask("PUT", "/v1/sending", json={"mode": mode, "by": who})
        notifier.step(timedelta(minutes=1))
    by_person = (await notifier.ask("GET", path)).json()["answer"]["held"]

    assert by_setting == {"clinic_id": None, "since": None, "by": None}
    assert (by_person["since"][:16], by_person["by"]) == ("2027-03-01T09:01", "B. Bell")


async def test_b1_reminders_of_who_opted_out_of_all_or_was_never_registered_are_not_told_as_still_to_come(
    notifier: RunningNotifier, others: Others
) -> None:
    await notifier.start(**others.urls)
    stopped, unknown = await notifier.patient(email=None), await notifier.patient(registered=False)
    await notifier.ask("POST", "/v1/opt-outs/stop", json={"address": await notifier.address(stopped, "mobile")})
    for patient, why in ((stopped, "opted out"), (unknown, "not registered")):
        visit = await notifier.book(patient)
        await notifier.settled(visit, "confirmation", "skipped")
        others.know(visit)

        told = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()["answer"]

        assert told["to_come"] == []
        [line] = told["will_not_get"]
        assert (line.startswith("reminder 24h at "), why in line) == (True, True), line


async def test_d37_b1_a_cancellation_that_another_visits_message_told_of_names_both(
    notifier: RunningNotifier, others: Others
) -> None:
    """Cancelled and booked again at once is one move; asked of the old visit, the new one's message is named."""
    await notifier.start(read_key="the others' key", **others.urls)
    patient = await notifier.patient()
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    cancelled = await notifier.change(visit, status=Status.CANCELLED)
    await notifier.settled(cancelled, "cancelled", "queued")
    again = await notifier.book(patient, starts_at=MONDAY + timedelta(days=3))
    moved = await notifier.settled(again, "moved", "accepted")
    waits = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()
    notifier.step(timedelta(minutes=2))
    await notifier.settled(cancelled, "cancelled", "skipped")
    others.know(visit)

    told = (await notifier.ask("GET", f"/v1/appointments/{visit.appointment_id}/timeline")).json()
    _, shown, _ = await attend(notifier, "why", str(visit.appointment_id))

    [left_out] = [entry for entry in told["entries"] if entry["reason"] == "ALREADY_TOLD"]
    told_by = f"notice of the new time by email at 2027-03-01 09:00, of visit {str(again.appointment_id)[:13]}"
    assert left_out["text"].endswith(f": {told_by}")
    assert (left_out["ids"]["told_by"], left_out["ids"]["told_by_visit"]) == (
        str(moved["notification_id"]), str(again.appointment_id),
    )  # fmt: skip
    assert told_by in told["answer"]["text"]
    assert told_by in waits["answer"]["text"]
    assert f"of visit {str(again.appointment_id)[:13]}" in " ".join(shown.split())
