"""When a patient is told what his visit still lacks (R34): so many days before, as the clinic's policy says."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from booking.clearances.domain.policy import ClearancePolicy

OF_THE_LEAD = 4
"""A notice may still leave until a quarter of its lead is left (D15)."""


class Notices(NamedTuple):
    """How many days before a visit its patient is told.

    Attributes:
        service_type: Of these visits alone; None: of those whose service type has no policy of its own.
    """

    service_type: str | None
    days: int


class NearVisit(NamedTuple):
    """A visit so many days before its start, by the clinic's wall clock.

    Attributes:
        due: When that is.
    """

    appointment_id: UUID
    patient_id: UUID
    version: int
    schedule_gen: int
    starts_at: datetime
    days: int
    due: datetime

    @property
    def not_after(self) -> datetime:
        """Until when the patient may be told: a quarter of the lead is left to do something about it."""
        return self.starts_at - (self.starts_at - self.due) / OF_THE_LEAD


def notices_of(policies: Collection[ClearancePolicy]) -> tuple[list[Notices], list[str]]:
    """Return when patients of a clinic are told, and the service types that have a policy of their own.

    Args:
        policies: The newest of the clinic and of each of its service types, given up or not.
    """
    there = [one for one in policies if not one.unset]
    return list(_notices(there)), sorted(one.service_type for one in there if one.service_type is not None)


def _notices(policies: Collection[ClearancePolicy]) -> Iterator[Notices]:
    for one in sorted(policies, key=lambda one: one.service_type or ""):
        yield from (Notices(one.service_type, days) for days in one.notify_days if one.requires)


def cause_of(clinic_id: str, slot: str) -> str:
    """Return what a slot's events name as their cause."""
    return f"clearance-notice/{clinic_id}/{slot}"


LATEST = timedelta(days=1)
"""A moment that nobody was there for is made up for within a day; later the next one tells."""
