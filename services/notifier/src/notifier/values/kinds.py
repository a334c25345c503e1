"""One row for each kind of message: what must hold for it to leave, and what it is to patients, staff and calendars."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum

from schemas.appointments import NOT_YET_BOOKED, Status
from schemas.notifications import Kind

PATIENT = "patient"
PROVIDER = "provider"

REBOOKED_WITHIN = timedelta(minutes=2)
"""A cancelled visit and one booked so close to it are one move; so a cancellation notice waits this long (D37)."""


class Category(StrEnum):
    """What a patient may have had enough of (D36)."""

    REMINDERS = "reminders"
    NOTICES = "notices"


class Deadline(Enum):
    """After what no call may start."""

    START = "the visit's start as it is now"
    OWN = "the message's own not_after"
    EITHER = "the sooner of both"


@dataclass(frozen=True, slots=True)
class Needs:
    """What the gate asks for.

    Attributes:
        statuses: The only statuses that open the gate.
        own_generation: The schedule it was made for must still stand.
        capped: At most two messages to the patient a day and visit (D18); news of a change always passes.
    """

    statuses: frozenset[Status]
    own_generation: bool
    deadline: Deadline
    person: bool
    capped: bool = False


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of message.

    Attributes:
        needs: What the gate asks for; None for a provider's list of the day, which is of no appointment.
        category: What the patient opts out of; None for what goes to providers, who cannot opt out here.
        calendar: What its entry asks a calendar to do (iTIP, RFC 5546); None: it has no entry.
    """

    words: str
    needs: Needs | None
    category: Category | None = None
    calendar: str | None = None
    title: str = ""

    @property
    def recipient(self) -> str:
        """To whom it goes."""
        return PATIENT if self.category else PROVIDER

    @property
    def is_news(self) -> bool:
        """Whether it brings a patient up to date about the visit.

        It carries a calendar entry, so it prefers email over the patient's order (D34), and its mail disturbs nobody at
        night (D16).
        """
        return self.calendar is not None


OFF = frozenset({*NOT_YET_BOOKED, Status.CANCELLED, Status.ENTERED_IN_ERROR})
"""Statuses in which a visit does not stand: whoever was told that it does is told that it does not (D58)."""

LEVELS: Mapping[str, tuple[Kind, Kind, Kind]] = {
    PATIENT: (Kind.CONFIRMATION, Kind.MOVED, Kind.CANCELLED),
    PROVIDER: (Kind.PROVIDER_BOOKED, Kind.PROVIDER_MOVED, Kind.PROVIDER_CANCELLED),
}
"""What brings a recipient up to date: that a visit stands, that it stands elsewhere, that it does not stand."""

ENDS = frozenset({Kind.CANCELLED, Kind.PROVIDER_CANCELLED})

_BOOKED = frozenset({Status.BOOKED})
_NEWS = Needs(_BOOKED, own_generation=False, deadline=Deadline.START, person=True)
_TIMED = Needs(_BOOKED, own_generation=True, deadline=Deadline.OWN, person=True, capped=True)
_NOTICE = Needs(_BOOKED, own_generation=False, deadline=Deadline.START, person=False)

KINDS: Mapping[Kind, KindRow] = {
    Kind.CONFIRMATION: KindRow("confirmation", _NEWS, Category.NOTICES, calendar="REQUEST"),
    Kind.MOVED: KindRow("notice of the new time", _NEWS, Category.NOTICES, calendar="REQUEST"),
    Kind.CANCELLED: KindRow(
        "notice of the cancellation",
        Needs(OFF, own_generation=False, deadline=Deadline.START, person=True),
        Category.NOTICES,
        calendar="CANCEL",
    ),
    Kind.REMINDER: KindRow("reminder", _TIMED, Category.REMINDERS),
    Kind.TODAY: KindRow(
        "message of the day",
        Needs(_BOOKED, own_generation=False, deadline=Deadline.EITHER, person=True, capped=True),
        Category.REMINDERS,
    ),
    Kind.NO_SHOW: KindRow(
        "follow-up of the missed visit",
        Needs(frozenset({Status.NOSHOW}), own_generation=True, deadline=Deadline.OWN, person=True, capped=True),
        Category.REMINDERS,
    ),
    Kind.CLEARANCE_MISSING: KindRow("notice of what is missing", _TIMED, Category.REMINDERS),
    Kind.PROVIDER_BOOKED: KindRow("provider's notice of the booking", _NOTICE, title="New Appointment Booked"),
    Kind.PROVIDER_MOVED: KindRow("provider's notice of the move", _NOTICE, title="Appointment Moved"),
    Kind.PROVIDER_CANCELLED: KindRow(
        "provider's notice of the cancellation",
        Needs(OFF, own_generation=False, deadline=Deadline.START, person=False),
        title="Appointment Cancelled",
    ),
    Kind.PROVIDER_ARRIVED: KindRow(
        "provider's notice of the arrival",
        Needs(
            frozenset({Status.ARRIVED, Status.CHECKED_IN}), own_generation=False, deadline=Deadline.OWN, person=False
        ),
        title="Patient Arrived",
    ),
    Kind.PROVIDER_NOT_CLEARED: KindRow(
        "provider's notice of a check-in without clearance",
        Needs(
            frozenset({Status.CHECKED_IN, Status.FULFILLED}), own_generation=False, deadline=Deadline.OWN, person=False
        ),
        title="Checked In Without Clearance",
    ),
    Kind.PROVIDER_DAY: KindRow("provider's list of the day", None, title="Your Day at {clinic}"),
}

PATIENT_KINDS = tuple(kind for kind, row in KINDS.items() if row.recipient == PATIENT)
"""Kinds that a patient gets, worded by templates; a provider's are worded by `inbox/notice.py`."""

NEWS = frozenset(LEVELS[PATIENT])
"""What brings a patient up to date; it may tell of several visits of a day (decision 0050)."""

LEVEL_KINDS = frozenset(kind for kinds in LEVELS.values() for kind in kinds)
