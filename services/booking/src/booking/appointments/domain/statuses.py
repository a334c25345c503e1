"""Which statuses of an appointment are alike in what they ask for, and whose word a change is; see `transitions`."""

from schemas.appointments import Status

CAN_STILL_CHANGE = frozenset({Status.PROPOSED, Status.PENDING, Status.BOOKED, Status.WAITLIST})
"""Statuses of a visit that nobody has come to yet, and that may be cancelled or moved at the desk."""

VISIT_HAPPENED_OR_WILL = frozenset({Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW})
"""Booked or later: what makes `first_booked_at` (D3)."""

HAPPENED = frozenset({Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW})
"""What became of a visit: a fact of one that is not known as booked (0052)."""

ENDS_BEFORE_BEGINNING = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
"""As the first word about an appointment these are tombstones (D41)."""

BEFORE_BOOKED = frozenset({Status.PROPOSED, Status.PENDING, Status.WAITLIST}) | HAPPENED
"""What a visit may be that upstream has not booked yet: asked for, or over before we heard of it."""

NEEDS_NO_START = frozenset({Status.PROPOSED, Status.PENDING, Status.WAITLIST}) | ENDS_BEFORE_BEGINNING
"""Statuses in which a visit may be without a time."""

KEEPS_ITS_TIME = frozenset(Status) - {Status.PROPOSED, Status.PENDING, Status.WAITLIST, Status.BOOKED}
"""Statuses that tell what became of a visit: when it was, is known, and to name no time takes none away.

R4 lets a cancelled Appointment have neither start nor end.
"""

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
