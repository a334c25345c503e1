"""What booking does about visits that nobody came to (R18, D19); runs inside one transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from booking.appointments.domain.state import AppointmentState
from booking.appointments.ports import VersionStore
from booking.no_shows.domain import NoShowRule, cause_of, not_attended
from chassis.postgres.after_commit import after_commit

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20


class Unattended(Protocol):
    """Finds visits, in the transaction that changes them."""

    async def lock_unattended(
        self, clinic_id: str, ended_by: datetime, visit_length: timedelta, size: int
    ) -> Mapping[UUID, AppointmentState]:
        """Lock and return visits still booked that ended by then, in the order of their ids, `size` at most."""


async def mark_no_shows(
    unattended: Unattended,
    versions: VersionStore,
    clinic_id: str,
    slot: tuple[str, datetime],
    rule: NoShowRule,
    size: int,
    now: datetime,
) -> int:
    """Make a clinic's visits that are still booked so long after their end no-shows; return how many.

    A change that commits while this waits for its row wins: an arrival is seen under the lock.

    Args:
        versions: Where a version, its history and its event are written, as for every other change.
        slot: Name and instant of the time slot; visits are judged by that instant, however late it runs.
        size: Visits at most; as many found means that there may be more.
    """
    name, due = slot
    held = await unattended.lock_unattended(clinic_id, due - rule.grace, rule.visit_length, size)
    if held:
        cause = cause_of(clinic_id, name)
        states = {key: not_attended(state, cause, rule.grace, now) for key, state in held.items()}
        clinics = await versions.clinics([clinic_id])
        await versions.write_appointments(states)
        await versions.publish_versions(sorted(states.items()), clinics)
        ids = [str(key) for key in sorted(states)[:IDS_PER_LINE]]
        said = {"clinic_id": clinic_id, "slot": name, "appointment_ids": ids}
        after_commit(log.info, "appointments.noshow", count=len(states), **said)
    return len(held)
