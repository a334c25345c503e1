"""What other rules do to the reminders of one visit: the same answer for the dry run and for the change itself (B4).

Both plan with `schemas.planning.plan`, as the worker does.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from booking.domain.policies import slugs_of
from schemas.appointments import SENDABLE, Appointment, ReminderPolicy, ReminderRule
from schemas.planning import plan
from schemas.reminders import PlannedReminder, Reason, ReminderStatus


class Effect(NamedTuple):
    """Counts over visits. Only reminders that were still to come when the rules were set are counted.

    Attributes:
        appointments: Visits that get a new version.
        added: Reminders that a visit gains.
        removed: Reminders that it loses.
        moved: Reminders that leave at another time: of what one visit loses and gains, as many as make pairs.
        kept: Reminders that stay as they are.
        too_late: New ones whose moment had passed when the rules were set: recorded, never sent (D14).
    """

    appointments: int = 0
    added: int = 0
    removed: int = 0
    moved: int = 0
    kept: int = 0
    too_late: int = 0

    def plus(self, other: "Effect") -> "Effect":
        """Return the sums."""
        return Effect(*(one + two for one, two in zip(self, other, strict=True)))


NOTHING = Effect()


def is_touched(appointment: Appointment, rules: Sequence[ReminderRule]) -> bool:
    """Say whether these rules give the visit other reminders than the version it has.

    A visit that may not be reminded is not touched: it has no reminder to lose, and on its way back to a status
    that may be reminded it is stamped anew (D10).
    """
    return appointment.status in SENDABLE and slugs_of(appointment.policy.rules) != slugs_of(rules)


def effect_of(appointment: Appointment, policy: ReminderPolicy, since: datetime) -> Effect:
    """Return what the policy changes for one visit.

    Args:
        appointment: The version it has, with the policy stamped into it.
        policy: The policy wanted.
        since: When it comes into force: what was due by then has left or never will.
    """
    if not is_touched(appointment, policy.rules):
        return NOTHING
    before = _to_come(plan(appointment), since)
    planned = plan(appointment.model_copy(update={"policy": policy}))
    after = _to_come(planned, since)
    kept = before & after
    lost, gained = len(before) - len(kept), len(after) - len(kept)
    moved = min(lost, gained)
    held = slugs_of(appointment.policy.rules)
    late = sum(r.reason is Reason.DUE_IN_PAST and r.rule not in held for r in planned)
    return Effect(1, gained - moved, lost - moved, moved, len(kept), late)


def _to_come(planned: Sequence[PlannedReminder], since: datetime) -> set[UUID]:
    return {r.reminder_id for r in planned if r.status is ReminderStatus.SCHEDULED and r.due > since}


def would_have_left(versions: Sequence[Appointment], rules: Sequence[ReminderRule] | None = None) -> int:
    """Return how many reminders of one visit came due while the version that planned them was the newest.

    Args:
        versions: Every version of the visit, in order.
        rules: Rules to imagine in force ever since; None for those that each version was stamped with.
    """
    return sum(1 for _ in _left(versions, rules))


def _left(versions: Sequence[Appointment], rules: Sequence[ReminderRule] | None) -> Iterator[PlannedReminder]:
    for version, following in pairwise((*versions, None)):
        assert version is not None  # noqa: S101  # only the last of the last pair is
        until = None if following is None else following.ingest_time
        for reminder in plan(version if rules is None else _imagined(version, rules)):
            in_time = version.ingest_time < reminder.due and (until is None or reminder.due <= until)
            if reminder.status is ReminderStatus.SCHEDULED and in_time:
                yield reminder


def _imagined(version: Appointment, rules: Sequence[ReminderRule]) -> Appointment:
    """Return the version as if the rules had been in force when its schedule was set."""
    old = tuple(rule.model_copy(update={"in_force_since": version.schedule_set_at}) for rule in rules)
    return version.model_copy(update={"policy": version.policy.model_copy(update={"rules": old})})
