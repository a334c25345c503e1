"""What booking does about visits that are near and lack something (R34); runs inside one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from booking.clearance_notices.domain import NearVisit, cause_of
from booking.clearances.domain.standing import Standing
from booking.work_list.domain import CLEARANCE_MISSING, Flag
from chassis.postgres.after_commit import after_commit

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NearVisits(Protocol):
    """The visits, and what they lack, in the transaction that tells of them. Every method is set-based."""

    async def lock_next(self, clinic_id: str, zone: str, until: datetime, size: int) -> Sequence[NearVisit]:
        """Lock and return visits that are to be looked at by then and were not, `size` at most, by their ids."""

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        """Return how these visits stand to what their clinic requires, as of their start."""

    async def keep(
        self, looked_at: Sequence[NearVisit], lacking: Collection[UUID], slot: str, now: datetime
    ) -> Collection[tuple[UUID, int]]:
        """Keep that these were looked at, and which lacked something; return (visit, days) of those that are new."""

    async def raise_flags(self, flags: Sequence[Flag], now: datetime) -> None:
        """Put visits on the work list; one that is on it stays as it is."""

    async def publish(self, lacking: Sequence[NearVisit], clinic_id: str, caused_by: str, now: datetime) -> None:
        """Publish of each visit that it lacks something."""


async def tell_what_is_missing(
    visits: NearVisits, clinic_id: str, zone: str, slot: tuple[str, datetime], size: int, now: datetime
) -> int:
    """Tell of a clinic's next visits that lack something so many days before; return how many were looked at.

    Whoever clears a visit meanwhile is waited for, and counts.

    Args:
        slot: Name and instant of the time slot; what is near is judged by that instant, however late it runs.
        size: Visits at most; as many looked at means that there may be more.
    """
    name, due = slot
    found = await visits.lock_next(clinic_id, zone, due, size)
    if found:
        standing = await visits.standing({one.appointment_id for one in found}, now)
        missing = {key for key, one in standing.items() if not one.is_cleared}
        kept = await visits.keep(found, missing, name, now)
        lacking = [one for one in found if one.appointment_id in missing and (one.appointment_id, one.days) in kept]
        await visits.raise_flags([Flag(one.appointment_id, CLEARANCE_MISSING, one.version) for one in lacking], now)
        in_time = [one for one in lacking if now <= one.not_after]
        await visits.publish(in_time, clinic_id, cause_of(clinic_id, name), now)
        counts = {"looked_at": len(found), "lacking": len(lacking), "told": len(in_time)}
        after_commit(log.info, "clearances.missing", clinic_id=clinic_id, slot=name, **counts)
    return len(found)
