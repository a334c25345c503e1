"""Sending modes in PostgreSQL: what is chosen, who changed it, and what waits for it."""

from operator import attrgetter
from typing import Any

from chassis.api.if_match import check_version
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from notifier.gate.domain.facts import SendingModeName
from notifier.staff.sending_modes import domain, statements
from notifier.staff.sending_modes.bodies import (
    ChangePage,
    ChangeView,
    ClinicBody,
    ClinicSendingView,
    ModeBody,
    SendingView,
)
from notifier.staff.sending_modes.domain import ClinicChoice


class SendingDesk:
    """Reads and writes the choices, each change with its line in the audit in the same transaction."""

    def __init__(self, pool: Pool, clock: Clock, setting: SendingModeName) -> None:
        self._pool, self._clock, self._setting = pool, clock, setting

    async def installation(self) -> SendingView:
        """Return the installation's mode and what waits under which mode."""
        row = await self._pool.fetchrow(statements.INSTALLATION)
        chosen = dict(row) if row else {"mode": self._setting, "version": 0}
        waiting = await self._pool.fetch(statements.QUEUED, self._clock.now(), chosen["mode"], None)
        return SendingView.model_validate({**chosen, "queued": [dict(one) for one in waiting]})

    async def set_installation(self, body: ModeBody, version: int | None) -> SendingView:
        """Switch the mode; the same again changes nothing."""
        async with self._pool.transaction() as connection:
            await connection.execute(statements.ONE_AT_A_TIME, None)
            held = await connection.fetchrow(statements.INSTALLATION)
            check_version(version, held["version"] if held else 0)
            before = {"mode": held["mode"] if held else self._setting.value}
            after = {"mode": body.mode.value}
            if held is None or before != after:
                await connection.execute(statements.SET_INSTALLATION, body.mode.value, self._clock.now(), body.by)
                await connection.execute(statements.AUDIT, None, body.by, self._clock.now(), before, after)
        return await self.installation()

    async def changes(self, clinic_id: str | None, before: int | None, limit: int) -> ChangePage:
        """Return a page of changes, newest first."""
        rows = await self._pool.fetch(statements.CHANGES, clinic_id, before, limit)
        items = [ChangeView.model_validate(dict(row)) for row in rows]
        return ChangePage(items=items, next_before=next_place(items, limit, attrgetter("audit_id")))

    async def clinic(self, clinic_id: str) -> ClinicSendingView:
        """Return what the clinic has chosen, and what waits for it."""
        return await self._clinic(self._pool, clinic_id)

    async def _clinic(self, connection: Connection | Pool, clinic_id: str) -> ClinicSendingView:
        installation = await connection.fetchrow(statements.INSTALLATION)
        row = await connection.fetchrow(statements.CLINIC, clinic_id)
        now, default = self._clock.now(), installation["mode"] if installation else self._setting.value
        waiting = await connection.fetchrow(statements.QUEUED, now, default, clinic_id)
        chosen = dict(row) if row else {"version": 0, **_columns(ClinicChoice())}
        return ClinicSendingView.model_validate(
            {
                **chosen,
                "clinic_id": clinic_id,
                "effective_mode": chosen["mode"] or default,
                "has_visits": await connection.fetchval(statements.KNOWN_CLINIC, clinic_id),
                "queued": waiting["queued"] if waiting else 0,
                "due": waiting["due"] if waiting else 0,
            }
        )

    async def set_clinic(self, clinic_id: str, body: ClinicBody, version: int | None) -> ClinicSendingView:
        """Write the clinic's choice down; the same again changes nothing."""
        after = _columns(_choice(body))
        async with self._pool.transaction() as connection:
            await connection.execute(statements.ONE_AT_A_TIME, clinic_id)
            row = await connection.fetchrow(statements.CLINIC, clinic_id)
            check_version(version, row["version"] if row else 0)
            before = {name: row[name] for name in after} if row else None
            if before != after:
                now = self._clock.now()
                await connection.execute(statements.SET_CLINIC, clinic_id, *after.values(), now, body.by)
                await connection.execute(statements.AUDIT, clinic_id, body.by, now, before, after)
            return await self._clinic(connection, clinic_id)


def _choice(body: ClinicBody) -> ClinicChoice:
    return ClinicChoice(
        body.mode,
        domain.allow_list(body.allow_list),
        body.double_over_miss,
        body.no_show_follow_up,
        body.replies,
        domain.windows(body.channel_windows),
    )


def _columns(choice: ClinicChoice) -> dict[str, Any]:
    """Return the choice as its row keeps it, in the order of `SET_CLINIC`."""
    return {
        "mode": choice.mode.value if choice.mode else None,
        "allow_list": list(choice.allow_list),
        "double_over_miss": choice.double_over_miss,
        "no_show_follow_up": choice.no_show_follow_up,
        "replies": choice.replies,
        "channel_windows": {
            channel.value: [f"{opens:%H:%M}", f"{closes:%H:%M}"]
            for channel, (opens, closes) in choice.channel_windows.items()
        },
    }
