"""Who is calling: a client by its key, or the operator (G9)."""

import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from booking.adapters.clients import Keys
from booking.domain.clients import OPERATOR, Client
from booking.settings import Settings
from chassis.http import Problem

_BEARER = HTTPBearer(auto_error=False, description="The key of an API client: `attend clients create`.")

type Caller = Callable[..., Awaitable[Client]]
"""A dependency that gives the client, or answers 401."""


def client_of(keys: Keys) -> Caller:
    """Return the dependency of commands: only a client's key opens."""

    async def caller(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None) -> Client:
        client = None if given is None else await keys.client(given.credentials)
        if client is None:
            raise no_key()
        return client

    return caller


def reader_of(keys: Keys, settings: Settings) -> Caller:
    """Return the dependency of reads: a client sees its own, the operator sees all."""
    operator = settings.operator_key_sha256.get_secret_value() if settings.operator_key_sha256 else ""
    find = client_of(keys)

    async def caller(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None) -> Client:
        found = sha256(given.credentials.encode()).hexdigest() if given else ""
        if operator and hmac.compare_digest(found, operator):
            return OPERATOR
        return await find(given)

    return caller


def no_key() -> Problem:
    """Return the answer to a missing or unknown key; both get the same."""
    return Problem(401, "NO_KEY", "Send `Authorization: Bearer KEY` with the key of an API client.")
