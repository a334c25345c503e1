"""Schema changes, applied once, in order, under an advisory lock; and the roles with least rights."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import unquote, urlsplit

import asyncpg

from chassis.database import Connection, unavailable
from chassis.errors import Misconfigured

SERVICES = ("booking", "records", "reminders", "notifier")
_LOCK = 0x617474656E64  # "attend"
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

    Args:
        wanted: All steps of this version of the program.
        applied: Name → hash of those in the database.

    Raises:
        Misconfigured: An applied step was changed since, or the database is ahead of the program.
    """
    changed = [s.name for s in wanted if applied.get(s.name, s.sha256) != s.sha256]
    if changed:
        raise Misconfigured(
            f"migration {changed[0]} differs from the one applied; add a new file instead of changing it"
        )
    ahead = sorted(set(applied) - {s.name for s in wanted})
    if ahead:
        raise Misconfigured(f"the database has migration {ahead[0]}, which this program lacks; run the newer program")
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


async def migrate(admin_url: str, service_url: str, service: str, package: str) -> list[str]:
    """Bring the service's schema and role up to date; return the names of the steps applied.

    Safe to run again and by several at once: all but one wait at an advisory lock.

    Args:
        admin_url: A role that may create schemas and roles.
        service_url: The service's own URL; its user must be `attend_<service>`, its password becomes the role's.
        service: The schema.
        package: The package whose `migrations` folder holds the steps.
    """
    with unavailable():
        connection = await asyncpg.connect(admin_url)
        try:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                await _roles(connection, service, service_url)
                done = await _apply(connection, service, package)
                await _grant(connection, service)
            return done
        finally:
            await connection.close()


async def _roles(connection: Connection, service: str, url: str) -> None:
    parts = urlsplit(url)
    role = f"attend_{service}"
    if parts.username != role:
        raise Misconfigured(f"the database URL of {service} must name the role {role}")
    for name in (f"attend_{s}" for s in SERVICES):
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} NOLOGIN")
    password = await connection.fetchval("SELECT quote_literal($1)", unquote(parts.password or ""))
    await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD {password}")
    for name, value in _ROLE_TIMEOUTS.items():
        await connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")


async def _apply(connection: Connection, service: str, package: str) -> list[str]:
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service}")
    await connection.execute(
        f"CREATE TABLE IF NOT EXISTS {service}.schema_migration "
        "(name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    await connection.execute(f"SET LOCAL search_path = {service}")
    done = pending(steps(package), await _applied(connection, service))
    for step in done:
        await connection.execute(step.sql)
        await connection.execute(
            f"INSERT INTO {service}.schema_migration (name, sha256) VALUES ($1, $2)",  # noqa: S608  # a constant of ours
            step.name,
            step.sha256,
        )
    return [step.name for step in done]


async def _grant(connection: Connection, service: str) -> None:
    role = f"attend_{service}"
    await connection.execute(
        f"GRANT USAGE ON SCHEMA {service} TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {service} TO {role};"
        f"REVOKE INSERT, UPDATE, DELETE ON {service}.schema_migration FROM {role};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {service} TO {role};"
    )


async def check(pool: asyncpg.Pool, service: str, package: str) -> None:
    """Refuse to start on another schema than this program's.

    Raises:
        Misconfigured: Names the first step missing and the command that mends it.
    """
    with unavailable():
        async with pool.acquire() as connection:
            missing = pending(steps(package), await _applied(connection, service))
    if missing:
        raise Misconfigured(f"schema {service} lacks migration {missing[0].name}; run `attend migrate`")
