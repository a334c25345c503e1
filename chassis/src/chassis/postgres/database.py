"""PostgreSQL: one pool per process, and which of its errors mean "later".

One database holds a schema for each service; a pool sees its own schema first and reads times in UTC.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Literal

import asyncpg
import orjson

from chassis.process.errors import Unavailable

type _Isolation = Literal["read_committed", "repeatable_read", "serializable"]

type Connection = asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]
"""A connection of ours, whether it came from a pool or not."""

COMMAND_TIMEOUT_S = 15
"""A frozen server gives no error. Longer than the roles' transaction_timeout, so that the server decides if it can."""

CONNECT_TIMEOUT_S = 10
ACQUIRE_TIMEOUT_S = 10
"""For a free connection of the pool: while all are held, whoever waits gets an answer and may come again."""

_TEMPORARY = (
    asyncpg.DeadlockDetectedError,  # 40P01
    asyncpg.SerializationError,  # 40001
    asyncpg.LockNotAvailableError,  # 55P03
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03
    asyncpg.PostgresConnectionError,  # 08xxx
    asyncpg.OperatorInterventionError,  # 57xxx: shut down, cancelled
    asyncpg.InsufficientResourcesError,  # 53xxx: disk full, too many connections
    asyncpg.CannotConnectNowError,
)
_TRANSACTION_TIMEOUT = "25P04"
_BOUNDS = frozenset({"25P03", _TRANSACTION_TIMEOUT, "53400", "57014"})
"""Time in a transaction, idle in it, or in a statement; temporary files. Memory (53200) may be what others hold."""


class CutShort(Unavailable):
    """PostgreSQL is there, and ended what took longer or needed more than it gives; less of it may go through."""


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(error, _TEMPORARY) or error.sqlstate == _TRANSACTION_TIMEOUT
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error) or "closing" in str(error) or "another operation" in str(error)
    return isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError)


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what PostgreSQL's absence looks like into `Unavailable`; let every other error pass.

    Raises:
        CutShort: DATABASE_UNAVAILABLE: it ran into one of PostgreSQL's bounds.
        Unavailable: DATABASE_UNAVAILABLE; a transaction cut at its COMMIT may or may not have landed.
    """
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if not _is_temporary(error):
            raise
        # where the server says why and closes the connection, asyncpg raises the loss, and the reason is its cause
        told = error.__cause__ if isinstance(error.__cause__, asyncpg.PostgresError) else error
        reason = getattr(told, "sqlstate", None) or type(error).__name__
        raised = CutShort if reason in _BOUNDS else Unavailable
        raise raised("DATABASE_UNAVAILABLE", f"PostgreSQL: {reason}") from error


class Pool(asyncpg.Pool):
    """A pool whose connections and statements raise `Unavailable` while PostgreSQL is away (see `unavailable`).

    It lets nobody wait for a connection without end; asyncpg has no such setting.
    """

    def __init__(self, *arguments: Any, acquire_timeout_s: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._acquire_timeout_s = acquire_timeout_s

    @asynccontextmanager
    async def acquire(  # type: ignore[override]  # asyncpg's can be awaited too, which nobody here does
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # asyncpg's name
    ) -> AsyncIterator[Any]:
        """Give a connection for the block; asyncpg's own `fetch` and the like take theirs by this too."""
        within = self._acquire_timeout_s if timeout is None else timeout
        with unavailable():
            async with AsyncExitStack() as held:
                try:
                    connection = await held.enter_async_context(super().acquire(timeout=within))
                except TimeoutError as error:  # told from a statement that takes too long
                    raise Unavailable("DATABASE_UNAVAILABLE", f"PostgreSQL: no connection in {within:g} s") from error
                yield connection

    @asynccontextmanager
    async def transaction(
        self, isolation: _Isolation | None = None, *, readonly: bool = False
    ) -> AsyncIterator[Connection]:
        """Give a connection in a transaction, which is committed at the end of the block."""
        async with self.acquire() as connection, connection.transaction(isolation=isolation, readonly=readonly):
            yield connection


async def create_pool(
    url: str,
    schema: str,
    min_size: int = 1,
    max_size: int = 8,
    *,
    plans: Literal["auto", "custom"] = "auto",
    acquire_timeout_s: float = ACQUIRE_TIMEOUT_S,
) -> Pool:
    """Open a pool whose connections see `schema` first, use UTC and read jsonb as Python values.

    Args:
        url: `postgresql://…` with the service's own role.
        plans: `custom` plans each statement anew for the sizes its tables have now. A plan that is kept from when a
            new installation was empty reads whole tables until PostgreSQL's next round of statistics, a minute later.
    """
    with unavailable():
        return await Pool(
            url,
            min_size=min_size,
            max_size=max_size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            acquire_timeout_s=acquire_timeout_s,
            init=_prepare,
            reset=_no_reset,
            command_timeout=COMMAND_TIMEOUT_S,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={
                "search_path": schema,
                "timezone": "UTC",
                "application_name": f"attend-{schema}",
                "plan_cache_mode": "force_custom_plan" if plans == "custom" else "auto",
                "jit": "off",  # our statements are short; compiling them costs more than running them
            },
        )


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
        format="text",
    )


async def _no_reset(connection: Connection) -> None:
    """Save the round trip that would undo session state: nobody here makes any, and asyncpg ends open transactions."""
