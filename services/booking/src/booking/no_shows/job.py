"""The no-show check on PostgreSQL: a job of the wall clock, one slot for each clinic every two hours (R18, D20)."""

from collections.abc import Sequence
from datetime import datetime

from booking.appointments.store import PostgresStore
from booking.no_shows.domain import NoShowRule
from booking.no_shows.handle import mark_no_shows
from booking.no_shows.store import PostgresUnattended, clinics, soonest_ends
from chassis.postgres.database import Connection
from chassis.time_slots.runner import Performed, Scope
from chassis.time_slots.timetable import Every, Slot, Timetable

JOB = "no-show"
AT_ONCE = 500
"""Visits of one transaction: some 50 ms, far below the role's transaction_timeout."""


class NoShowCheck:
    """`chassis.time_slots.runner.Job`: visits still booked some time after their end become no-shows.

    Args:
        rule: The installation's choices; `every` must not be zero.
    """

    name = JOB

    def __init__(self, rule: NoShowRule, size: int = AT_ONCE) -> None:
        self.rule = rule
        self._size = size
        self._every = Every(rule.every)

    @property
    def timetable(self) -> Timetable:
        """Return every so many hours since each clinic's midnight; a missed slot always runs."""
        return self._every

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return the clinics."""
        return await clinics(connection)

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Make the next visits of the slot no-shows."""
        store = PostgresStore(connection)
        found = await mark_no_shows(
            PostgresUnattended(connection), store, scope.name, (slot.name, slot.due), self.rule, self._size, now
        )
        return Performed(found, more=found == self._size)

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return the first slot at which a visit booked now would become a no-show."""
        ends = await soonest_ends(connection, self.rule.visit_length)
        return min((self._slot_of(s.zone, ends[s.name], now) for s in scopes if s.name in ends), default=None)

    def _slot_of(self, zone: str, ends_at: datetime, now: datetime) -> datetime:
        due = self._every.at_or_after(zone, ends_at + self.rule.grace).due
        return due if due > now else self._every.following(zone, now).due
