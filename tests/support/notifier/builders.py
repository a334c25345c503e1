"""One builder for each thing that notifier tests need."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from notifier.gate.domain.channels import Route
from notifier.gate.domain.told import Said
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.notification import Call, Notification
from notifier.ledger.domain.states import NotificationState
from notifier.values.addresses import Peppers
from schemas.appointments import Status
from schemas.notifications import Channel, Kind

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")
PATIENT = UUID("01890000-0000-7000-8000-000000000002")
PROVIDER = UUID("01890000-0000-5000-8000-000000000003")
NOTIFICATION = UUID("01890000-0000-5000-8000-000000000004")
FIRST, SECOND = UUID(int=1), UUID(int=2)
"""Its attempts."""
STARTS = NOW + timedelta(days=2)
MOBILE = "+442071838750"
EMAIL = "ada@example.org"
PEPPERS = Peppers((b"of the unit tests",))

_VISIT = Visit(
    appointment_id=APPOINTMENT,
    version=1,
    status=Status.BOOKED,
    schedule_gen=1,
    starts_at=STARTS,
    ends_at=STARTS + timedelta(minutes=30),
    zone="Europe/London",
    service_type="Physiotherapy",
    patient_id=PATIENT,
    registered=True,
    given_name="Ada",
    family_name="Abara",
    language="en",
    mobile=MOBILE,
    email=EMAIL,
    consent=True,
    do_not_contact=False,
    deceased=False,
    clinic_id="NORTH",
    clinic_name="North Street Clinic",
    clinic_languages=("en",),
    clinic_sensitive=False,
    window_opens=time(7),
    window_closes=time(21),
    provider_id=PROVIDER,
    provider_name="Dr Who",
)


def visit(**changes: Any) -> Visit:
    """Return a visit in two days of a reachable patient with a known provider."""
    return replace(_VISIT, **changes)


def said(**changes: Any) -> Said:
    """Return that the recipient was told, an hour ago, that the visit stands as it does."""
    told = Said(
        SECOND, None, stands=True, starts_at=STARTS, clinic_id="NORTH", schedule_gen=1, at=NOW - timedelta(hours=1)
    )
    return replace(told, **changes)


def notification(**changes: Any) -> Notification:
    """Return a queued reminder."""
    queued = Notification(
        notification_id=NOTIFICATION,
        kind=Kind.REMINDER,
        recipient="patient",
        appointment_id=APPOINTMENT,
        schedule_gen=1,
        reminder_id=None,
        caused_by="event",
        state=NotificationState.QUEUED,
        lane=Channel.SMS,
        not_after=STARTS - timedelta(hours=6),
        next_attempt_at=NOW,
    )
    return replace(queued, **changes)


def sending(**changes: Any) -> Notification:
    """Return a reminder whose first call is under way."""
    under_way = {
        "state": NotificationState.SENDING,
        "attempts": 1,
        "attempt_id": FIRST,
        "step_began_at": NOW,
        "step_attempts": 1,
    }
    return notification(**{**under_way, **changes})


def call(kind: Kind = Kind.CONFIRMATION, route: Route | None = None, **visit_changes: Any) -> Call:
    """Return an authorised call."""
    return Call(
        notification_id=NOTIFICATION,
        attempt_id=FIRST,
        kind=kind,
        route=route or Route(Channel.EMAIL, EMAIL),
        visit=visit(**visit_changes),
        not_after=STARTS,
        arrives_by=STARTS,
        gated_on=0.0,
        at=NOW,
    )
