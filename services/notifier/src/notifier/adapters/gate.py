"""The notifier's only right in booking's schema: to read the send gate."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from uuid import UUID

import asyncpg

from chassis.database import Connection
from notifier.adapters import sql
from notifier.domain.visits import Preferences, Visit
from schemas.appointments import Status

_FIELDS = tuple(field.name for field in fields(Visit))


async def read_gate(connection: Connection, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
    """Return each appointment as committed now, as a statement of its own; unknown ones are absent.

    Args:
        connection: In a READ COMMITTED transaction that holds its locks already, so that every
            cancellation committed before this statement is seen (design §6).
        appointment_ids: At least one.
    """
    rows = await connection.fetch(sql.GATE, sorted(appointment_ids))
    return {row["appointment_id"]: _visit(row) for row in rows}


async def read_preferences(connection: Connection, patient_ids: Collection[UUID]) -> Mapping[UUID, Preferences]:
    """Return what these patients have said about channels; those who said nothing are absent."""
    rows = await connection.fetch(sql.PREFERENCES, sorted(patient_ids))
    return {row["patient_id"]: Preferences(row["whatsapp"], row["sms"], row["email"]) for row in rows}


def _visit(row: asyncpg.Record) -> Visit:
    values = {name: row[name] for name in _FIELDS}
    values["status"] = Status(values["status"])
    values["clinic_languages"] = tuple(values["clinic_languages"] or ())
    return Visit(**values)
