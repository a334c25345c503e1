"""Reminders ahead by clinic and minute (B9), as differences to add to what was counted before."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from reminders.projector.domain.book import Reminder
from schemas.reminders import ReminderStatus

type Slot = tuple[str, datetime]
"""A clinic and a whole minute, in UTC."""


def slot_of(reminder: Reminder | None) -> Slot | None:
    """Return where a reminder is counted while it is SCHEDULED and not handed over: its clinic and minute."""
    if reminder is None or reminder.status is not ReminderStatus.SCHEDULED or reminder.handed_over_at is not None:
        return None
    if reminder.clinic_id is None or reminder.scheduled_for is None:
        return None
    return reminder.clinic_id, reminder.scheduled_for.astimezone(UTC).replace(second=0, microsecond=0)


def differences(changed: Iterable[tuple[Reminder | None, Reminder]]) -> list[tuple[Slot, int]]:
    """Return what to add to each slot, in the order of the slots, none of them zero.

    Args:
        changed: Each record as it was (None: it was not there) and as it is.
    """
    added: Counter[Slot] = Counter()
    for before, after in changed:
        left, entered = slot_of(before), slot_of(after)
        if left == entered:
            continue
        if left is not None:
            added[left] -= 1
        if entered is not None:
            added[entered] += 1
    return sorted((slot, number) for slot, number in added.items() if number)
