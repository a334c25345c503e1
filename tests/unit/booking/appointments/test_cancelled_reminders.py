"""A change that ends a schedule says how many reminders it takes back (R14)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch
from booking.appointments.domain.state import Result
from schemas.appointments import Bar, Status
from tests.support.booking.builders import ANN, HOUR, NOW, START, batch, change, command

MINUTE = timedelta(minutes=1)


def booked(**given: Any) -> Batch:
    first = batch()
    assert first.take(command(**given)).result is Result.APPLIED
    return first


def taken_back(at: datetime, status: Status = Status.CANCELLED, known: Batch | None = None, **given: Any) -> int | None:
    """Return what the change of a visit with reminders 24 and 2 hours before says, sent at this moment."""
    return batch(known=known or booked(), now=at).take(change("e2", status, **given)).reminders_cancelled


@pytest.mark.parametrize(
    ("at", "to_come"),
    [
        (NOW, 2),
        (START - 24 * HOUR - MINUTE, 2),
        (START - 24 * HOUR, 1),
        (START - 2 * HOUR - MINUTE, 1),
        (START - 2 * HOUR, 0),
        (START + HOUR, 0),
    ],
)
def test_r14_a_cancellation_takes_back_the_reminders_that_are_still_to_come(at: datetime, to_come: int) -> None:
    assert taken_back(at) == to_come


def test_r14_a_move_to_another_time_or_clinic_takes_them_back_too() -> None:
    assert taken_back(NOW, Status.BOOKED, starts_at=START + HOUR, ends_at=START + 2 * HOUR) == 2
    assert taken_back(NOW, Status.BOOKED, clinic="ENT") == 2


def test_r14_d16_reminders_that_the_clinics_hours_leave_no_moment_are_not_counted() -> None:
    at_dawn = booked(starts_at=START.replace(hour=7, minute=30), ends_at=START.replace(hour=8))

    assert taken_back(NOW, known=at_dawn) == 2  # one of them the evening before
    assert taken_back(START.replace(hour=0), known=at_dawn) == 0


@pytest.mark.parametrize("bar", Bar)
def test_r14_d44_a_patient_to_whom_no_message_may_go_has_none_to_take_back(bar: Bar) -> None:
    before = booked()
    cancelling = batch(known=before)
    cancelling.known = replace(cancelling.known, barred={ANN: bar})
    assert cancelling.take(change("e2", Status.CANCELLED)).reminders_cancelled == 0


def test_r14_a_change_that_ends_no_schedule_says_nothing_of_reminders() -> None:
    assert taken_back(NOW, Status.BOOKED, provider="dr-no") is None
    assert batch().take(command()).reminders_cancelled is None
    cancelled = booked()
    cancelled.take(change("e2", Status.CANCELLED))
    assert batch(known=cancelled).take(change("e3", Status.ENTERED_IN_ERROR)).reminders_cancelled is None


def test_r14_within_one_batch_the_answer_counts_from_the_version_before_it() -> None:
    one = batch()
    answers = [
        one.take(command()),
        one.take(change("e2", starts_at=START + HOUR)),
        one.take(change("e3", Status.CANCELLED)),
    ]
    assert [answer.reminders_cancelled for answer in answers] == [None, 2, 2]
