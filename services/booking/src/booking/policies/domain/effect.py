"""What other rules do to the reminders of one visit: the same answer for the dry run and for the change itself (B4).

Both plan with the function of `schemas.planning` that the worker plans with.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from booking.clinics.domain.own_policy import slugs_of
from schemas.appointments import Appointment, ReminderPolicy, ReminderRule
from schemas.hours import hours_of
from schemas.instants import micros
from schemas.planning import Slot, lead_of, reason_not_to_remind, slots
from schemas.reminders import Reason


class Effect(NamedTuple):
    """Counts over visits. Only reminders that were still to come when the rules were set are counted.

    Attributes:
        moved: Reminders that leave at another time: of what one visit loses and gains, as many as make pairs.
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
    that may be reminded, or when messages may go to its patient again, it is stamped anew (D10, D44).
    """
    never = reason_not_to_remind(appointment.status, appointment.barred)
    return never is None and slugs_of(appointment.policy.rules) != slugs_of(rules)


def effect_of(appointment: Appointment, policy: ReminderPolicy, since: datetime) -> Effect:
    """Return what the policy changes for one visit: its rules, and the hours that come with them.

    As the worker does, a reminder that could not leave before is planned as if its rule were set now.

    Args:
        appointment: The version it has, with the policy stamped into it.
        since: When it comes into force: what was due by then has left or never will.
    """
    if appointment.starts_at is None or not is_touched(appointment, policy.rules):
        return NOTHING
    now, held_slots = micros(since), _slots(appointment, appointment.policy)
    void = {slot.rule for slot in held_slots if slot.reason is not None}
    rules = in_force_since([rule for rule in policy.rules if rule.slug in void and rule.in_force_since < since], since)
    again = {rule.slug: rule for rule in (*policy.rules, *rules)}
    planned = _slots(appointment, policy.model_copy(update={"rules": tuple(again.values())}))
    before, after = _to_come(held_slots, now), _to_come(planned, now)
    kept = before & after
    lost, gained = len(before) - len(kept), len(after) - len(kept)
    moved = min(lost, gained)
    held = slugs_of(appointment.policy.rules)
    late = sum(slot.reason is Reason.DUE_IN_PAST and slot.rule not in held for slot in planned)
    return Effect(1, gained - moved, lost - moved, moved, len(kept), late)


def _slots(version: Appointment, policy: ReminderPolicy) -> list[Slot]:
    """Return the moments that `plan` would find if the version carried this policy. It may be reminded, and begins.

    The generation stays, so a slug stands for one reminder: its id, half of what `plan` costs, is not needed.
    """
    assert version.starts_at is not None  # noqa: S101  # whoever calls has looked
    set_at, hours = micros(version.schedule_set_at), hours_of(policy.window)
    return slots(micros(version.starts_at), version.zone, map(lead_of, policy.rules), set_at, None, hours)


def _to_come(found: Sequence[Slot], now: int) -> set[str]:
    return {slot.rule for slot in found if slot.reason is None and slot.due > now}


def would_have_left(versions: Sequence[Appointment], rules: Sequence[ReminderRule] | None = None) -> int:
    """Return how many reminders of one visit came due while the version that planned them was the newest.

    Args:
        rules: Rules to imagine, in force since long ago; None for those that each version was stamped with. The hours
            are those of then.
    """
    left = 0
    for version, following in pairwise((*versions, None)):
        assert version is not None  # noqa: S101  # only the last of the last pair is
        if reason_not_to_remind(version.status, version.barred) or version.starts_at is None:
            continue
        since = micros(version.ingest_time)
        until = math.inf if following is None else micros(following.ingest_time)
        policy = version.policy if rules is None else version.policy.model_copy(update={"rules": rules})
        for slot in _slots(version, policy):
            left += slot.reason is None and since < slot.due <= until
    return left


def in_force_since(rules: Sequence[ReminderRule], since: datetime) -> tuple[ReminderRule, ...]:
    """Return rules as if they had been in force that long."""
    return tuple(rule.model_copy(update={"in_force_since": since}) for rule in rules)
