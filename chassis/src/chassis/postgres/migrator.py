"""Schema changes, applied once, in order, under an advisory lock; and the roles with least rights.

A step is a transaction, and the rights to what it makes are in it: whatever runs meanwhile never meets a table that it
may not use. One that would hold a large table too long (CREATE INDEX CONCURRENTLY) says so in its first line and runs
outside of one.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from urllib.parse import unquote, urlsplit

import asyncpg

from chassis.postgres.database import Connection, Pool, unavailable
from chassis.postgres.scram import verifier
from chassis.process import logs
from chassis.process.errors import Misconfigured, Unavailable

SERVICES = ("booking", "records", "reminders", "notifier")
ALONE = "-- outside a transaction"
"""First line of a step that runs outside a transaction: one statement, which builds an index."""
_LOCK = 0x617474656E64  # "attend"
_LOCKED_OUT_S = 0.1
"""Between two tries for the lock: a concurrent build waits for whoever waits inside a statement."""
_LOCK_TIMEOUT = "2s"
"""For each lock of a step, because everybody else waits behind it: longer than PostgreSQL's deadlock_timeout, after
which a vacuum in the way gives up, and shorter than the roles' lock_timeout, so that nobody is refused."""
LOCK_TRIES = 30
LOCK_AGAIN_S = 8.0
"""Between two tries of a step: with the timeout five minutes in all, of which others are held up for one."""
_BUILT = re.compile(r"^CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)", re.MULTILINE)
_ROLE_TIMEOUTS = {
    # a frozen process holds nothing for long (design §3)
    "transaction_timeout": "10s",
    "idle_in_transaction_session_timeout": "8s",
    "lock_timeout": "5s",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One migration file: its name, its SQL and the hash that must not change once applied."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the SQL."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def alone(self) -> bool:
        """Whether it runs outside a transaction."""
        return self.sql.startswith(ALONE)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of migrations: when it began, by the database, is the `applied_at` of all its steps."""

    connection: Connection
    service: str
    began_at: datetime

    @classmethod
    async def begin(cls, connection: Connection, service: str) -> "Run":
        """Begin one, by an administrator's connection that looks into the service's schema first."""
        return cls(connection, service, await connection.fetchval("SELECT now()"))


def steps(package: str) -> tuple[Step, ...]:
    """Return the migrations of `package` after those of the delivery core, in order."""
    found = []
    for name in ("chassis", package):
        folder = files(name) / "migrations"
        names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql"))
        found += [Step(f"{name}/{n}", (folder / n).read_text()) for n in names]
    return tuple(found)


def pending(wanted: Sequence[Step], applied: dict[str, str]) -> list[Step]:
    """Return the steps not yet applied.

    A database that is ahead of the program is no fault: a step only adds what the release before can live with, and
    takes nothing away that it uses.

    Args:
        applied: Name → hash of those in the database.
    """
    changed = [s.name for s in wanted if applied.get(s.name, s.sha256) != s.sha256]
    if changed:
        raise Misconfigured(
            f"migration {changed[0]} differs from the one applied; add a new file instead of changing it"
        )
    return [s for s in wanted if s.name not in applied]


async def _applied(connection: Connection, schema: str) -> dict[str, str]:
    if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.schema_migration") is None:
        return {}
    query = f"SELECT name, sha256 FROM {schema}.schema_migration"  # noqa: S608  # a constant of ours
    return {row["name"]: row["sha256"] for row in await connection.fetch(query)}


async def plan(admin_url: str, service: str, package: str) -> list[str]:
    """Return the names of the steps that `migrate` would apply; change nothing."""
    with unavailable():
        connection = await asyncpg.connect(admin_url)
        try:
            return [s.name for s in pending(steps(package), await _applied(connection, service))]
        finally:
            await connection.close()


async def migrate(
    admin_url: str,
    service_url: str,
    service: str,
    package: str,
    *,
    lock_tries: int = LOCK_TRIES,
    lock_again_s: float = LOCK_AGAIN_S,
) -> list[str]:
    """Bring the service's schema and role up to date; return the names of the steps applied.

    Safe to run again and by several at once: all but one wait at an advisory lock. When a step fails those applied
    before it stay; an index that was only half built is built anew by the next run. A step that does not get its locks
    in time gives way to those who wait behind it, and is tried again.

    Args:
        service_url: The service's own URL; its user must be `attend_<service>`, its password becomes the role's.
        package: The package whose `migrations` folder holds the steps.

    Raises:
        Misconfigured: An applied step was changed since, or the service's URL names another role.
        Unavailable: The database is away, or a step did not get its locks.
    """
    with unavailable():
        async with _locked(admin_url) as connection:
            async with connection.transaction():
                await _roles(connection, service, service_url)
                await _schema(connection, service)
                await _grant(connection, service)
            await connection.execute(f"SET search_path = {service}")
            done = pending(steps(package), await _applied(connection, service))
            run = await Run.begin(connection, service)
            for step in done:
                await apply(run, step, lock_tries, lock_again_s)
            return [step.name for step in done]


@asynccontextmanager
async def _locked(admin_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(admin_url)
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110  # a session's
            await asyncio.sleep(_LOCKED_OUT_S)
        yield connection
    finally:
        await connection.close()  # and the lock with it


async def _roles(connection: Connection, service: str, url: str) -> None:
    parts = urlsplit(url)
    role = f"attend_{service}"
    if parts.username != role:
        raise Misconfigured(f"the database URL of {service} must name the role {role}")
    for name in (f"attend_{s}" for s in SERVICES):
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} NOLOGIN")
    await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{verifier(unquote(parts.password or ''))}'")
    for name, value in _ROLE_TIMEOUTS.items():
        await connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")


async def _schema(connection: Connection, service: str) -> None:
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service}")
    await connection.execute(
        f"CREATE TABLE IF NOT EXISTS {service}.schema_migration "
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )


async def apply(run: Run, step: Step, tries: int = LOCK_TRIES, again_s: float = LOCK_AGAIN_S) -> None:
    """Apply one step, as often as it must be tried to get its locks."""
    if step.alone:
        await _build(run, step)
        return
    for number in range(1, tries + 1):
        try:
            await _commit(run, step)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            logs.get_logger().warning("migration.gave_way", step=step.name, tries=number, of=tries)
            if number < tries:
                await asyncio.sleep(again_s)
        else:
            return
    raise Unavailable(
        "MIGRATION_LOCKED_OUT",
        f"migration {step.name} did not get its locks in {tries} tries; end the transaction that is open for long, "
        "such as a dump's (pg_stat_activity, by xact_start), or wait for it, and migrate again",
    )


async def _commit(run: Run, step: Step) -> None:
    async with run.connection.transaction():
        await run.connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        await run.connection.execute(step.sql)
        await _note(run, step)
        await _grant(run.connection, run.service)


async def _build(run: Run, step: Step) -> None:
    """Build an index. Nobody waits behind it, so it waits for whatever is open."""
    await _drop_half_built(run.connection, step)
    await run.connection.execute(step.sql)
    await _note(run, step)


async def _drop_half_built(connection: Connection, step: Step) -> None:
    """Drop the step's index if a build of it was cut off: it is there, and used by nothing."""
    built = _BUILT.search(step.sql)
    if built is None:
        raise Misconfigured(f"migration {step.name}: outside a transaction only an index is built, IF NOT EXISTS")
    half = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)"
    if await connection.fetchval(half, built[1]):
        await connection.execute(f"DROP INDEX CONCURRENTLY {built[1]}")


async def _note(run: Run, step: Step) -> None:
    query = f"INSERT INTO {run.service}.schema_migration (name, sha256, applied_at) VALUES ($1, $2, $3)"  # noqa: S608
    await run.connection.execute(query, step.name, step.sha256, run.began_at)


async def _grant(connection: Connection, service: str) -> None:
    """Give the role what it needs of the tables.

    It changes nothing of those with a trigger `append_only`, of those with another `append_only_…` what that lets pass.
    A partition is reached through its table, whose rights and triggers nobody goes round.
    """
    role = f"attend_{service}"
    await connection.execute(
        f"GRANT USAGE ON SCHEMA {service} TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {service} TO {role};"
        f"REVOKE INSERT, UPDATE, DELETE ON {service}.schema_migration FROM {role};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {service} TO {role};"
    )
    for (partition,) in await connection.fetch(
        "SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind IN ('r', 'p') "
        "AND relnamespace = $1::regnamespace",
        service,
    ):
        await connection.execute(f"REVOKE ALL ON {partition} FROM {role}")
    guarded = await connection.fetch(
        "SELECT tgrelid::regclass::text, tgname = 'append_only' FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
        "WHERE tgname LIKE 'append_only%' AND c.relnamespace = $1::regnamespace AND NOT tgisinternal",
        service,
    )
    for table, wholly in guarded:
        await connection.execute(f"REVOKE {'UPDATE, ' * wholly}DELETE, TRUNCATE ON {table} FROM {role}")


async def check(pool: Pool, service: str, package: str) -> None:
    """Refuse to start on a schema that lacks something; one that is ahead is noted.

    Raises:
        Misconfigured: Names the first step missing and the command that mends it.
    """
    async with pool.acquire() as connection:
        applied = await _applied(connection, service)
    wanted = steps(package)
    if missing := pending(wanted, applied):
        raise Misconfigured(f"schema {service} lacks migration {missing[0].name}; run `attend migrate`")
    if ahead := sorted(applied.keys() - {step.name for step in wanted}):
        logs.get_logger().info("schema.ahead", schema_name=service, steps=ahead)
