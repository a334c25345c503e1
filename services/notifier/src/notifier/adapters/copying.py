"""Appointments that were never seen before go in by COPY, as in `ledger/rows.py`."""

from collections.abc import Sequence

from chassis.database import Connection
from notifier.domain.transitions import Kept

_VISITS = (
    "appointment_id", "version", "status", "schedule_gen", "starts_at", "provider_id", "patient_id", "clinic_id",
    "service_type", "ends_at", "turned_at",
)  # fmt: skip


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
