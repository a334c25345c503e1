"""The clinics that the projector knows, and the job that says when their days begin (R19, D20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from chassis.consumer import Applied
from chassis.database import Connection
from chassis.outbox import Outgoing, enqueue
from chassis.slots import Performed, Scope
from chassis.timetable import Daily, Slot, Timetable
from reminders.clinic_days.domain import BEGINS, JOB, UNTIL, day_due, event_id_of
from reminders.projector.messages import event_time
from schemas.envelope import Envelope
from schemas.people import CLINIC_CHANGED, Clinic
from schemas.reminders import CLINIC_DAY_DUE
from schemas.topics import REMINDERS
from schemas.wire import check_zone, decode_typed, encode

SOURCE = "attend/reminders"

_HELD = "SELECT clinic_id, version FROM clinic WHERE clinic_id = ANY ($1::text[]) ORDER BY clinic_id FOR UPDATE"
_KEEP = """
INSERT INTO clinic (clinic_id, version, zone, since)
SELECT clinic_id, version, zone, since
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[]) AS told (clinic_id, version, zone, since)
ORDER BY clinic_id
ON CONFLICT (clinic_id) DO UPDATE SET version = excluded.version, zone = excluded.zone
WHERE clinic.version < excluded.version
"""
_SCOPES = "SELECT clinic_id, zone, since FROM clinic ORDER BY clinic_id"


@dataclass(frozen=True, slots=True)
class ClinicTold:
    """A version of a clinic, and its domain time."""

    clinic: Clinic
    at: datetime


def clinic_event(record: ConsumerRecord[Any, Any]) -> ClinicTold:
    """Return an event of the topic `clinics`.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; INVALID without a readable `ce_time`, or with no zone of the
            IANA list.
    """
    clinic = decode_typed({CLINIC_CHANGED: Clinic}, tuple(record.headers), record.value)
    assert isinstance(clinic, Clinic)  # noqa: S101  # the only model in the table
    check_zone(clinic.zone)
    return ClinicTold(clinic, event_time(record))


async def keep_clinics(connection: Connection, events: Sequence[ClinicTold]) -> Applied:
    """Keep the newest version of each clinic; since when it is known is its first."""
    newest: dict[str, ClinicTold] = {}
    versions = {
        row["clinic_id"]: row["version"]
        for row in await connection.fetch(_HELD, list({e.clinic.clinic_id for e in events}))
    }
    repeat: list[int] = []
    stale: list[int] = []
    for place, told in enumerate(events):
        clinic_id, held = told.clinic.clinic_id, versions.get(told.clinic.clinic_id, 0)
        if told.clinic.version <= held:
            (repeat if told.clinic.version == held else stale).append(place)
        else:
            since = newest[clinic_id].at if clinic_id in newest else told.at
            newest[clinic_id] = ClinicTold(told.clinic, min(since, told.at))
            versions[clinic_id] = told.clinic.version
    if newest:
        rows = [(key, told.clinic.version, told.clinic.zone, told.at) for key, told in sorted(newest.items())]
        await connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))
    return Applied(repeat, stale)


class ClinicDays:
    """`chassis.slots.Job`: says once, at 8:00 of each clinic's wall, that its day has begun."""

    name = JOB
    timetable: Timetable = Daily(BEGINS, UNTIL)

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return the clinics."""
        return [Scope(row["clinic_id"], row["zone"], row["since"]) for row in await connection.fetch(_SCOPES)]

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Put `clinic_day.due` into the outbox, in the transaction that marks the slot done."""
        event = day_due(scope.name, scope.zone, slot.name, slot.due, slot.not_after or slot.due)
        envelope = Envelope(str(event_id_of(event)), CLINIC_DAY_DUE, SOURCE, scope.name, now)
        await enqueue(connection, [Outgoing(REMINDERS, scope.name, envelope, encode(event))])
        return Performed(1)

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return the next 8:00 of any clinic."""
        return min((self.timetable.following(zone, now).due for zone in {s.zone for s in scopes}), default=None)
