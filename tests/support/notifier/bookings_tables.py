"""Booking's tables, filled by hand: what the send gate will say."""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from schemas.appointments import Appointment

MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
_SERIAL = count(1)


class BookingsTables:
    """What booking has committed.

    Args:
        admin: A connection whose search path is booking's schema.
    """

    def __init__(self, admin: asyncpg.Connection) -> None:
        self._admin = admin

    async def execute(self, statement: str, *given: object) -> None:
        """Change booking's tables, and others with their schema's name, as no door would."""
        await self._admin.execute(statement, *given)

    async def clinic(self, code: str, *, sensitive: bool = False, name: str | None = None) -> None:
        """Enter a clinic, by default called after its code."""
        await self._admin.execute(
            "INSERT INTO clinic VALUES ($1, 1, $2, 'Europe/London', 'GB', '{en}', $3, '07:00', '21:00', $4)",
            code, name or f"Clinic {code}", sensitive, MONDAY,
        )  # fmt: skip

    async def patient(self, *, registered: bool = True, **fields: Any) -> UUID:
        """Enter a patient with a mobile and an email of his own."""
        serial, patient_id = next(_SERIAL), uuid4()
        held = {
            "version": int(registered), "main_file": f"FILE-2027-{serial:06d}" if registered else None,
            "given_name": "Ada", "family_name": "Abara", "language": "en", "mobile": f"+44207183{serial:04d}",
            "email": f"ada{serial}@example.org", "consent": True, "do_not_contact": False, "deceased": False, **fields,
        }  # fmt: skip
        columns, places = ", ".join(held), ", ".join(f"${n}" for n in range(2, len(held) + 2))
        await self._admin.execute(
            f"INSERT INTO patient (patient_id, {columns}) VALUES ($1, {places})",  # noqa: S608  # the test's own names
            patient_id, *held.values(),
        )  # fmt: skip
        return patient_id

    async def address(self, patient_id: UUID, column: str) -> str:
        """Return a patient's `mobile` or `email`."""
        value = await self._admin.fetchval(f"SELECT {column} FROM patient WHERE patient_id = $1", patient_id)  # noqa: S608
        return str(value)

    async def provider(self) -> UUID:
        """Enter a provider."""
        provider_id = uuid4()
        await self._admin.execute(
            "INSERT INTO provider VALUES ($1, 1, 'test', $2, 'Dr Who')", provider_id, str(provider_id)
        )
        return provider_id

    async def hold(self, visit: Appointment) -> None:
        """Commit a version in booking, as its door would, without publishing it."""
        await self._admin.execute(
            """
            INSERT INTO appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode,
                patient_id, clinic_id, provider_id, service_type, starts_at, ends_at, schedule_gen, schedule_set_at)
            VALUES ($1, 'test', $2, $3, $4, $4, false, $5, $6, $7, $8, $9, $10, $11, $12, $4)
            ON CONFLICT (appointment_id) DO UPDATE SET version = excluded.version, status = excluded.status,
                starts_at = excluded.starts_at, ends_at = excluded.ends_at, schedule_gen = excluded.schedule_gen,
                provider_id = excluded.provider_id, patient_id = excluded.patient_id, clinic_id = excluded.clinic_id""",
            visit.appointment_id, visit.version, visit.status.value, visit.event_time, visit.mode.value,
            visit.patient_id, visit.clinic_id, visit.provider_id, visit.service_type, visit.starts_at, visit.ends_at,
            visit.schedule_gen,
        )  # fmt: skip
