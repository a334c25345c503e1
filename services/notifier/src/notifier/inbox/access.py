"""Who may read an inbox: the operator every one, a provider's own program with a token only his (G9).

A token is 256 random bits, shown once; the database has its SHA-256. It opens one inbox until it is revoked.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

from chassis.api.app import OperatorKey, Problem
from chassis.api.query_fields import Line
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.inbox import statements

TOKEN_BYTES = 32
PREFIX = "inbox_"
"""So that scanners of secrets, and people, know what they have found."""

_bearer = HTTPBearer(auto_error=False, description="The operator's key, or a token of this inbox.")
type Given = HTTPAuthorizationCredentials | None


class NewToken(BaseModel):
    """What a token is for, in the operator's words."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"label": "practice software, room 4"}})

    label: Line


class TokenView(BaseModel):
    """A token, but for itself. `revoked_at`: from then on it opens nothing."""

    token_id: UUID
    provider_id: UUID
    label: str
    issued_at: datetime
    revoked_at: datetime | None = None


class IssuedToken(TokenView):
    """A new token; shown this once."""

    token: str


class TokenList(BaseModel):
    """A provider's tokens, oldest first."""

    items: list[TokenView]


class InboxAccess:
    """The doors' keeper."""

    def __init__(self, pool: Pool, operator: OperatorKey) -> None:
        self._pool, self.operator = pool, operator

    async def admit(self, provider_id: UUID, given: Annotated[Given, Depends(_bearer)] = None) -> str | None:
        """Let the operator's key or a token of this inbox in; return the token's, None for the operator.

        Raises:
            Problem: 401 for no key, an unknown or a revoked one; 403 for a token of another inbox.
        """
        try:
            await self.operator(given)
        except Problem:
            await self._check(provider_id, given.credentials if given else "")
            return given.credentials if given else None
        return None

    async def knows(self, key: str, path: str) -> bool:
        """See `chassis.api.door.Admit`: the operator's key opens all, a token something below `/v1/inbox`."""
        if self.operator.opens(key):
            return True
        return key.startswith(PREFIX) and path.startswith("/v1/inbox/") and await self._whose(key) is not None

    async def _check(self, provider_id: UUID, token: str) -> None:
        whose = await self._whose(token) if token.startswith(PREFIX) else None
        if whose is None:
            raise Problem(
                401, "NO_KEY", "Send `Authorization: Bearer` with the operator's key or a token of this inbox."
            )
        if whose != provider_id:
            raise Problem(403, "NOT_YOURS", "This token opens another inbox.")

    async def _whose(self, token: str) -> UUID | None:
        whose: UUID | None = await self._pool.fetchval(statements.WHOSE, digest(token))
        return whose


def token_routes(pool: Pool, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes by which the operator gives tokens out and takes them back."""
    router = APIRouter(prefix="/v1/inbox", tags=["inbox"], dependencies=[Depends(operator)])

    @router.post("/{provider_id}/tokens", status_code=201, summary="Issue a token for one inbox; shown this once")
    async def issue(provider_id: UUID, body: NewToken) -> IssuedToken:
        token, token_id, now = PREFIX + secrets.token_urlsafe(TOKEN_BYTES), uuid4(), clock.now()
        await pool.execute(statements.ISSUE, token_id, digest(token), provider_id, body.label, now)
        return IssuedToken(token_id=token_id, provider_id=provider_id, label=body.label, issued_at=now, token=token)

    @router.get("/{provider_id}/tokens", summary="The tokens of one inbox, revoked ones too")
    async def tokens(provider_id: UUID) -> TokenList:
        rows = await pool.fetch(statements.ISSUED, provider_id)
        return TokenList(items=[TokenView.model_validate(dict(row)) for row in rows])

    @router.delete("/{provider_id}/tokens/{token_id}", summary="Revoke a token; again changes nothing")
    async def revoke(provider_id: UUID, token_id: UUID) -> TokenView:
        row = await pool.fetchrow(statements.REVOKE, provider_id, token_id, clock.now())
        if row is None:
            raise Problem(404, "NO_SUCH_TOKEN", "This inbox has no such token.")
        return TokenView.model_validate(dict(row))

    return router


def digest(token: str) -> bytes:
    """Return what the database has of a token."""
    return hashlib.sha256(token.encode()).digest()
