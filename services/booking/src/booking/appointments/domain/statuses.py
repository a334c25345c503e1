"""The state table of an appointment (D42, R33).

In this phase it is *observed*: a transition that is not in the table is accepted, counted and answered
with the warning ILLEGAL_TRANSITION. What protects the state today is the order of events: a stale event
never takes a step back (D41).

```
proposed ─▶ pending ─▶ booked ─▶ arrived ─▶ checked-in ─▶ fulfilled
    └──────────┴─ waitlist ─┘ │
any of these ─▶ cancelled     └▶ noshow ─▶ arrived, for 24 h (D19)
cancelled ─▶ booked, proposed, pending, waitlist (un-cancel, D10)
any ─▶ entered-in-error
```
"""

from datetime import timedelta

from schemas.appointments import Status

_OPEN = frozenset({Status.PROPOSED, Status.PENDING, Status.BOOKED, Status.WAITLIST})
_END = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})

CAN_STILL_CHANGE = _OPEN
"""Statuses of a visit that nobody has come to yet, and that may be cancelled or moved at the desk."""

ALLOWED: dict[Status, frozenset[Status]] = {
    Status.PROPOSED: _OPEN | _END,
    Status.PENDING: _OPEN | _END,
    Status.WAITLIST: _OPEN | _END,
    Status.BOOKED: frozenset(
        {Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW, Status.WAITLIST}
    )
    | _END,
    Status.ARRIVED: frozenset({Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED}) | _END,
    Status.CHECKED_IN: frozenset({Status.CHECKED_IN, Status.FULFILLED}) | _END,
    Status.FULFILLED: frozenset({Status.FULFILLED, Status.ENTERED_IN_ERROR}),
    Status.NOSHOW: frozenset({Status.NOSHOW, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED})
    | frozenset({Status.ENTERED_IN_ERROR}),
    Status.CANCELLED: _OPEN | _END,
    Status.ENTERED_IN_ERROR: frozenset({Status.ENTERED_IN_ERROR}),
}
"""From → to. Staying where one is is always allowed."""

VISIT_HAPPENED_OR_WILL = frozenset({Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW})
"""Booked or later: what makes `first_booked_at` (D3)."""

ENDS_BEFORE_BEGINNING = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
"""As the first word about an appointment these are tombstones (D41)."""

NEEDS_NO_START = frozenset({Status.PROPOSED, Status.PENDING, Status.WAITLIST}) | ENDS_BEFORE_BEGINNING
"""Statuses in which a visit may be without a time."""

KEEPS_ITS_TIME = frozenset(Status) - {Status.PROPOSED, Status.PENDING, Status.WAITLIST, Status.BOOKED}
"""Statuses that tell what became of a visit: when it was, is known, and to name no time takes none away.

R4 lets a cancelled Appointment have neither start nor end.
"""


_CAME = frozenset({Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED})

NO_SHOW_STANDS_AFTER = timedelta(hours=24)
"""D19: a no-show is reversed by an arrival of the same day; what comes later needs a reason (D42)."""

OWN_NO_SHOW = "no-show/"
"""How `caused_by` of a no-show begins that booking found itself (R18), not upstream."""

OWN_REPLY = "patient-reply/"
"""How `caused_by` begins of what a patient asked for by answering a message (B11), not upstream."""

AT_DESK = "desk-change/"
"""How `caused_by` begins of what a person asked for at our own door, not upstream."""

CHECKED_IN_AT_DESK = "check-in/"
"""How `caused_by` begins of a check-in at our own door, not upstream."""

CANCELLED_BY_PATIENT = "cancelled by the patient's reply"
"""The reason of a visit that its patient cancelled by answering a message."""


def is_allowed(held: Status, arriving: Status, reason: str | None, held_for: timedelta = timedelta()) -> bool:
    """Say whether the state table has this transition; a correction with a reason always is (D42).

    Args:
        held_for: How long it has had the held one, by the times of the events.
    """
    if reason is not None:
        return True
    if held is Status.NOSHOW and arriving in _CAME and held_for > NO_SHOW_STANDS_AFTER:
        return False
    return arriving in ALLOWED[held]
