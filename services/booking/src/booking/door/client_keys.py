"""API clients and their hashed keys (G9)."""

import secrets
from collections.abc import Collection
from hashlib import sha256
from typing import Any

import asyncpg
from pydantic import SecretStr

from booking.door.domain import Client
from booking.values.refusals import Refused
from chassis.api.remembered_keys import RememberedKeys
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import Misconfigured

SHORTEST_KEY = 32
"""Characters of a key brought from outside; our own have 43 (256 bits)."""

RIGHTS = ("may_register", "may_set_policy", "may_manage_clinics", "may_clear", "may_override_clearance", "may_correct")
"""What a client may have beside its sources and clinics; each a column of `api_client` and a field of `Client`."""

_TOLD = ("sources", "clinics", "default_clinic", *RIGHTS)
_COLUMNS = ", ".join(("client_id", *_TOLD))
_BY_KEY = f"SELECT {_COLUMNS} FROM api_client WHERE key_sha256 = $1 AND NOT revoked"  # noqa: S608  # ours
_BY_ID = f"SELECT {_COLUMNS} FROM api_client WHERE client_id = ANY ($1::text[]) AND NOT revoked"  # noqa: S608  # ours
_CREATE = f"""
INSERT INTO api_client (key_sha256, {_COLUMNS})
VALUES ({", ".join(f"${number}" for number in range(1, len(_TOLD) + 3))})
ON CONFLICT (client_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _TOLD)}, changed_at = clock_timestamp()
WHERE api_client.key_sha256 = excluded.key_sha256 AND NOT api_client.revoked
RETURNING client_id
"""  # noqa: S608  # ours
_ROTATE = """
UPDATE api_client SET key_sha256 = $2, changed_at = clock_timestamp()
WHERE client_id = $1 AND NOT revoked RETURNING client_id
"""
_REVOKE = """
UPDATE api_client SET revoked = true, changed_at = clock_timestamp() WHERE client_id = $1 RETURNING client_id
"""
_WHOSE = "SELECT client_id FROM api_client WHERE key_sha256 = $1 AND NOT revoked"
_ALL = f"SELECT {_COLUMNS}, revoked, changed_at FROM api_client ORDER BY client_id"  # noqa: S608  # ours


def new_key() -> str:
    """Return a key of 256 random bits."""
    return secrets.token_urlsafe(32)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _client(row: Any) -> Client:
    rights = {right: row[right] for right in RIGHTS}
    sources, clinics = tuple(row["sources"]), tuple(row["clinics"])
    return Client(row["client_id"], sources, clinics, default_clinic=row["default_clinic"], **rights)


class Keys:
    """Finds clients by their keys. Each is looked up by its hash, which tells nothing by its timing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._remembered = RememberedKeys(self._look_up)
        self.client = self._remembered.holder
        """The client whose key it is; None: nobody's."""
        self.as_of_now = self._remembered.holder_now
        """The same without what is remembered: for an answer that another process remembers."""

    async def _look_up(self, key: str) -> Client | None:
        row = await self._pool.fetchrow(_BY_KEY, _hash(key))
        return None if row is None else _client(row)


async def by_id(connection: Connection, client_ids: Collection[str]) -> dict[str, Client]:
    """Return the clients that exist and are not revoked."""
    return {row["client_id"]: _client(row) for row in await connection.fetch(_BY_ID, list(client_ids))}


async def check_operator(pool: Pool, operator_key_sha256: SecretStr | None) -> None:
    """Refuse to start while the operator's key is a client's as well: whoever may book could do everything."""
    if operator_key_sha256 is None:
        return
    whose = await pool.fetchval(_WHOSE, bytes.fromhex(operator_key_sha256.get_secret_value()))
    if whose is not None:
        raise Misconfigured(
            f"the operator's key is also the key of the client {whose}: `python -m booking clients rotate {whose}`, "
            "or give the operator another and its hash as ATTEND_OPERATOR_KEY_SHA256"
        )


async def create(pool: Pool, client: Client, key: str) -> None:
    """Keep a client; the same again with the same key changes its rights and nothing else.

    Raises:
        Refused: CLIENT_EXISTS with another key (rotate it), KEY_TOO_SHORT, KEY_IN_USE.
    """
    if len(key) < SHORTEST_KEY:
        raise Refused("KEY_TOO_SHORT", f"a key has at least {SHORTEST_KEY} characters")
    try:
        told = [getattr(client, name) for name in _TOLD]
        done = await pool.fetchval(_CREATE, _hash(key), client.client_id, *told)
    except asyncpg.UniqueViolationError:
        raise Refused("KEY_IN_USE", "another client has this key") from None
    if done is None:
        raise Refused("CLIENT_EXISTS", "a client of this name has another key, or was revoked; rotate its key")


async def rotate(pool: Pool, client_id: str, key: str) -> bool:
    """Give a client another key; the old one ends at once. False if there is no such client."""
    return await pool.fetchval(_ROTATE, client_id, _hash(key)) is not None


async def revoke(pool: Pool, client_id: str) -> bool:
    """End a client's rights; what it sent stays. False if there is no such client."""
    return await pool.fetchval(_REVOKE, client_id) is not None


async def listed(pool: Pool) -> list[Any]:
    """Return all clients, revoked ones too; never a key."""
    return list(await pool.fetch(_ALL))
