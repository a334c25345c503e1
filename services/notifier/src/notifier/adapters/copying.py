"""Large batches go in by COPY: half of what the same rows cost by INSERT, in the driver and in the server.

COPY knows no `ON CONFLICT`. So only rows that this transaction has looked for come here; should one be there all the
same, the batch is applied again record by record, by INSERT.
"""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Connection
from notifier.domain.ledger import Notification
from notifier.domain.transitions import Kept

FROM_ROWS = 100
"""Below it a COPY's further trip to the server costs more than it saves."""

_LEDGER = (
    "notification_id", "version", "kind", "recipient", "appointment_id", "schedule_gen", "reminder_id", "caused_by",
    "state", "lane", "not_after", "next_attempt_at", "reason", "clinic_id", "ordinal", "accepted_at", "replaces",
    "created_at", "changed_at",
)  # fmt: skip
_VISITS = (
    "appointment_id", "version", "status", "schedule_gen", "starts_at", "provider_id", "patient_id", "clinic_id",
    "service_type", "ends_at", "turned_at",
)  # fmt: skip


def parted(notifications: Sequence[Notification]) -> tuple[list[Notification], list[Notification]]:
    """Return those to copy, and those to insert: all if they are few, else those that jsonb keeps out of a COPY."""
    plain = [one for one in notifications if not one.steps]
    if len(plain) < FROM_ROWS:
        return [], list(notifications)
    return plain, [one for one in notifications if one.steps]


async def copy_notifications(connection: Connection, notifications: Sequence[Notification], now: datetime) -> None:
    """Copy new rows into the ledger."""
    records = [
        (
            one.notification_id, one.version, one.kind, one.recipient, one.appointment_id, one.schedule_gen,
            one.reminder_id, one.caused_by, one.state, one.lane, one.not_after, one.next_attempt_at, one.reason,
            one.clinic_id, one.ordinal, one.accepted_at, one.replaces, now, now,
        )
        for one in notifications
    ]  # fmt: skip
    await connection.copy_records_to_table("notification", records=records, columns=_LEDGER)


async def copy_visits(connection: Connection, kept: Sequence[Kept]) -> None:
    """Copy appointments in that were never seen before."""
    records = [
        (
            visit.appointment_id, visit.version, visit.status, visit.schedule_gen, visit.starts_at, visit.provider_id,
            visit.patient_id, visit.clinic_id, visit.service_type, visit.ends_at, one.turned_at,
        )
        for one in kept
        for visit in (one.visit,)
    ]  # fmt: skip
    await connection.copy_records_to_table("appointment", records=records, columns=_VISITS)
