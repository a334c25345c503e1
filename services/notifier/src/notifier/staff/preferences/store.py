"""What patients say about channels, in PostgreSQL: each saying with its line in the history."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from chassis.api.if_match import check_version
from chassis.postgres.database import Connection, Pool
from notifier.gate.domain.channels import NOTHING_SAID
from notifier.gate.domain.visit import Preferences
from notifier.staff.preferences import statements as sql
from notifier.staff.preferences.bodies import PreferencesHistory, PreferencesView

LONGEST_HISTORY = 1_000

type Change = Callable[[Preferences], Preferences]
"""From what counts to what counts from now on."""
type Changed = Callable[[Connection, UUID, datetime], Awaitable[None]]
"""What follows in the same transaction, READ COMMITTED, once a patient has said something else than before."""


async def as_of(pool: Pool, patient_id: UUID, at: datetime | None, version: int | None) -> PreferencesView | None:
    """Return what counts now, counted at an instant, or was said in a version; None: nothing was said then."""
    row = await pool.fetchrow(sql.AS_OF, patient_id, at, version)
    return None if row is None else PreferencesView.model_validate(dict(row))


async def all_said(pool: Pool, patient_id: UUID) -> PreferencesHistory:
    """Return everything that was ever said, newest first."""
    rows = await pool.fetch(sql.HISTORY, patient_id, LONGEST_HISTORY)
    return PreferencesHistory(items=[PreferencesView.model_validate(dict(row)) for row in rows])


async def put(
    pool: Pool, patient_id: UUID, change: Change, by: str, version: int | None, now: datetime, changed: Changed
) -> PreferencesView:
    """Write down what a patient says, with its line in the history in the same transaction."""
    async with pool.transaction(isolation="read_committed") as connection:
        await connection.execute(sql.ONE_AT_A_TIME, str(patient_id))
        held = await connection.fetchrow(sql.AS_OF, patient_id, None, None)
        check_version(version, held["version"] if held else 0)
        before = Preferences(held["whatsapp"], held["sms"], held["email"]) if held else NOTHING_SAID
        said = change(before)
        if held and said == before:
            return PreferencesView.model_validate(dict(held))
        [row] = await connection.fetch(sql.PUT, patient_id, said.whatsapp, said.sms, said.email, now, by)
        await changed(connection, patient_id, now)
    return PreferencesView.model_validate(dict(row))
