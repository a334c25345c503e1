"""The visits ahead of patients whose flags are being changed, as the job of changed flags finds them (`flags.py`)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from schemas.appointments import SENDABLE, Appointment
from schemas.wire import decode

MOST_COUNTED = 1_000
"""Visits ahead whose reminders a registration counts. Of more the answer does not say."""

_REMINDABLE = [status.value for status in SENDABLE]

# Each visit under the one who is kept, of whomever it is.
_REMINDED = """
WITH RECURSIVE file (kept, patient_id) AS (
    SELECT patient_id, patient_id FROM unnest($1::uuid[]) AS given (patient_id)
    UNION
    SELECT file.kept, m.patient_id FROM file CROSS JOIN LATERAL (
        SELECT patient_id FROM patient_merge WHERE merged_into = file.patient_id OFFSET 0
    ) m
)
SELECT file.kept, told.snapshot
FROM file CROSS JOIN LATERAL (
    SELECT appointment_id, version FROM appointment a
    WHERE a.patient_id = file.patient_id AND a.status = ANY ($2::text[]) AND a.starts_at > $3 OFFSET 0
) ahead CROSS JOIN LATERAL (
    SELECT snapshot FROM appointment_history h
    WHERE h.appointment_id = ahead.appointment_id AND h.version = ahead.version OFFSET 0
) told
LIMIT $4
"""


async def reminded(
    connection: Connection, patient_ids: Collection[UUID], now: datetime
) -> Mapping[UUID, Sequence[Appointment]] | None:
    """See `handle_people.PeopleStore`."""
    rows = await connection.fetch(_REMINDED, list(patient_ids), _REMINDABLE, now, MOST_COUNTED + 1)
    if len(rows) > MOST_COUNTED:
        return None
    found: dict[UUID, list[Appointment]] = {}
    for kept, snapshot in rows:
        found.setdefault(kept, []).append(decode(Appointment, snapshot.encode()))
    return found
