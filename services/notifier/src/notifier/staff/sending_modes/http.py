"""`/v1/sending`: modes of the installation and of clinics, switched by command and audited.

A switch counts for every call that has not begun: the claiming transaction reads these rows (design §6).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from chassis.asked import By
from chassis.clock import Clock
from chassis.database import Connection, unavailable
from chassis.http import Problem
from notifier.gate.domain.facts import SendingModeName
from notifier.staff.if_match import check_version, version_of
from notifier.staff.sending_modes import domain, statements
from notifier.staff.sending_modes.domain import BadChoice, ClinicChoice
from schemas.model import ClinicId

PAGE, LONGEST_PAGE = 50, 500
HIGHEST = 2**63 - 1

IfMatch = Annotated[str | None, Header(description='The version that is replaced, such as "3"; left out: whatever.')]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModeBody(_Body):
    """The installation's mode."""

    mode: SendingModeName
    by: By = "operator"


class ClinicBody(_Body):
    """Everything that a clinic chooses, whole: what is left out is the default."""

    mode: SendingModeName | None = Field(None, description="null: the installation's.")
    allow_list: list[StrictStr] = Field(default=[], max_length=domain.LONGEST_ALLOW_LIST)
    double_over_miss: StrictBool = False
    no_show_follow_up: StrictBool = False
    replies: StrictBool = False
    channel_windows: dict[str, tuple[StrictStr, StrictStr]] = Field(
        default={}, description="Channel → its hours.", examples=[{"sms": ["09:00", "20:00"]}]
    )
    by: By = "operator"


class Waiting(BaseModel):
    """Messages that wait at one clinic, under the mode that counts there. `due`: their instant has come."""

    clinic_id: str | None
    mode: SendingModeName
    own_mode: SendingModeName | None
    queued: int
    due: int


class SendingView(BaseModel):
    """The installation's mode. Version 0: nobody has switched it, and the setting NOTIFIER_SENDING_MODE counts."""

    mode: SendingModeName
    version: int
    changed_at: datetime | None = None
    changed_by: str | None = None
    queued: list[Waiting]


class ClinicSendingView(BaseModel):
    """What a clinic has chosen. Version 0: nothing. `effective_mode` is the one that counts."""

    clinic_id: str
    version: int
    mode: SendingModeName | None
    effective_mode: SendingModeName
    allow_list: list[str]
    double_over_miss: bool
    no_show_follow_up: bool
    replies: bool
    channel_windows: dict[str, tuple[str, str]]
    changed_at: datetime | None = None
    changed_by: str | None = None
    has_visits: bool = Field(description="Whether any visit of this clinic was ever seen.")
    queued: int
    due: int


class ChangeView(BaseModel):
    """One change: who, when, from what to what. `clinic_id` null: the installation's mode."""

    audit_id: int
    clinic_id: str | None
    changed_by: str
    changed_at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any]


class ChangePage(BaseModel):
    """Changes, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[ChangeView]
    next_before: int | None = None


def routes(
    pool: asyncpg.Pool, clock: Clock, setting: SendingModeName, wake: Callable[[], None], operator: Any
) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        setting: The mode while nobody has switched it.
        wake: Called after a switch, so that what it releases leaves at once.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1", tags=["sending modes"], dependencies=[Depends(operator)])
    desk = SendingDesk(pool, clock, setting)

    async def switched[T](work: Awaitable[T]) -> T:
        try:
            done = await work
        except BadChoice as bad:
            raise Problem(422, bad.code, bad.message, [{"place": bad.place, "code": bad.code}]) from None
        wake()
        return done

    @router.get("/sending", summary="The installation's sending mode, and what waits")
    async def installation() -> SendingView:
        with unavailable():
            return await desk.installation()

    @router.put("/sending", summary="Switch the installation's sending mode")
    async def put_installation(body: ModeBody, if_match: IfMatch = None) -> SendingView:
        return await switched(desk.set_installation(body, version_of(if_match)))

    @router.get("/sending/changes", summary="Who changed what about sending, newest first")
    async def changes(
        clinic: ClinicId | None = None,
        before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    ) -> ChangePage:
        with unavailable():
            rows = await pool.fetch(statements.CHANGES, clinic, before, limit)
        items = [ChangeView.model_validate(dict(row)) for row in rows]
        return ChangePage(items=items, next_before=items[-1].audit_id if len(items) == limit else None)

    @router.get("/clinics/{clinic_id}/sending", summary="What a clinic has chosen about sending")
    async def clinic(clinic_id: ClinicId) -> ClinicSendingView:
        with unavailable():
            return await desk.clinic(pool, clinic_id)

    @router.put("/clinics/{clinic_id}/sending", summary="Choose for a clinic, whole")
    async def put_clinic(clinic_id: ClinicId, body: ClinicBody, if_match: IfMatch = None) -> ClinicSendingView:
        return await switched(desk.set_clinic(clinic_id, body, version_of(if_match)))

    return router


class SendingDesk:
    """Reads and writes the choices, each change with its line in the audit in the same transaction."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, setting: SendingModeName) -> None:
        self._pool, self._clock, self._setting = pool, clock, setting

    async def installation(self) -> SendingView:
        """Return the installation's mode and what waits under which mode."""
        row = await self._pool.fetchrow(statements.INSTALLATION)
        chosen = dict(row) if row else {"mode": self._setting, "version": 0}
        waiting = await self._pool.fetch(statements.QUEUED, self._clock.now(), chosen["mode"], None)
        return SendingView.model_validate({**chosen, "queued": [dict(one) for one in waiting]})

    async def set_installation(self, body: ModeBody, version: int | None) -> SendingView:
        """Switch the mode; the same again changes nothing.

        Raises:
            Problem: 412 VERSION_CHANGED.
        """
        with unavailable():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(statements.ONE_AT_A_TIME, None)
                held = await connection.fetchrow(statements.INSTALLATION)
                check_version(version, held["version"] if held else 0)
                before = {"mode": held["mode"] if held else self._setting.value}
                after = {"mode": body.mode.value}
                if held is None or before != after:
                    await connection.execute(statements.SET_INSTALLATION, body.mode.value, self._clock.now(), body.by)
                    await connection.execute(statements.AUDIT, None, body.by, self._clock.now(), before, after)
            return await self.installation()

    async def clinic(self, connection: Connection | asyncpg.Pool, clinic_id: str) -> ClinicSendingView:
        """Return what the clinic has chosen, and what waits for it."""
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
        """Write the clinic's choice down; the same again changes nothing.

        Raises:
            Problem: 412 VERSION_CHANGED.
            BadChoice: An address or an hour is none.
        """
        after = _columns(_choice(body))
        with unavailable():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(statements.ONE_AT_A_TIME, clinic_id)
                row = await connection.fetchrow(statements.CLINIC, clinic_id)
                check_version(version, row["version"] if row else 0)
                before = {name: row[name] for name in after} if row else None
                if before != after:
                    now = self._clock.now()
                    await connection.execute(statements.SET_CLINIC, clinic_id, *after.values(), now, body.by)
                    await connection.execute(statements.AUDIT, clinic_id, body.by, now, before, after)
                return await self.clinic(connection, clinic_id)


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
