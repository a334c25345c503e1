"""Every topic, declared once. `attend topics plan|apply` makes them; nobody else does (design §2)."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from schemas.appointments import APPOINTMENT_CHANGED
from schemas.clearance_notices import CLEARANCE_MISSING
from schemas.clearances import CLEARANCE_CHANGED
from schemas.notifications import NOTIFICATION_CHANGED
from schemas.people import CLINIC_CHANGED, PATIENT_CHANGED, PROVIDER_CHANGED
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
)
from schemas.replies import PATIENT_REPLIED
from schemas.subfiles import SUB_FILE_CHANGED

PARTITIONS = 12


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: Name without the installation's prefix.
        owner: The service that alone writes it (`upstream` for inbound topics).
        key: What the record key holds, UTF-8.
        partitions: Count; a mismatch on the broker stops a service at its start.
        retention: None keeps records for ever.
        types: The event types in it; empty for topics that carry other people's bodies, or another topic's.
    """

    name: str
    owner: Literal["booking", "records", "reminders", "notifier", "upstream"]
    key: str
    partitions: int = PARTITIONS
    retention: timedelta | None = None
    cleanup: Literal["delete", "compact"] = "delete"
    types: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


_YEAR_AND_A_BIT = timedelta(days=400)
_COMPACTION = {  # faust.md fact 12: with Kafka's defaults a changelog is never compacted in practice
    "segment.ms": "3600000",
    "segment.bytes": "67108864",
    "min.cleanable.dirty.ratio": "0.1",
}

APPOINTMENTS = Topic("appointments", "booking", "appointment_id", types=(APPOINTMENT_CHANGED,))
PATIENTS = Topic("patients", "booking", "patient_id", 1, cleanup="compact", types=(PATIENT_CHANGED,))
PROVIDERS = Topic("providers", "booking", "provider_id", 1, cleanup="compact", types=(PROVIDER_CHANGED,))
CLINICS = Topic("clinics", "booking", "clinic_id", 1, cleanup="compact", types=(CLINIC_CHANGED,))
CLEARANCES = Topic(
    "clearances",
    "booking",
    "appointment_id",
    retention=_YEAR_AND_A_BIT,
    types=(CLEARANCE_CHANGED, CLEARANCE_MISSING),
)
SUBFILES = Topic("subfiles", "records", "sub_file_id", retention=_YEAR_AND_A_BIT, types=(SUB_FILE_CHANGED,))
REMINDERS = Topic(
    "reminders",
    "reminders",
    "appointment_id",  # of clinic_day.due the clinic_id
    retention=_YEAR_AND_A_BIT,
    types=(REMINDERS_PLANNED, REMINDERS_CANCELLED, REMINDER_DUE, CLINIC_DAY_DUE, REMINDER_DEAD_LETTER),
)
NOTIFICATIONS = Topic(
    "notifications", "notifier", "appointment_id", retention=_YEAR_AND_A_BIT, types=(NOTIFICATION_CHANGED,)
)
BOOKINGS_INBOUND = Topic("bookings-inbound", "upstream", "source appointment id", retention=timedelta(days=7))
"""Inbound topics belong to one client each; this is the first, and `inbound` declares further ones."""
CLEARANCES_INBOUND = Topic("clearances-inbound", "upstream", "source appointment id", retention=timedelta(days=7))
"""What other systems say of the clearance of visits: of the same kind, and one client's too."""
PATIENT_REPLIES = Topic(
    "patient-replies", "notifier", "appointment_id", retention=timedelta(days=7), types=(PATIENT_REPLIED,)
)
"""Inbound to booking like those above, and the notifier's alone: who may write it is whose orders these are."""
_BROKERS_TIME = {"message.timestamp.type": "LogAppendTime"}
"""The worker has no other clock to compare its own with (design §7)."""

TIMERS_CHANGELOG = Topic(
    "reminders-worker-timers-changelog",
    "reminders",
    "appointment_id",
    cleanup="compact",
    settings=_COMPACTION | _BROKERS_TIME,
)
REMINDERS_REPLAYS = Topic("reminders-replays", "reminders", "appointment_id", retention=timedelta(days=7))
"""Records of `appointments` that the worker had refused, as they were and on their partition: it reads both topics."""


def inbound(name: str, first: Topic = BOOKINGS_INBOUND) -> Topic:
    """Return the declaration of a further topic by which one client's events come in.

    Args:
        first: The topic that it is as: `BOOKINGS_INBOUND` or `CLEARANCES_INBOUND`.

    Raises:
        ValueError: No topic can be called so, or another declared topic is.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) or name in {".", ".."}:
        raise ValueError(f"no topic can be called {name[:200]!r}")
    if any(topic.name == name for topic in ALL if topic is not first):
        raise ValueError(f"{name} is a topic of Attend's own")
    return replace(first, name=name)


ALL = (
    APPOINTMENTS,
    PATIENTS,
    PROVIDERS,
    CLINICS,
    CLEARANCES,
    SUBFILES,
    REMINDERS,
    NOTIFICATIONS,
    BOOKINGS_INBOUND,
    CLEARANCES_INBOUND,
    PATIENT_REPLIES,
    TIMERS_CHANGELOG,
    REMINDERS_REPLAYS,
)
