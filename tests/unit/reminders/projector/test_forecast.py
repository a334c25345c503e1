"""Which reminders are counted as ahead, and where (B9)."""

from datetime import timedelta

import pytest

from reminders.projector.domain.book import Reminder
from reminders.projector.domain.forecast import differences, slot_of
from schemas.reminders import ReminderStatus
from tests.support.reminders.builders import VISIT, id_of

AHEAD = Reminder(id_of("reminder"), id_of("visit"), 1, 1, clinic_id="EYE", scheduled_for=VISIT + timedelta(seconds=42))
OUT = AHEAD._replace(handed_over_at=VISIT)
OVER = AHEAD._replace(status=ReminderStatus.CANCELLED)


def test_b9_a_scheduled_reminder_is_counted_in_its_minute() -> None:
    assert differences([(None, AHEAD)]) == [(("EYE", VISIT), 1)]


@pytest.mark.parametrize("after", [OUT, OVER])
def test_b9_what_was_handed_over_or_will_not_leave_is_not_ahead(after: Reminder) -> None:
    assert slot_of(after) is None
    assert differences([(AHEAD, after)]) == [(("EYE", VISIT), -1)]
    assert differences([(None, after)]) == []


def test_b9_a_reminder_that_moves_leaves_one_minute_and_enters_another() -> None:
    later = AHEAD._replace(scheduled_for=VISIT + timedelta(minutes=5))
    assert differences([(AHEAD, later)]) == [(("EYE", VISIT), -1), (("EYE", VISIT + timedelta(minutes=5)), 1)]


def test_b9_what_stays_in_its_minute_changes_no_count() -> None:
    assert differences([(AHEAD, AHEAD._replace(scheduled_for=VISIT))]) == []
