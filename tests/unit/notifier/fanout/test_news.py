"""What each recipient is told of a visit: what is so, less what he was told (D58)."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.fanout.domain.news import FOLLOW_UP_WITHIN, Twin, messages_of
from notifier.fanout.domain.versions import Happened, Happening
from notifier.gate.domain.visit import Person
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import LEVEL_KINDS, REBOOKED_WITHIN
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, PROVIDER, STARTS, notification, visit
from tests.unit.notifier.fanout.memory import Memory
from tests.unit.notifier.fanout.test_versions import version

BEN, DR_2 = UUID("01890000-0000-7000-8000-00000000000b"), UUID("01890000-0000-5000-8000-00000000000c")
OTHER = UUID("01890000-0000-7000-8000-00000000000d")
NEXT_WEEK = STARTS + timedelta(days=7)
OFF = (Status.CANCELLED, Status.ENTERED_IN_ERROR, Status.WAITLIST, Status.PENDING, Status.PROPOSED)
BEGUN = (Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW)


def person(patient_id: UUID, **changes: Any) -> Person:
    ben = {field.name: getattr(visit(patient_id=patient_id), field.name) for field in fields(Person)}
    return Person(**{**ben, **changes})


async def confirmed(**fields: Any) -> Memory:
    memory = Memory(persons={one: person(one) for one in (PATIENT, BEN)})
    await memory.change(**fields)
    assert await memory.leave() == [Kind.CONFIRMATION]
    return memory


async def test_r20_r22_a_booking_is_told_to_both_once() -> None:
    memory = await confirmed()
    await memory.read(memory.visits[APPOINTMENT])
    await memory.change()

    assert await memory.leave() == []
    assert memory.notices == [(PROVIDER, Kind.PROVIDER_BOOKED)]


async def test_r27_two_moves_before_the_first_left_are_one_message_with_one_row() -> None:
    memory = await confirmed()
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    await memory.change(starts_at=NEXT_WEEK + timedelta(days=1), schedule_gen=3)

    assert memory.open == [Kind.MOVED]
    assert await memory.leave() == [Kind.MOVED]
    assert [one.said_starts_at for one in memory.ledger.values()][-1] == NEXT_WEEK + timedelta(days=1)


async def test_a_move_that_is_taken_back_before_it_was_told_is_nothing() -> None:
    memory = await confirmed()
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    await memory.change(starts_at=STARTS, schedule_gen=3)

    assert memory.open == []
    assert await memory.leave() == []


async def test_a_visit_moved_to_and_fro_is_told_each_time() -> None:
    memory = await confirmed()
    said = []
    for generation, starts in enumerate((NEXT_WEEK, STARTS, NEXT_WEEK, STARTS), 2):
        await memory.change(starts_at=starts, schedule_gen=generation)
        said += await memory.leave()

    assert said == [Kind.MOVED] * 4


@pytest.mark.parametrize("status", OFF)
async def test_whoever_was_told_that_a_visit_stands_is_told_that_it_does_not(status: Status) -> None:
    memory = await confirmed()
    await memory.change(status=status)
    waits = [one.next_attempt_at for one in memory.ledger.values() if one.state is NotificationState.QUEUED]

    assert waits == [memory.now + REBOOKED_WITHIN]
    assert await memory.leave() == [Kind.CANCELLED]
    assert memory.notices[-1] == (PROVIDER, Kind.PROVIDER_CANCELLED)
    await memory.change(status=Status.BOOKED, schedule_gen=2)
    assert await memory.leave(timedelta(hours=1)) == [Kind.CONFIRMATION]


@pytest.mark.parametrize("status", OFF)
async def test_nobody_is_told_of_the_end_of_what_he_never_heard_of(status: Status) -> None:
    memory = Memory()
    await memory.change(status=status)

    assert memory.ledger == {}
    await memory.change(status=Status.BOOKED)
    await memory.change(status=status)
    assert await memory.leave() == []


@pytest.mark.parametrize("status", BEGUN)
async def test_what_has_begun_is_no_news_until_it_is_booked_for_another_day_or_cancelled(status: Status) -> None:
    memory = await confirmed()
    await memory.change(status=status)
    assert await memory.leave() == []
    await memory.change(status=Status.BOOKED, schedule_gen=2)
    assert await memory.leave() == []
    await memory.change(status=status)
    await memory.change(status=Status.BOOKED, starts_at=NEXT_WEEK, schedule_gen=3)
    assert await memory.leave() == [Kind.MOVED]
    await memory.change(status=status)
    await memory.change(status=Status.CANCELLED)
    assert await memory.leave() == [Kind.CANCELLED]


@pytest.mark.parametrize("status", BEGUN)
async def test_who_is_here_without_a_booking_or_at_another_time_is_told_nothing(status: Status) -> None:
    walked_in = Memory()
    await walked_in.change(status=status)
    late = await confirmed()
    await late.change(status=status, starts_at=NEXT_WEEK, schedule_gen=2)

    assert (await walked_in.leave(), await late.leave()) == ([], [])
    told = [one.kind for memory in (walked_in, late) for one in memory.ledger.values() if one.recipient == "patient"]
    assert set(told) <= {Kind.CONFIRMATION, Kind.NO_SHOW}
    assert len(told) == 1 + (status is Status.NOSHOW)
    assert {kind for _, kind in (*walked_in.notices, *late.notices)} <= {Kind.PROVIDER_BOOKED, Kind.PROVIDER_ARRIVED}


async def test_a_cancellation_that_is_taken_back_before_it_was_told_is_nothing() -> None:
    memory = await confirmed()
    await memory.change(status=Status.CANCELLED)
    await memory.change(status=Status.BOOKED, schedule_gen=2)

    assert await memory.leave() == []


async def test_a_visit_given_to_another_patient_is_cancelled_for_the_one_and_confirmed_to_the_other() -> None:
    memory = await confirmed()
    await memory.change(patient_id=BEN, starts_at=NEXT_WEEK, schedule_gen=2)
    await memory.leave()
    told = {(one.recipient_id, one.kind): one for one in memory.ledger.values() if one.recipient == "patient"}

    assert set(told) == {(PATIENT, Kind.CONFIRMATION), (BEN, Kind.CONFIRMATION), (PATIENT, Kind.CANCELLED)}
    assert told[PATIENT, Kind.CANCELLED].said_starts_at == STARTS
    assert told[BEN, Kind.CONFIRMATION].said_starts_at == NEXT_WEEK
    await memory.change(patient_id=PATIENT, starts_at=STARTS, schedule_gen=3)
    assert sorted(await memory.leave(timedelta(hours=1))) == [Kind.CANCELLED, Kind.CONFIRMATION]


async def test_a_patient_merged_into_another_is_the_same_one() -> None:
    memory = await confirmed()
    memory.persons[PATIENT] = person(BEN)
    await memory.change(patient_id=BEN)

    assert await memory.leave() == []
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    assert await memory.leave() == [Kind.MOVED]


async def test_the_old_provider_is_told_that_it_is_not_his_and_the_new_one_that_it_is() -> None:
    memory = await confirmed()
    await memory.change(provider_id=DR_2)
    await memory.change(status=Status.CANCELLED)

    assert memory.notices == [
        (PROVIDER, Kind.PROVIDER_BOOKED),
        (DR_2, Kind.PROVIDER_BOOKED),
        (PROVIDER, Kind.PROVIDER_CANCELLED),
        (DR_2, Kind.PROVIDER_CANCELLED),
    ]


async def test_a_provider_who_gets_a_visit_back_is_told_each_time() -> None:
    memory = await confirmed()
    for provider in (DR_2, PROVIDER, DR_2, PROVIDER):
        await memory.change(provider_id=provider)

    assert [kind for who, kind in memory.notices if who == PROVIDER] == [
        Kind.PROVIDER_BOOKED, Kind.PROVIDER_CANCELLED, Kind.PROVIDER_BOOKED, Kind.PROVIDER_CANCELLED,
        Kind.PROVIDER_BOOKED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "reason", "come"),
    [
        ({"registered": False}, Reason.UNKNOWN_PATIENT, PATIENT),
        ({"mobile": None, "email": None}, Reason.NO_CONTACT, PATIENT),
    ],
)
async def test_what_could_not_be_told_for_want_of_somebody_is_told_once_he_comes(
    missing: dict[str, Any], reason: Reason, come: UUID
) -> None:
    memory = Memory()
    await memory.change(**missing)
    [held] = [one for one in memory.ledger.values() if one.recipient == "patient"]

    assert (held.state, held.reason, memory.turns) == (NotificationState.SKIPPED, reason, [str(PATIENT)])
    await memory.come(come)
    assert memory.open == []
    memory.visits[APPOINTMENT] = visit()
    await memory.come(come)
    assert await memory.leave() == [Kind.CONFIRMATION]
    assert await memory.leave() == []


async def test_r21_a_provider_who_is_registered_later_is_told_then() -> None:
    memory = Memory()
    await memory.change(provider_name=None)
    assert (memory.notices, memory.turns) == ([], [str(PROVIDER)])
    memory.visits[APPOINTMENT] = visit()
    await memory.come(PROVIDER)

    assert memory.notices == [(PROVIDER, Kind.PROVIDER_BOOKED)]


async def test_what_waits_for_somebody_and_is_cancelled_meanwhile_is_not_said() -> None:
    memory = Memory()
    await memory.change(mobile=None, email=None)
    await memory.change(status=Status.CANCELLED)
    await memory.change(mobile="+442071838750")
    await memory.come(PATIENT)

    assert await memory.leave() == []
    assert {one.reason for one in memory.ledger.values() if one.recipient == "patient"} == {Reason.NO_CONTACT}


async def test_d43_b5_imported_history_tells_nobody_and_counts_as_told() -> None:
    memory = Memory()
    await memory.change(mode=IngestMode.BACKFILL)
    assert (await memory.leave(), memory.notices) == ([], [])
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    assert await memory.leave() == [Kind.MOVED]
    await memory.change(status=Status.CANCELLED)
    assert await memory.leave() == [Kind.CANCELLED]
    assert [kind for _, kind in memory.notices] == [Kind.PROVIDER_MOVED, Kind.PROVIDER_CANCELLED]


@pytest.mark.parametrize(("starts", "says"), [(STARTS, Kind.CONFIRMATION), (NEXT_WEEK, Kind.MOVED)])
async def test_what_is_under_way_may_have_told_what_is_not_so_and_proves_nothing_of_what_is(
    starts: datetime, says: Kind
) -> None:
    memory = Memory()
    await memory.change()
    [queued] = [one for one in memory.ledger.values() if one.recipient == "patient"]
    told = {"recipient_id": PATIENT, "said_starts_at": STARTS, "said_at": memory.now, "clinic_id": "NORTH"}
    reminder = notification(state=NotificationState.SENDING, **told)
    memory.ledger[reminder.notification_id] = reminder
    memory.visits[APPOINTMENT] = visit(starts_at=starts)

    assert (await memory.judged(queued)).kind is says
    memory.ledger[reminder.notification_id] = replace(
        reminder, state=NotificationState.ACCEPTED, accepted_at=memory.now
    )
    assert (await memory.judged(queued)).reason is (Reason.ALREADY_TOLD if starts == STARTS else None)


async def test_what_may_have_arrived_counts_as_told() -> None:
    memory = Memory()
    await memory.change()
    assert await memory.leave(outcome="unknown") == [Kind.CONFIRMATION]
    await memory.change(status=Status.CANCELLED)

    assert await memory.leave() == [Kind.CANCELLED]


async def test_d37_a_cancelled_visit_and_one_booked_in_its_place_are_one_move_and_one_row_each() -> None:
    memory = await confirmed()
    gone, new = replace(visit(), status=Status.CANCELLED, version=2), visit(appointment_id=OTHER, starts_at=NEXT_WEEK)
    memory.visits |= {APPOINTMENT: gone, OTHER: new}
    memory.twin = [
        Twin(APPOINTMENT, OTHER, Status.CANCELLED, Status.BOOKED),
        Twin(OTHER, APPOINTMENT, Status.BOOKED, Status.CANCELLED),
    ]
    await memory.read(gone)
    await memory.read(new)

    assert sorted(memory.open) == [Kind.CANCELLED, Kind.MOVED]
    assert await memory.leave(timedelta(0)) == [Kind.MOVED]
    assert await memory.leave() == []


async def test_d37_a_confirmation_waits_for_the_other_visit_to_be_cancelled_for_it() -> None:
    memory = await confirmed()
    new = visit(appointment_id=OTHER, starts_at=NEXT_WEEK)
    memory.visits[OTHER], memory.twin = new, [Twin(OTHER, APPOINTMENT, Status.BOOKED, Status.BOOKED)]
    await memory.read(new)
    [waits] = [one for one in memory.ledger.values() if one.state is NotificationState.QUEUED]
    memory.visits[APPOINTMENT] = gone = replace(visit(), status=Status.CANCELLED, version=2)
    memory.twin = [Twin(APPOINTMENT, OTHER, Status.CANCELLED, Status.BOOKED)]
    await memory.read(gone)

    assert waits.next_attempt_at == memory.now + REBOOKED_WITHIN
    assert memory.ledger[waits.notification_id].kind is Kind.MOVED
    assert memory.ledger[waits.notification_id].next_attempt_at == memory.now


async def test_d37_a_visit_cancelled_before_its_patient_heard_of_it_cancels_the_one_that_he_knows() -> None:
    memory = await confirmed()
    gone, new = replace(visit(), status=Status.CANCELLED, version=2), visit(appointment_id=OTHER, starts_at=NEXT_WEEK)
    memory.visits |= {APPOINTMENT: gone, OTHER: new}
    memory.twin = [Twin(OTHER, APPOINTMENT, Status.BOOKED, Status.CANCELLED)]
    await memory.read(gone)
    await memory.read(new)
    memory.visits[OTHER], memory.twin = replace(new, status=Status.CANCELLED, version=2), []
    await memory.read(memory.visits[OTHER])

    assert await memory.leave() == [Kind.CANCELLED]
    told = [one.appointment_id for one in memory.ledger.values() if one.kind is Kind.CANCELLED]
    assert told == [APPOINTMENT]


def test_every_kind_is_a_level_a_happening_or_has_an_hour_of_its_own() -> None:
    timed = {Kind.REMINDER, Kind.TODAY, Kind.CLEARANCE_MISSING, Kind.PROVIDER_DAY}

    assert LEVEL_KINDS | {happened(what).kind for what in Happening} == set(Kind) - timed


def happened(what: Happening, mode: IngestMode = IngestMode.LIVE) -> Notification:
    reading = version(1, mode=mode, ends_at=STARTS + timedelta(minutes=30))
    [one] = messages_of([Happened(what, reading, APPOINTMENT)], NOW)
    return one


def test_an_arrival_is_news_until_the_visit_ends_and_a_missed_visit_for_two_days_more() -> None:
    arrived, missed = happened(Happening.ARRIVED), happened(Happening.NOSHOW)

    assert (arrived.kind, arrived.not_after) == (Kind.PROVIDER_ARRIVED, STARTS + timedelta(minutes=30))
    assert (missed.kind, missed.not_after) == (Kind.NO_SHOW, STARTS + timedelta(minutes=30) + FOLLOW_UP_WITHIN)


def test_a_check_in_without_clearance_is_told_to_the_provider_for_two_days_more() -> None:
    told = happened(Happening.NOT_CLEARED)

    assert (told.kind, told.recipient) == (Kind.PROVIDER_NOT_CLEARED, "provider")
    assert told.not_after == STARTS + timedelta(minutes=30) + FOLLOW_UP_WITHIN


@pytest.mark.parametrize("what", Happening)
def test_d43_nobody_is_told_of_what_happened_in_imported_history(what: Happening) -> None:
    told = happened(what, IngestMode.BACKFILL)

    assert (told.state, told.reason) == (NotificationState.SKIPPED, Reason.BACKFILL)
