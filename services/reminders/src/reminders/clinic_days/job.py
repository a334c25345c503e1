"""The job that publishes the beginning of each clinic's day (R19, D20)."""

from collections.abc import Sequence
from datetime import datetime

from chassis.outbox.writer import Outgoing, enqueue
from chassis.postgres.database import Connection
from chassis.time_slots.runner import Performed, Scope
from chassis.time_slots.timetable import Daily, Slot, Timetable
from reminders.clinic_days import store
from reminders.clinic_days.domain import BEGINS, JOB, UNTIL, day_due, event_id_of
from schemas.envelope import Envelope
from schemas.reminders import CLINIC_DAY_DUE
from schemas.topics import REMINDERS
from schemas.wire import encode

SOURCE = "attend/reminders"


class ClinicDays:
    """`chassis.time_slots.runner.Job`: publishes once, at 8:00 of each clinic's wall clock, that its day has begun."""

    name = JOB
    timetable: Timetable = Daily(BEGINS, UNTIL)

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return the clinics."""
        return await store.scopes(connection)

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Put `clinic_day.due` into the outbox, in the transaction that marks the slot done."""
        event = day_due(scope.name, scope.zone, slot.name, slot.due, slot.not_after or slot.due)
        envelope = Envelope(str(event_id_of(event)), CLINIC_DAY_DUE, SOURCE, scope.name, now)
        await enqueue(connection, [Outgoing(REMINDERS, scope.name, envelope, encode(event))])
        return Performed(1)

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return the next 8:00 of any clinic."""
        return min((self.timetable.following(zone, now).due for zone in {s.zone for s in scopes}), default=None)
