"""`handle.MergeStore` on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from booking.appointments.store import PostgresStore
from booking.merges.handle import Merge
from booking.patients.domain.patient import PatientState
from booking.patients.messages import patient_changed
from booking.values.identity import Identity
from chassis.outbox.writer import enqueue

_MERGED_AWAY = """
SELECT patient_id FROM patient_merge WHERE source = $1 AND source_id = $2 AND merged_into = $3"""


_AHEAD_OF = """
SELECT appointment_id FROM appointment
WHERE patient_id = $1 AND (starts_at > $2 OR starts_at IS NULL) AND version > 0
  AND status NOT IN ('cancelled', 'entered-in-error')
ORDER BY appointment_id"""


_MOVE_ALIASES = "UPDATE patient_alias SET patient_id = $2 WHERE patient_id = $1"


_LINK = "UPDATE patient SET version = $2, merged_into = $3 WHERE patient_id = $1"


_NOTE = """
INSERT INTO patient_merge (patient_id, merged_into, source, source_id, merged_at, merged_by, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""


class PostgresMergeStore(PostgresStore):
    """See `handle.MergeStore`."""

    async def merged_away(self, identity: Identity, into: UUID) -> UUID | None:
        found: UUID | None = await self.connection.fetchval(_MERGED_AWAY, *identity, into)
        return found

    async def ahead_of(self, patient_id: UUID, now: datetime) -> Sequence[UUID]:
        return [row[0] for row in await self.connection.fetch(_AHEAD_OF, patient_id, now)]

    async def move_aliases(self, patient_id: UUID, into: UUID) -> None:
        await self.connection.execute(_MOVE_ALIASES, patient_id, into)

    async def link(self, patient: PatientState, merge: Merge, now: datetime) -> None:
        into = patient.merged_into
        await self.connection.execute(_LINK, patient.patient_id, patient.version, into)
        note = (patient.patient_id, into, *merge.identity, now, merge.client.client_id, merge.reason)
        await self.connection.execute(_NOTE, *note)
        if patient.is_registered:
            await enqueue(self.connection, [patient_changed(patient, now)])
