"""A look reads the partition in which it may find something, and no row that it does not show."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from booking.appointments import ahead_reads, reads, statements
from booking.inbound import reads as inbound_reads
from chassis.postgres.database import Connection, create_pool
from tests.integration.booking.appointments.partitions import in_quarters, names
from tests.support.installation import Installation

pytestmark = pytest.mark.integration
LOOKS: dict[str, tuple[str, str]] = {
    "history of one": (reads._HISTORY, "appointment_history"),
    "newest snapshots": (ahead_reads._SNAPSHOTS, "appointment_history"),
}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("look", LOOKS)
async def test_a_look_by_appointment_reads_one_partition_of_twelve(
    base: Installation, admin: Connection, look: str, mode: str
) -> None:
    statement, table = LOOKS[look]
    await _visits(admin)
    visit = await admin.fetchval("SELECT appointment_id FROM appointment ORDER BY appointment_id OFFSET 7000 LIMIT 1")
    asked: Any = visit if look == "history of one" else [visit]

    assert await _read(base, statement, mode, asked) == {await _home(admin, table, visit)}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("look", ["a batch", "one event", "one event, of whomever"])
async def test_a_look_by_key_goes_by_index_into_the_quarters_that_are_kept(
    base: Installation, admin: Connection, look: str, mode: str
) -> None:
    await in_quarters(admin, 4)
    await admin.execute(
        "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings, period) "
        "SELECT 'local', 'k' || n, '', 'applied', gen_random_uuid(), 1, '{}', "
        "quarter_of(now() + n % 5 * interval '3 months') FROM generate_series(1, 100000) AS n"
    )
    await admin.execute("ANALYZE ingress")
    keys = [f"k{number}" for number in range(1, 1001)]
    looks: dict[str, tuple[str, tuple[Any, ...], int]] = {
        "a batch": (statements.TAKEN, (["local"] * len(keys), keys), 1000),
        "one event": (inbound_reads._TAKEN[False], ("k7", "local"), 1),
        "one event, of whomever": (inbound_reads._TAKEN[False], ("k7", None), 1),
    }
    statement, given, found = looks[look]

    plan = await _plan(base, statement, mode, *given)

    rows = [node["Actual Rows"] * node["Actual Loops"] for node in _scans(plan)]
    passed_by = [node.get("Rows Removed by Filter", 0) for node in _scans(plan)]
    assert sum(rows) == pytest.approx(found, rel=0.1)
    assert sum(passed_by) == 0


async def _visits(admin: Connection) -> None:
    """Keep 12,000 visits, first heard of in twelve quarters, with three versions each."""
    await in_quarters(admin, 9)
    assert len(await names(admin, "appointment_history")) >= 11
    await admin.execute(
        "INSERT INTO appointment (appointment_id, source, version, status, event_time, ingest_time, confirmed, mode, "
        "schedule_gen) SELECT overlay(first_id_of((quarter_of(now()) + (n / 1000) * interval '3 months')::date)::text "
        "placing lpad(to_hex(n), 12, '0') from 25)::uuid, 'local', 3, 'booked', now(), now(), false, 'live', 1 "
        "FROM generate_series(0, 11999) AS n"
    )
    await admin.execute(
        "INSERT INTO appointment_history SELECT appointment_id, v, '{}' FROM appointment, generate_series(1, 3) AS v"
    )
    await admin.execute("ANALYZE appointment")
    await admin.execute("ANALYZE appointment_history")


async def _home(admin: Connection, table: str, visit: UUID) -> str:
    found: str = await admin.fetchval(f"SELECT tableoid::regclass::text FROM {table} WHERE appointment_id = $1", visit)  # noqa: S608
    return found


async def _read(base: Installation, statement: str, mode: str, *given: Any) -> set[str]:
    plan = await _plan(base, statement, mode, *given)
    return {node["Relation Name"] for node in _scans(plan) if node["Relation Name"] != "appointment"}


async def _plan(base: Installation, statement: str, mode: str, *given: Any) -> dict[str, Any]:
    """Return what PostgreSQL did, under a plan for any values or for these."""
    url = base.service_url("booking")
    pool = await create_pool(url, "booking", min_size=1, max_size=1)
    async with pool.acquire() as connection:
        await connection.execute(f"SET plan_cache_mode = {mode}")
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *given)
    pool.terminate()
    found: dict[str, Any] = orjson.loads(told)[0]["Plan"]
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the looks into tables that were made at all."""
    return [node for node in _nodes(plan) if "Relation Name" in node and node["Actual Loops"] > 0]
