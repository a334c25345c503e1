"""Visits, patients, clinics and providers as booking keeps them, copied in: the gate reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import asyncpg

from chassis.process.clock import RealClock
from schemas.appointments import Status

CLINICS = 50
PROVIDERS = 200
SERVICES = ("check-up", "MRI", "physiotherapy", "surgery")
"""A patient's visits are for different things, as in life: two for the same may be one that was moved (D37)."""

NOON = 12


@dataclass(frozen=True, slots=True)
class Visit:
    """One version of a visit of the load."""

    appointment_id: UUID
    patient_id: UUID
    clinic_id: str
    provider_id: UUID
    starts_at: datetime
    service: str
    version: int = 1
    status: Status = Status.BOOKED
    schedule_gen: int = 1


def zone_of_noon(now: datetime) -> str:
    """Return a zone in which it is about noon, so that no send window is closed whenever this runs."""
    ahead = NOON - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def visits(count: int, now: datetime) -> Iterator[Visit]:
    """Yield so many visits, from two days ahead on, of a quarter as many patients."""
    patients = max(1, count // len(SERVICES))
    for number in range(count):
        patient = number % patients
        yield Visit(
            UUID(int=(1 << 96) + number),
            UUID(int=(2 << 96) + patient),
            f"CL{patient % CLINICS:03d}",
            provider(number),
            now + timedelta(days=2, minutes=number % 2880),
            SERVICES[number // patients % len(SERVICES)],
        )


def provider(number: int) -> UUID:
    """Return the id of a provider."""
    return UUID(int=(3 << 96) + number % PROVIDERS)


async def fill(admin_url: str, booked: Sequence[Visit], *, by_email: bool) -> None:
    """Copy the visits in with all that the gate joins to them.

    Args:
        admin_url: The administrator's address of the database, booking's schema migrated.
        booked: The visits, each as its newest version.
        by_email: Patients have an address; else a mobile number and no address.
    """
    now = RealClock().now()
    zone, patients = zone_of_noon(now), sorted({visit.patient_id for visit in booked})
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.copy_records_to_table(
            "clinic",
            schema_name="booking",
            columns=["clinic_id", "version", "name", "zone", "country", "languages", "sensitive", "window_opens",
                     "window_closes", "created_at"],
            records=[(f"CL{n:03d}", 1, f"Clinic {n}", zone, "GB", ["en"], False, time(0), time(23, 59), now)
                     for n in range(CLINICS)],
        )  # fmt: skip
        await connection.copy_records_to_table(
            "provider",
            schema_name="booking",
            columns=["provider_id", "version", "source", "source_id", "name"],
            records=[(provider(n), 1, "bench", f"dr-{n}", f"Dr Number {n}") for n in range(PROVIDERS)],
        )
        await connection.copy_records_to_table(
            "patient",
            schema_name="booking",
            columns=["patient_id", "version", "main_file", "given_name", "family_name", "language", "mobile", "email"],
            records=[(patient, 1, f"FILE-2026-{n:06d}", "Ann", f"Other {n}", "en",
                      None if by_email else f"+4477{n:08d}", f"ann{n}@example.org" if by_email else None)
                     for n, patient in enumerate(patients)],
        )  # fmt: skip
        await connection.copy_records_to_table(
            "appointment",
            schema_name="booking",
            columns=["appointment_id", "source", "version", "status", "event_time", "ingest_time", "confirmed", "mode",
                     "patient_id", "clinic_id", "provider_id", "service_type", "starts_at", "ends_at", "schedule_gen",
                     "schedule_set_at", "first_booked_at"],
            records=[(visit.appointment_id, "bench", visit.version, visit.status.value, now, now, False, "live",
                      visit.patient_id, visit.clinic_id, visit.provider_id, visit.service, visit.starts_at,
                      visit.starts_at + timedelta(minutes=30), visit.schedule_gen, now, now) for visit in booked],
        )  # fmt: skip
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
