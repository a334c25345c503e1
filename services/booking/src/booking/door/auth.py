"""Who is calling: a client by its key, or the operator (G9)."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from booking.door.client_keys import Keys
from booking.door.domain import OPERATOR, Client
from chassis.api.app import OperatorKey
from chassis.api.door import Admit, refused

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="ClientKey",
    description="The key of an API client: `attend clients create`. What only reads, the operator's key opens too.",
)

type Caller = Callable[..., Awaitable[Client]]
"""A dependency that gives the client, or answers 401."""


def client_of(keys: Keys, *, fresh: bool = False) -> Caller:
    """Return the dependency of commands: only a client's key opens; `fresh`: as its row is now."""
    find = keys.as_of_now if fresh else keys.client

    async def caller(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None) -> Client:
        client = None if given is None else await find(given.credentials)
        if client is None:
            raise refused("" if given is None else given.credentials)
        return client

    return caller


def reader_of(keys: Keys, operator: OperatorKey, *, fresh: bool = False) -> Caller:
    """Return the dependency of reads: a client sees its own, the operator sees all.

    Args:
        fresh: The key is looked up anew, whatever is remembered of it.
    """
    find = client_of(keys, fresh=fresh)

    async def caller(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None) -> Client:
        if given is not None and operator.opens(given.credentials):
            return OPERATOR
        return await find(given)

    return caller


def admit_of(keys: Keys, operator: OperatorKey) -> Admit:
    """Return what the door lets in: the operator's key and every client's."""

    async def admit(key: str, _method: str, _path: str) -> bool:
        return operator.opens(key) or (key != "" and await keys.client(key) is not None)

    return admit
