"""A lane makes one call for a person's news of a day: each row keeps its gate, its attempt and its outcome."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from notifier.lanes.domain.together import SOON, STEPS_BACK
from notifier.lanes.handle.claims import claim
from notifier.lanes.handle.judgement import Asking, Claimed, record
from notifier.lanes.handle.ports import Answered
from notifier.ledger.domain.notification import (
    Accepted,
    CarrierResult,
    NotAccepted,
    Notification,
    NotStarted,
    Rejected,
    Unsure,
)
from notifier.ledger.domain.states import NotificationState
from schemas.appointments import Status
from schemas.notifications import Channel
from tests.support.notifier.builders import NOW, STARTS
from tests.unit.notifier.lane_fakes import ACCOUNTS, LIVE, FakeCarrier, MemoryLedger, lane_over, run_until, run_while
from tests.unit.notifier.lanes.test_together import may, row


def ledger_of(*rows: Notification) -> MemoryLedger:
    """Return a ledger of these, whose patient has no email: his news goes by SMS."""
    ledger = MemoryLedger(*rows)
    ledger.visit = replace(ledger.visit, email=None)
    ledger.starts = {one.appointment_id: STARTS + timedelta(minutes=nth) for nth, one in enumerate(rows)}
    return ledger


async def claimed_of(ledger: MemoryLedger, most: int = 64, now: datetime = NOW) -> Claimed:
    asking = Asking(Channel.SMS, {"ours": most}, ACCOUNTS, LIVE, now, ledger.machine_s, may_tell=may)
    return await claim(ledger, asking)


async def test_a_lane_makes_one_call_for_all_and_each_row_is_accepted() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.ACCEPTED)

    assert [len(one.every) for one in carrier.calls] == [4]
    assert sorted(ledger.attempts.values()) == ["Accepted"] * 4
    assert {one.attempts for one in ledger.held.values()} == {1}
    assert len({one.attempt_id for one in ledger.held.values()}) == 4
    assert {one.version for one in ledger.published} == {1}


async def test_one_slot_is_enough_for_all_of_them() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])

    made = (await claimed_of(ledger, most=1)).calls

    assert [len(one.every) for one in made] == [4]


async def test_each_row_passes_its_own_gate_and_who_does_not_is_no_part_of_the_call() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    ledger.off = {UUID(int=1003)}

    made = (await claimed_of(ledger)).calls

    assert [len(one.every) for one in made] == [3]
    assert ledger.held[UUID(int=3)].state is NotificationState.SKIPPED


async def test_what_is_due_soon_leaves_with_what_is_due_now_and_not_without_it() -> None:
    soon, later = NOW + SOON, NOW + SOON + timedelta(seconds=1)
    ledger = ledger_of(row(1), row(2, next_attempt_at=soon), row(3, next_attempt_at=later))

    [made] = (await claimed_of(ledger)).calls

    assert [one.notification_id.int for one in made.every] == [1, 2]
    assert ledger.held[UUID(int=3)] == row(3, next_attempt_at=later)


async def test_what_is_due_soon_on_another_day_stays_untouched() -> None:
    other = row(2, next_attempt_at=NOW + SOON)
    ledger = ledger_of(row(1), other)
    ledger.starts[other.appointment_id] = STARTS + timedelta(days=1)

    [made] = (await claimed_of(ledger)).calls

    assert len(made.every) == 1
    assert ledger.held[other.notification_id] == other


async def test_what_was_refused_for_now_is_never_tried_sooner_for_company() -> None:
    ledger = ledger_of(row(1), row(2, next_attempt_at=NOW + timedelta(seconds=3), attempts=1, step_attempts=1))

    [made] = (await claimed_of(ledger)).calls

    assert len(made.every) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Accepted("r"), NotificationState.ACCEPTED),
        (Rejected("TWILIO_21211"), NotificationState.QUEUED),
        (NotAccepted("HTTP_503"), NotificationState.QUEUED),
        (Unsure("TIMEOUT"), NotificationState.UNKNOWN),
        (NotStarted(), NotificationState.QUEUED),
    ],
)
async def test_an_answer_is_of_each_row_and_what_is_tried_again_is_so_together(
    answer: CarrierResult, state: NotificationState
) -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    [made] = (await claimed_of(ledger)).calls

    await record(ledger, Channel.SMS, [Answered(made, answer)], NOW, 0.5)

    assert {one.state for one in ledger.held.values()} == {state}
    assert len({one.next_attempt_at for one in ledger.held.values()}) == 1
    assert {ledger.attempts[one.attempt_id] for one in made.every} == {type(answer).__name__}
    if isinstance(answer, NotAccepted | NotStarted):
        [again] = (await claimed_of(ledger, now=NOW + timedelta(minutes=1))).calls
        assert len(again.every) == 4


async def test_at_a_retry_whoever_no_longer_fits_is_left_out_and_the_others_leave() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    [made] = (await claimed_of(ledger)).calls
    await record(ledger, Channel.SMS, [Answered(made, NotAccepted("HTTP_503"))], NOW, 0.5)
    ledger.off = {made.visit.appointment_id}

    [again] = (await claimed_of(ledger, now=NOW + timedelta(minutes=1))).calls

    assert [one.notification_id.int for one in again.every] == [2, 3, 4]
    assert ledger.held[made.notification_id].state is NotificationState.SKIPPED


async def test_what_another_process_has_is_waited_for_by_whoever_has_the_first() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    ledger.locked_elsewhere = {UUID(int=2)}

    assert (await claimed_of(ledger)).calls == []
    assert ledger.held[UUID(int=1)] == row(1)

    ledger.locked_elsewhere = set()
    [made] = (await claimed_of(ledger)).calls
    assert len(made.every) == 4


async def test_who_does_not_have_the_first_puts_his_off_and_the_first_takes_them_along() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    ledger.locked_elsewhere = {UUID(int=1)}

    assert (await claimed_of(ledger)).calls == []
    assert {one.next_attempt_at for one in ledger.held.values()} == {NOW, NOW + STEPS_BACK}

    ledger.locked_elsewhere = set()
    [made] = (await claimed_of(ledger, most=1)).calls
    assert len(made.every) == 4


async def test_a_row_that_cannot_be_read_is_taken_aside_and_the_others_leave() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    ledger.unreadable = {UUID(int=2)}
    carrier = FakeCarrier(ledger)
    rest = {UUID(int=number) for number in (1, 3, 4)}

    def lacks() -> bool:
        return any(ledger.held[one].state is not NotificationState.ACCEPTED for one in rest)

    await run_while(lane_over(ledger, carrier), lacks)

    assert {each.notification_id for one in carrier.calls for each in one.every} == rest


async def test_the_gate_of_a_visit_that_is_gone_since_is_asked_of_every_row_of_the_call() -> None:
    ledger = ledger_of(*[row(number) for number in range(1, 5)])
    ledger.visit = replace(ledger.visit, status=Status.CANCELLED)

    assert (await claimed_of(ledger)).calls == []
    assert {one.state for one in ledger.held.values()} == {NotificationState.SKIPPED}
