"""Who may read an inbox: the operator every one, a provider's own program with a token only his (G9).

A token is 256 random bits, shown once; the database has its SHA-256. It opens one inbox until it is revoked.
"""

import hashlib
import secrets
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.api.app import OperatorKey, Problem, refuses
from chassis.api.door import refused
from chassis.process.clock import Clock
from notifier.inbox.bodies import IssuedToken, NewToken, TokenList, TokenView
from notifier.inbox.store import PostgresInbox

TOKEN_BYTES = 32
PREFIX = "inbox_"
"""So that scanners of secrets, and people, know what they have found."""

_bearer = HTTPBearer(
    auto_error=False, scheme_name="InboxToken", description="A token of this inbox, or the operator's key."
)
type Given = HTTPAuthorizationCredentials | None


class InboxAccess:
    """The doors' keeper."""

    def __init__(self, inbox: PostgresInbox, operator: OperatorKey) -> None:
        self._inbox, self.operator = inbox, operator

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

    async def knows(self, key: str, _method: str, path: str) -> bool:
        """See `chassis.api.door.Admit`: the operator's key opens all, a token something below `/v1/inbox`."""
        if self.operator.opens(key):
            return True
        return (
            key.startswith(PREFIX)
            and path.startswith("/v1/inbox/")
            and await self._inbox.whose(digest(key)) is not None
        )

    async def _check(self, provider_id: UUID, token: str) -> None:
        whose = await self._inbox.whose(digest(token)) if token.startswith(PREFIX) else None
        if whose is None:
            raise refused(token)
        if whose != provider_id:
            raise Problem(403, "NOT_YOURS", "This token opens another inbox.")


def token_routes(inbox: PostgresInbox, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes by which the operator gives tokens out and takes them back."""
    router = APIRouter(prefix="/v1/inbox", tags=["inbox"], dependencies=[Depends(operator)])

    @router.post("/{provider_id}/tokens", status_code=201, summary="Issue a token for one inbox; shown this once")
    async def issue_inbox_token(provider_id: UUID, body: NewToken) -> IssuedToken:
        token, now = PREFIX + secrets.token_urlsafe(TOKEN_BYTES), clock.now()
        new = IssuedToken(token_id=uuid4(), provider_id=provider_id, label=body.label, issued_at=now, token=token)
        await inbox.issue(new, digest(token))
        return new

    @router.get("/{provider_id}/tokens", summary="The tokens of one inbox, revoked ones too")
    async def get_inbox_tokens(provider_id: UUID) -> TokenList:
        return TokenList(items=await inbox.tokens(provider_id))

    @router.delete(
        "/{provider_id}/tokens/{token_id}",
        summary="Revoke a token; again changes nothing",
        responses=refuses({404: ("NO_SUCH_TOKEN",)}),
    )
    async def revoke_inbox_token(provider_id: UUID, token_id: UUID) -> TokenView:
        token = await inbox.revoke(provider_id, token_id, clock.now())
        if token is None:
            raise Problem(404, "NO_SUCH_TOKEN", "This inbox has no such token.")
        return token

    return router


def digest(token: str) -> bytes:
    """Return what the database has of a token."""
    return hashlib.sha256(token.encode()).digest()
