"""What booking does when a flag of a patient changes: his visits ahead say so (D44). Runs inside one transaction.

Locks: jobs, then appointments. The flags are read after the appointments are locked, so a version says what is so at
its commit. A flag is in force at once: the send gate asks for it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from booking.appointments.ports import VersionStore
from booking.values.identity import PatientKey
from chassis.postgres.after_commit import after_commit
from schemas.appointments import Bar

log: structlog.stdlib.BoundLogger = structlog.get_logger()

PATIENTS_AT_ONCE = 500
"""Patients of one transaction: a batch of registrations."""

IDS_PER_LINE = 20


class Job(NamedTuple):
    """A patient whose flags changed.

    Attributes:
        is_last: Whether every transaction that may have read the flags of before has ended.
    """

    job_id: int
    patient_id: UUID
    caused_by: str
    is_last: bool


class FlagStore(VersionStore, Protocol):
    """Jobs and visits as one transaction sees them."""

    async def next_jobs(self, size: int) -> Sequence[Job]:
        """Lock and return jobs that nobody else has, oldest first: new ones, and those that may be ended."""

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        """Return why no message may go to these patients; those to whom one may are left out."""

    async def outdated(self, patients: Mapping[UUID, Bar | None], now: datetime, size: int) -> Mapping[UUID, int]:
        """Return id and version of visits ahead that may be reminded and say another thing of their patient.

        `size` at most.
        """

    async def note(self, jobs: Sequence[Job]) -> None:
        """Note that the visits of these were looked at; those that are looked at for the last time are over."""


async def reissue_barred(store: FlagStore, size: int, now: datetime) -> int | None:
    """Give visits of patients whose flags changed their next version; return how many got one, None without a job.

    Their reminders are cancelled by it, or planned again (0021). What is booked or changed meanwhile by somebody who
    read the flags of before is found when his transaction has ended; nothing is found twice.

    Args:
        size: Visits at most; as many found means that there may be more.
    """
    jobs = await store.next_jobs(PATIENTS_AT_ONCE)
    if not jobs:
        return None
    causes: dict[PatientKey | None, str] = {job.patient_id: job.caused_by for job in jobs}
    barred = await store.barred(causes)
    found = await store.outdated({job.patient_id: barred.get(job.patient_id) for job in jobs}, now, size)
    held = await store.lock(found) if found else {}
    states = {
        key: state._replace(
            version=state.version + 1, event_time=now, ingest_time=now, caused_by=causes[state.patient], reason=None
        )
        for key, state in held.items()
        if state.version == found[key]  # else it changed meanwhile, and says what is so
        and state.patient in causes  # else he was merged away since, and the merge opened a job for the one who is kept
    }
    if states:
        clinics = await store.clinics({state.clinic_id for state in states.values() if state.clinic_id})
        await store.write_appointments(states)
        await store.publish_versions(sorted(states.items()), clinics)
        ids = [str(key) for key in sorted(states)[:IDS_PER_LINE]]
        after_commit(log.info, "patients.flags_reissued", count=len(states), appointment_ids=ids)
    if len(found) < size:
        await store.note(jobs)
    return len(states)
