"""Clearances in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from booking.clearances import statements
from booking.clearances.domain.clearance import Clearance
from booking.clearances.domain.kinds import Kind
from booking.clearances.domain.policy import ClearancePolicy
from booking.clearances.domain.standing import NOTHING_REQUIRED, Standing, standing_of
from booking.clearances.rows import clearance_of, kind_of, policy_of
from chassis.postgres.database import Connection


async def standing(
    connection: Connection, appointment_ids: Collection[UUID], now: datetime, *, at_start: bool = False
) -> Mapping[UUID, Standing]:
    """Return how these visits stand to what their clinics require now, for any number of them in three statements.

    One alone is enough where nothing is required.

    Args:
        at_start: Look at visits ahead as of their start: what expires before it counts no more.
    """
    rows = await connection.fetch(statements.REQUIRED, list(appointment_ids))
    found: dict[UUID, Standing] = dict.fromkeys(appointment_ids, NOTHING_REQUIRED)
    if not rows:
        return found
    held = await held_of(connection, [row["appointment_id"] for row in rows])
    kinds = await kinds_of(connection, {row["clinic_id"] for row in rows})
    for row in rows:
        key, start = row["appointment_id"], row["starts_at"]
        at = max(now, start) if at_start and start is not None else now
        found[key] = standing_of(policy_of(row), held.get(key, ()), kinds[row["clinic_id"]], at)
    return found


async def held_of(connection: Connection, appointment_ids: Collection[UUID]) -> dict[UUID, list[Clearance]]:
    """Return what these visits hold; those that hold nothing are left out."""
    held: dict[UUID, list[Clearance]] = {}
    for row in await connection.fetch(statements.HELD, list(appointment_ids)):
        held.setdefault(row["appointment_id"], []).append(clearance_of(row))
    return held


async def kinds_of(connection: Connection, clinics: Collection[str]) -> dict[str, dict[str, Kind]]:
    """Return the kinds of each of these clinics by name: its own, and everybody's that it has no own word of."""
    kinds: dict[str, dict[str, Kind]] = {clinic: {} for clinic in clinics}
    for row in await connection.fetch(statements.KINDS, sorted(clinics)):
        kinds[row["asked"]][row["kind"]] = kind_of(row)
    return kinds


async def policies_of(connection: Connection, clinics: Collection[str]) -> dict[str, Sequence[ClearancePolicy]]:
    """Return the newest policy of each clinic and of its service types, given up or not: `policy.in_force` chooses."""
    found: dict[str, list[ClearancePolicy]] = {clinic: [] for clinic in clinics}
    for row in await connection.fetch(statements.POLICIES, sorted(clinics)):
        found[row["clinic_id"]].append(policy_of(row))
    return dict(found)
