"""Close a sub-file, open it again, give it another provider; and who did so before (D1, D6)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends

from chassis.api.app import Problem, refuses
from chassis.postgres.database import Pool
from records.adapters.command_bodies import ActBody, Commands, CommandView, DoneView, ProviderBody
from records.adapters.command_store import commands_of
from records.domain_commands import Act, Command, Refused
from records.handle_commands import Done

type Carry = Callable[[Command], Awaitable[Done | None]]
"""Carries a command out in one transaction; None: there is no such sub-file."""

_STATUS = {"UNKNOWN_PROVIDER": 422}
"""HTTP status of a refusal; every other one is a conflict with the sub-file's state."""


def routes(pool: Pool, carry: Carry, operator: Any) -> APIRouter:
    """Return the routes of commands."""
    router = APIRouter(prefix="/v1/subfiles/{sub_file_id}", tags=["commands"], dependencies=[Depends(operator)])

    async def done(command: Command) -> DoneView:
        try:
            found = await carry(command)
        except Refused as refused:
            raise Problem(_STATUS.get(refused.code, 409), refused.code, refused.message) from None
        if found is None:
            raise Problem(404, "UNKNOWN_SUB_FILE", "There is no sub-file of this id: GET /v1/subfiles finds it.")
        file = found.file
        return DoneView(
            sub_file_id=UUID(file.sub_file_id), version=file.version, status=file.status, number=file.number,
            provider_id=UUID(file.provider_id) if file.provider_id else None, repeat=found.repeat,
        )  # fmt: skip

    @router.post(
        "/close",
        summary="Close a sub-file",
        responses=refuses({404: ("UNKNOWN_SUB_FILE",), 409: ("SUB_FILE_PARKED",)}),
    )
    async def close_subfile(sub_file_id: UUID, body: ActBody) -> DoneView:
        """Close it. Bookings leave a closed file alone, unless RECORDS_REPLACE_CLOSED opens the next one (D1)."""
        return await done(Command(str(sub_file_id), Act.CLOSE, body.by, body.reason))

    @router.post(
        "/reopen",
        summary="Open a closed sub-file again",
        responses=refuses({404: ("UNKNOWN_SUB_FILE",), 409: ("SUB_FILE_REPLACED",)}),
    )
    async def reopen_subfile(sub_file_id: UUID, body: ActBody) -> DoneView:
        """Open it again, with its number; refused once a later file took its place."""
        return await done(Command(str(sub_file_id), Act.REOPEN, body.by, body.reason))

    @router.put(
        "/provider",
        summary="Give a sub-file another provider, or none",
        responses=refuses({404: ("UNKNOWN_SUB_FILE",), 409: ("SUB_FILE_CLOSED",), 422: ("UNKNOWN_PROVIDER",)}),
    )
    async def set_subfile_provider(sub_file_id: UUID, body: ProviderBody) -> DoneView:
        """Assign a provider of whom booking knows. Events alone never replace one (D6)."""
        wanted = str(body.provider_id) if body.provider_id else None
        return await done(Command(str(sub_file_id), Act.PROVIDER, body.by, body.reason, wanted))

    @router.get("/commands", summary="Who did what to a sub-file, when and why")
    async def get_subfile_commands(sub_file_id: UUID) -> Commands:
        rows = await commands_of(pool, str(sub_file_id))
        return Commands(items=[CommandView.model_validate(row) for row in rows])

    return router
