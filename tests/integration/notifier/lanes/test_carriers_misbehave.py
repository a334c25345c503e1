"""What carriers do wrong: at most one acceptance for a notification and channel, and honesty about the rest."""

import asyncio
import signal
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from notifier.carriers.accounts import Accounts
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.lanes.handle.claims import claim
from notifier.lanes.handle.judgement import Asking, record
from notifier.lanes.handle.leases import run_out_leases
from notifier.lanes.handle.ports import Answered
from notifier.lanes.store import PostgresLedger
from notifier.ledger.domain.notification import NotStarted
from schemas.appointments import Appointment
from schemas.notifications import Channel, Outcome
from schemas.reminders import Reason
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Case:
    """One patient, whose carrier answers so, and his reminder."""

    address: str
    visit: Appointment


async def case(notifier: RunningNotifier, by: str, *answers: int | str) -> Case:
    """Commit a visit of a patient reachable by SMS or email alone, whose carrier answers so."""
    nothing: dict[str, Any] = {"mobile" if by == "email" else "email": None}
    patient = await notifier.patient(**nothing)
    address = await notifier.address(patient, "email" if by == "email" else "mobile")
    notifier.carriers.script(address, *answers)
    visit = notifier.visit(patient)
    await notifier.hold(visit)
    return Case(address, visit)


async def test_r24_r25_temporary_refusals_are_tried_again_and_permanent_ones_are_not(notifier: RunningNotifier) -> None:
    """A 429 pauses the account: what is claimed beside it is given back before its call begins, and is no attempt."""
    again = (("sms", 429), ("sms", 500), ("sms", 503), ("email", 450), ("email", 421))
    never = (("sms", 400), ("sms", 422), ("email", 550), ("email", 553))
    temporary = [await case(notifier, by, answer, answer) for by, answer in again]
    permanent = [await case(notifier, by, answer) for by, answer in never]
    late = await case(notifier, "sms", *[503] * 50)
    await notifier.start()
    for one in (*temporary, *permanent):
        await notifier.due(one.visit)
    await notifier.due(late.visit, not_after=notifier.now + timedelta(minutes=10))

    for one in permanent:
        row = await notifier.settled(one.visit, "reminder", "failed")
        assert (row["reason"], row["attempts"]) == (Reason.REFUSED, 1)
    for tries in (1, 2):
        for one in temporary:
            await notifier.tried_or_accepted(one.visit, tries)
        notifier.step(timedelta(minutes=1))
    for one in temporary:
        assert (await notifier.settled(one.visit, "reminder", "accepted"))["attempts"] == 3
        assert len(notifier.carriers.to(one.address)) == 1
        assert notifier.carriers.asked.count(one.address) == 3
        [told] = (await notifier.ask("GET", f"/v1/notifications?appointment={one.visit.appointment_id}")).json()[
            "items"
        ]
        assert [call["ordinal"] for call in told["calls"]] == [1, 2, 3]
    notifier.step(timedelta(minutes=8))  # D33: refused until no attempt fits before the deadline
    assert (await notifier.settled(late.visit, "reminder", "failed"))["reason"] == Reason.TOO_LATE
    assert [notifier.carriers.asked.count(one.address) for one in permanent] == [1] * len(permanent)


async def test_g5_b7_what_was_accepted_without_a_readable_answer_is_unknown_and_never_sent_again(
    notifier: RunningNotifier,
) -> None:
    """Mail servers that answered the data with garbage, or with a 2xx of their own, were sent the mail again once."""
    unreadable = {"sms": ("silent", "garbage", "drip", "cut"), "email": ("silent", "cut", "garbage", "odd")}
    cases = [await case(notifier, by, answer) for by, answers in unreadable.items() for answer in answers]
    await notifier.start(carrier_timeout_s=3, lease_s=60)
    for one in cases:
        await notifier.due(one.visit)
    rows = [await notifier.settled(one.visit, "reminder", "unknown") for one in cases]
    notifier.step(timedelta(hours=1))
    await asyncio.sleep(0.5)

    for one, row in zip(cases, rows, strict=True):
        assert row["reason"] == Reason.OUTCOME_UNKNOWN
        assert [taken.reference for taken in notifier.carriers.to(one.address)] == [str(row["attempt_id"])]
        assert await notifier.row(one.visit, "reminder") == row
    assert (await notifier.look("/status")).json()["unknown"] == len(cases)
    metrics = (await notifier.look("/metrics")).text
    for lane in ("sms", "email"):
        assert f'attend_notifications_total{{lane="{lane}",outcome="unknown",reason="OUTCOME_UNKNOWN"}} 4.0' in metrics


async def test_r40_a_carrier_that_nobody_answers_at_holds_up_no_other_lane(notifier: RunningNotifier) -> None:
    by_sms, by_mail = await notifier.patient(), await notifier.patient(mobile=None)
    await notifier.start(twilio_base_url="http://127.0.0.1:9")
    stuck, visit = notifier.visit(by_sms), notifier.visit(by_mail)
    for one in (stuck, visit):
        await notifier.hold(one)
        await notifier.due(one)

    await notifier.settled(visit, "reminder", "accepted")
    await notifier.tried(stuck, "reminder", 1)
    attempt = await notifier.pool.fetchrow("SELECT * FROM attempt WHERE channel = 'sms'")
    assert attempt is not None
    assert (attempt["outcome"], attempt["code"]) == ("not-accepted", "ConnectError")


async def test_g5_a_lane_killed_while_it_sends_leaves_unknown_and_nothing_is_sent_twice(
    notifier: RunningNotifier,
) -> None:
    """kill -9 during the call: the carrier took the message, the answer died with the process."""
    one = await case(notifier, "sms", "silent")
    visit, address = one.visit, one.address
    await notifier.start(lanes=())
    lane = await notifier.process("lane", "sms")
    await notifier.due(visit)

    async def taken() -> bool:
        return len(notifier.carriers.to(address)) == 1

    await until(taken)
    lane.send_signal(signal.SIGKILL)
    await lane.wait()
    row = await notifier.row(visit, "reminder")
    assert row is not None
    assert row["state"] == "sending"

    await notifier.let_leases_run_out()
    await notifier.start(fanout=False, lanes=(Channel.SMS,))
    row = await notifier.settled(visit, "reminder", "unknown")
    notifier.step(timedelta(hours=1))
    await asyncio.sleep(0.5)

    assert notifier.carriers.asked == [address]
    attempts = await notifier.pool.fetch("SELECT outcome, code FROM attempt")
    assert [tuple(attempt) for attempt in attempts] == [("unknown", "LEASE_RAN_OUT")]

    async def published() -> bool:
        return [one.outcome for one in await notifier.outcomes() if one.kind == "reminder"] == [Outcome.UNKNOWN]

    await until(published)


async def test_r25_a_lease_that_ran_out_leaves_an_attempt_whoever_says_later_that_its_call_never_began(
    notifier: RunningNotifier,
) -> None:
    """A process that froze between claim and call: by then the message is listed unknown, and stays it."""
    one = await case(notifier, "sms")
    await notifier.start(lanes=())
    await notifier.due(one.visit)
    await notifier.settled(one.visit, "reminder", "queued")
    accounts = Accounts("ours", {})
    ledger = PostgresLedger(notifier.pool, timedelta(minutes=1), {Channel.SMS: accounts}, notifier.peppers)
    asking = Asking(Channel.SMS, {"ours": 1}, accounts, SendingMode(SendingModeName.LIVE), notifier.now, machine_s=0.0)
    [call] = (await claim(ledger, asking)).calls

    await notifier.let_leases_run_out()
    await run_out_leases(ledger, asking)
    await record(ledger, Channel.SMS, [Answered(call, NotStarted())], notifier.now, 0.5)

    row = await notifier.settled(one.visit, "reminder", "unknown")
    attempts = await notifier.pool.fetch("SELECT outcome, code FROM attempt")
    assert (row["attempts"], [tuple(made) for made in attempts]) == (1, [("unknown", "LEASE_RAN_OUT")])


async def test_i6_two_instances_of_a_lane_share_the_work_and_double_nothing(notifier: RunningNotifier) -> None:
    patients = [await notifier.patient() for _ in range(40)]
    for patient in patients:
        visit = notifier.visit(patient)
        await notifier.hold(visit)
        await notifier.due(visit)
    await notifier.start(lanes=(Channel.SMS,), sms_slots=3)
    await notifier.start(fanout=False, lanes=(Channel.SMS,), sms_slots=3)

    async def all_accepted() -> bool:
        count = await notifier.pool.fetchval("SELECT count(*) FROM notification WHERE state = 'accepted'")
        return bool(count == len(patients))

    await until(all_accepted)
    accepted = await notifier.pool.fetch("SELECT attempt_id::text FROM attempt WHERE outcome = 'accepted'")
    assert sorted(one.reference for one in notifier.carriers.taken) == sorted(row[0] for row in accepted)
    assert len(notifier.carriers.taken) == len(patients)
