"""Visits that are near and lack something: a job of the wall clock, one slot a clinic and hour (R34, D20)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from booking.clearance_notices.handle import tell_what_is_missing
from booking.clearance_notices.store import PostgresNearVisits, clinics
from chassis.postgres.database import Connection
from chassis.time_slots.runner import Performed, Scope
from chassis.time_slots.timetable import Every, Slot, Timetable

JOB = "clearance-notice"
AT_ONCE = 500
"""Visits of one transaction: far below the role's transaction_timeout."""


class ClearanceNotices:
    """`chassis.time_slots.runner.Job`: each visit is looked at so many days before, as its clinic's policy says."""

    name = JOB

    def __init__(self, size: int = AT_ONCE) -> None:
        self._size = size
        self._every = Every(timedelta(hours=1))

    @property
    def timetable(self) -> Timetable:
        """Return every hour since each clinic's midnight; a missed slot always runs."""
        return self._every

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return the clinics that tell their patients what lacks."""
        return await clinics(connection)

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Look at the next visits of the slot."""
        visits = PostgresNearVisits(connection)
        found = await tell_what_is_missing(visits, scope.name, scope.zone, (slot.name, slot.due), self._size, now)
        return Performed(found, more=found == self._size)

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return the next slot of the clinics that tell."""
        return min((self._every.following(scope.zone, now).due for scope in scopes), default=None)
