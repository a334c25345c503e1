"""`attend work-list` and `attend sending` against a real notifier (B12)."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from chassis.process.errors import AttendError
from stack.__main__ import app
from tests.support.notifier.running import CLINIC, KEY, RunningNotifier

pytestmark = pytest.mark.integration


class Attend:
    """The command, as somebody at another machine has it."""

    def __init__(self, notifier: RunningNotifier) -> None:
        self._environment = {
            "ATTEND_NOTIFIER_URL": f"http://127.0.0.1:{notifier.port}",
            "ATTEND_OPERATOR_KEY": KEY,
            "COLUMNS": "160",
        }

    async def run(self, *words: str, typed: str = "") -> tuple[int, str]:
        """Return exit code, and everything that was said."""
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=self._environment, input=typed)
        told = str(done.exception) if isinstance(done.exception, AttendError) else ""
        return done.exit_code, done.output + told

    async def json(self, *words: str) -> Any:
        """Return what it prints with `--json`."""
        code, out = await self.run(*words, "--json")
        assert code == 0, out
        return json.loads(out)


async def test_b12_a_person_finds_what_failed_and_sends_it_again_from_the_terminal(notifier: RunningNotifier) -> None:
    await notifier.start()
    attend = Attend(notifier)
    assert await attend.run("work-list") == (0, "No message waits for anybody.\n")
    patient = await notifier.patient(mobile=None)
    notifier.carriers.script(await notifier.address(patient, "email"), 550)
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "failed")

    code, out = await attend.run("work-list")
    [item] = (await attend.json("work-list"))["items"]

    assert code == 0
    assert all(word in out for word in ("Ada Abara", CLINIC, "failed: REFUSED", "resend, drop"))
    code, out = await attend.run("work-list", "resend", item["notification_id"][:13], "--by", "front desk")
    assert (code, out[:14]) == (0, "Sent again as ")
    await notifier.settled(visit, "confirmation", "accepted")
    code, out = await attend.run("work-list", "drop", item["notification_id"])
    assert (code, "resend by front desk" in out) == (1, True)
    code, out = await attend.run("work-list", "resend", item["notification_id"][:13])
    assert (code, out[:50]) == (0, "Done before, by front desk at 2027-03-01 09:00 UTC")
    assert "sent again as " in out
    code, out = await attend.run("work-list", "drop", "00000000")
    assert (code, "no message's id begins with 00000000" in out) == (1, True)
    assert (await attend.run("work-list", "drop", "0000"))[0] == 2
    assert (await attend.run("work-list", "settle", item["notification_id"]))[0] == 2


async def test_b12_the_front_desk_sees_who_cannot_be_reached_and_what_patients_answered(
    notifier: RunningNotifier,
) -> None:
    await notifier.start(lanes=())
    attend = Attend(notifier)
    code, out = await attend.run("work-list", "contacts")
    assert (code, out) == (0, "Everybody can be reached: 0 patients with visits ahead.\n")
    await notifier.settled(
        await notifier.book(await notifier.patient(mobile=None, email=None)), "confirmation", "skipped"
    )
    await notifier.pool.execute(
        """
        INSERT INTO reply (reply_id, channel, address_key, sender, text, meaning, verdict, why, clinic_id,
                           received_at)
        VALUES (gen_random_uuid(), 'sms', 'x', '+447700900123', '[bold]Call me\x1b[2J', 'other', 'staff',
                'NOT_UNDERSTOOD', $1, $2)""",
        CLINIC, notifier.now,
    )  # fmt: skip

    code, out = await attend.run("work-list", "contacts", "--clinic", CLINIC)
    assert (code, "Ada Abara" in out, "NO_CONTACT" in out) == (0, True, True)
    code, out = await attend.run("work-list", "--state", "failed")
    assert (code, out.splitlines()[0]) == (0, "No message that is failed waits; patients' answers do.")
    assert (await attend.run("work-list", "-c", "SOUTH")) == (0, "No message at SOUTH waits for anybody.\n")
    code, out = await attend.run("work-list", "contacts", "--reason", "OPTED_OUT")
    assert "Everybody" not in out
    code, out = await attend.run("work-list", "-c", CLINIC)
    assert (code, "NOT_UNDERSTOOD" in out, "[bold]Call me" in out, "\x1b" in out) == (0, True, True, False)
    assert (await attend.json("work-list", "-c", "SOUTH"))["replies"] == []


async def test_going_live_asks_first_and_says_how_many_messages_that_releases(notifier: RunningNotifier) -> None:
    await notifier.start(sending_mode="hold")
    attend = Attend(notifier)
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "queued")

    code, out = await attend.run("sending", "set", "--mode", "live", typed="n\n")
    assert code == 1
    assert "That releases 1 waiting messages to patients" in out
    assert (await attend.json("sending", "show"))["mode"] == "hold"
    code, out = await attend.run("sending", "set", "--clinic", CLINIC, "--mode", "live", "--yes", "--by", "A. Abara")
    assert (code, f"{CLINIC}: mode live" in out) == (0, True)
    await notifier.settled(visit, "confirmation", "accepted")

    told = await attend.json("sending", "set", "-c", CLINIC, "--window", "sms=09:00-20:00", "--no-show-follow-up")
    assert (told["mode"], told["channel_windows"], told["no_show_follow_up"]) == (
        "live",
        {"sms": ["09:00", "20:00"]},
        True,
    )
    told = await attend.json("sending", "set", "-c", CLINIC, "--window", "sms=", "--mode", "installation")
    assert (told["mode"], told["effective_mode"], told["channel_windows"]) == (None, "hold", {})
    code, out = await attend.run("sending", "show", "--clinic", CLINIC)
    assert (code, "A. Abara" in out) == (0, True)
    assert (await attend.run("sending", "set", "--mode", "loud"))[0] == 1
    assert (await attend.run("sending", "set", "--no-show-follow-up"))[0] == 2


async def test_b12_a_beginning_that_fits_several_messages_names_each_and_does_nothing(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    attend = Attend(notifier)
    for _ in range(2):
        patient = await notifier.patient(mobile=None)
        notifier.carriers.script(await notifier.address(patient, "email"), 550)
        await notifier.settled(await notifier.book(patient), "confirmation", "failed")
    first, second = (item["notification_id"] for item in (await attend.json("work-list"))["items"])
    twin = first[:-4] + f"{int(first[-4:], 16) ^ 1:04x}"
    await notifier.pool.execute(
        "UPDATE notification SET notification_id = $1 WHERE notification_id = $2", twin, second,
    )  # fmt: skip

    code, out = await attend.run("work-list", "drop", first[:13])

    assert (code, "is the beginning of several messages" in out) == (1, True)
    assert all(f"{each}  confirmation of the visit at 2027-03-03 09:00 UTC (NORTH), failed" in out
               for each in (first, twin))  # fmt: skip
    assert await notifier.pool.fetchval("SELECT count(*) FROM work_list_action") == 0
