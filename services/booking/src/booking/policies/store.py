"""`handle.PolicyStore` on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.appointments.domain.state import AppointmentState
from booking.clinics import policy_json
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.messages import clinic_changed
from booking.clinics.store import locked_clinic
from booking.policies import statements
from booking.policies.domain.change import PolicyChange
from booking.policies.domain.effect import Effect
from booking.policies.handle import Job
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection, Pool
from schemas.appointments import SENDABLE, Appointment
from schemas.wire import decode

REMINDABLE = [status.value for status in SENDABLE]


class PostgresPolicyStore:
    """`policies.handle.PolicyStore` within one transaction: policies and jobs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def lock_clinic(self, clinic_id: str) -> ClinicState | None:
        return await locked_clinic(self.connection, clinic_id)

    async def minted(self, clinic_id: str) -> tuple[Collection[str], int]:
        slugs = {row["slug"] for row in await self.connection.fetch(statements.SLUGS, clinic_id)}
        return slugs, int(await self.connection.fetchval(statements.LAST_VERSION, clinic_id))

    async def keep(self, change: PolicyChange, clinic: ClinicState) -> None:
        key = (change.clinic_id, change.version)
        await self.connection.execute(
            statements.APPEND_POLICY, *key, change.service_type, change.policy_id, policy_json.rules(change.rules),
            change.policy_before, policy_json.rules(change.rules_before), change.set_by, change.set_at,
            change.unset,
        )  # fmt: skip
        await self.connection.execute(statements.KEEP_SLUGS, *key, list(change.minted))
        listed = [policy_json.own(policy) for policy in clinic.policies]
        await self.connection.execute(statements.SET_IN_FORCE, clinic.clinic_id, listed, clinic.version)
        if change.service_type is None:
            await enqueue(self.connection, [clinic_changed(clinic, change.set_at)])
        await self.connection.execute(statements.SUPERSEDE, change.clinic_id, change.service_type, change.set_at)
        await self.connection.execute(statements.OPEN_JOB, *key, change.service_type)

    async def raise_fences(self) -> None:
        await self.connection.execute(statements.RAISE_FENCES)

    async def next_job(self) -> Job | None:
        row = await self.connection.fetchrow(statements.NEXT_JOB)
        if row is None:
            return None
        after = None if row["after_id"] is None else (row["after_start"], row["after_id"])
        return Job(
            row["clinic_id"], row["version"], row["service_type"], row["policy_id"], row["set_at"],
            row["state"] == "running", after,
        )  # fmt: skip

    async def begin(self, job: Job, services: Collection[str], now: datetime) -> None:
        ahead = await self.connection.fetchval(
            statements.COUNT_AHEAD, job.clinic_id, job.service_type, list(services), now, REMINDABLE
        )
        await self.connection.execute(statements.BEGIN_JOB, job.clinic_id, job.version, ahead)

    async def ahead(
        self, job: Job, services: Collection[str], after: tuple[datetime, UUID], size: int
    ) -> Sequence[tuple[UUID, datetime]]:
        rows = await self.connection.fetch(
            statements.IDS_AHEAD, job.clinic_id, job.service_type, list(services), *after, REMINDABLE, size
        )
        return [(row["appointment_id"], row["starts_at"]) for row in rows]

    async def snapshots(self, states: Mapping[UUID, AppointmentState]) -> Mapping[UUID, Appointment]:
        rows = await self.connection.fetch(
            statements.SNAPSHOTS, list(states), [state.version for state in states.values()]
        )
        read = (decode(Appointment, row["snapshot"].encode()) for row in rows)
        return {appointment.appointment_id: appointment for appointment in read}

    async def move(self, job: Job, last: tuple[UUID, datetime], looked_at: int, effect: Effect) -> None:
        key, start = last
        await self.connection.execute(
            statements.MOVE_JOB, job.clinic_id, job.version, start, key, looked_at, *effect, None
        )

    async def finish(self, job: Job, looked_at: int, effect: Effect, now: datetime) -> None:
        await self.connection.execute(
            statements.MOVE_JOB, job.clinic_id, job.version, None, None, looked_at, *effect, now
        )


@dataclass(frozen=True, slots=True)
class Which:
    """The visits that a policy is for.

    Attributes:
        services: Service types with policies of their own, when it is the clinic's.
    """

    clinic_id: str
    service_type: str | None
    services: tuple[str, ...]
    zone: str

    @property
    def arguments(self) -> tuple[str, str | None, list[str]]:
        """The first three arguments of each statement."""
        return self.clinic_id, self.service_type, list(self.services)


async def changes(pool: Pool, clinic_id: str, version: int | None, before: int | None, limit: int) -> Sequence[Any]:
    """Return rows of changes with what their reissue did, newest first: one version, or those below one."""
    rows: Sequence[Any] = await pool.fetch(statements.CHANGES, clinic_id, version, before, limit)
    return rows


async def count_visits(pool: Pool, which: Which, now: datetime, past_from: datetime) -> int:
    """Return how many visits are ahead that may be reminded, or began since `past_from`."""
    ahead = await pool.fetchval(statements.COUNT_AHEAD, *which.arguments, now, REMINDABLE)
    past = await pool.fetchval(statements.COUNT_PAST, *which.arguments, past_from, now)
    return int(ahead + past)


async def page_ahead(pool: Pool, which: Which, after: tuple[datetime, UUID], size: int) -> Sequence[Any]:
    """Return the next visits that may be reminded, in the order of (start, id), each with its newest event."""
    return await _page(pool, statements.PAGE_AHEAD, *which.arguments, *after, REMINDABLE, size)


async def page_past(
    pool: Pool, which: Which, after: tuple[datetime, UUID], until: datetime, size: int
) -> Sequence[Any]:
    """Return the next visits that began by `until`, in the order of (start, id), each with all its events."""
    return await _page(pool, statements.PAGE_PAST, *which.arguments, *after, until, size)


async def _page(pool: Pool, statement: str, *arguments: object) -> Sequence[Any]:
    rows: Sequence[Any] = await pool.fetch(statement, *arguments)
    return rows
