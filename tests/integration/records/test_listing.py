"""The list of sub-files shows what was asked for, and reads what it shows, at any size and whatever plan is kept."""

from collections.abc import Callable
from itertools import combinations
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.postgres.database import Pool, create_pool
from records.adapters.pages import Filters, find
from tests.support.installation import Installation

FILES = 50_000
FILL = """
INSERT INTO records.sub_file (sub_file_id, version, status, number, patient_id, clinic_id, ordinal, appointment_id,
                              caused_by, created_at)
SELECT gen_random_uuid(), 1, CASE WHEN n % 499 = 7 THEN 'CLOSED' ELSE 'ACTIVE' END,
       'FILE-2026-' || lpad(n::text, 6, '0') || '-C' || n % 50 || 'X-01',
       md5('p' || n)::uuid, 'C' || n % 50 || 'X', 1, md5('a' || n)::uuid, 'x', now()
FROM generate_series(1, $1::int) AS n
"""
SEEN = """
INSERT INTO records.appointment (appointment_id, version, patient_id, clinic_id)
SELECT appointment_id, 1, patient_id, clinic_id FROM records.sub_file
"""


@pytest.mark.parametrize(
    "by",
    [
        *("patient", "appointment", "clinic", "patient and clinic", "status", "a common status"),
        *("clinic and status", "a common status at a clinic", "patient and status"),
    ],
)
async def test_a_page_reads_what_it_shows_and_not_the_table(installation: Installation, by: str) -> None:
    """Ten times on one connection: PostgreSQL then keeps a plan for any value."""
    admin = await asyncpg.connect(installation.admin_url)
    await admin.execute(FILL, FILES)
    await admin.execute(SEEN)
    await admin.execute("VACUUM ANALYZE records.sub_file")
    await admin.execute("VACUUM ANALYZE records.appointment")
    row = await admin.fetchrow(
        "SELECT patient_id, appointment_id, clinic_id FROM records.sub_file "
        "WHERE clinic_id = 'C7X' AND status = 'CLOSED'"
    )
    assert row is not None
    given = {
        "patient": {"patient": row["patient_id"]},
        "appointment": {"appointment": row["appointment_id"]},
        "clinic": {"clinic": row["clinic_id"], "after": UUID(int=1 << 126)},
        "patient and clinic": {"patient": row["patient_id"], "clinic": row["clinic_id"]},
        "status": {"status": "CLOSED", "after": UUID(int=1 << 126), "limit": 20},
        "a common status": {"status": "ACTIVE", "after": UUID(int=1 << 126)},
        "clinic and status": {"clinic": row["clinic_id"], "status": "CLOSED"},
        "a common status at a clinic": {"clinic": "C8X", "status": "ACTIVE", "after": UUID(int=1 << 126)},
        "patient and status": {"patient": row["patient_id"], "status": "CLOSED"},
    }[by]
    pool = await create_pool(installation.service_url("records"), "records", min_size=1, max_size=1)

    before = await _rows_read(pool)
    pages = [await find(pool, Filters.model_validate(given)) for _ in range(10)]
    read = await _rows_read(pool) - before
    pool.terminate()
    await admin.close()

    shown = sum(len(page.items) for page in pages)
    assert shown >= 10
    assert read <= 2 * shown + 10


ANN, BEN, VISIT = UUID(int=1), UUID(int=2), UUID(int=3)
FEW = """
INSERT INTO records.sub_file (sub_file_id, version, status, number, patient_id, clinic_id, ordinal, appointment_id,
                              caused_by, created_at)
SELECT md5(patient || clinic || ordinal)::uuid, 1, status,
       'FILE-2026-00000' || right(patient::text, 1) || '-' || clinic || '-0' || ordinal, patient, clinic, ordinal,
       gen_random_uuid(), 'x', now()
FROM unnest($1::uuid[]) AS patient, unnest(ARRAY['EYE', 'SKIN']) AS clinic,
     unnest(ARRAY[1, 2], ARRAY['CLOSED', 'ACTIVE']) AS file (ordinal, status)
"""
VISITED = "INSERT INTO records.appointment (appointment_id, version, patient_id, clinic_id) VALUES ($1, 1, $2, $3)"
ASKED: dict[str, tuple[Any, Callable[[asyncpg.Record], bool]]] = {
    "patient": (ANN, lambda row: row["patient_id"] == ANN),
    "appointment": (VISIT, lambda row: (row["patient_id"], row["clinic_id"]) == (ANN, "SKIN")),
    "clinic": ("SKIN", lambda row: row["clinic_id"] == "SKIN"),
    "status": ("ACTIVE", lambda row: row["status"] == "ACTIVE"),
}


async def test_whatever_filters_are_given_a_file_is_listed_if_it_is_all_that_they_say(
    installation: Installation,
) -> None:
    admin, pool = await asyncpg.connect(installation.admin_url), await installation.pool("records")
    await admin.execute(FEW, [ANN, BEN])
    await admin.execute(VISITED, VISIT, ANN, "SKIN")
    files = await admin.fetch("SELECT * FROM records.sub_file ORDER BY sub_file_id")
    await admin.close()

    for names in (names for count in range(1, 5) for names in combinations(ASKED, count)):
        given = {name: ASKED[name][0] for name in names}
        wanted = [row["sub_file_id"] for row in files if all(ASKED[name][1](row) for name in names)]
        assert 0 < len(wanted) < len(files)

        found = (await find(pool, Filters.model_validate(given))).items
        after = [
            (await find(pool, Filters.model_validate({**given, "after": one, "limit": 1}))).items
            for one in (UUID(int=0), *wanted)
        ]

        assert [one.sub_file_id for one in found] == wanted, names
        assert [[one.sub_file_id for one in page] for page in after] == [*([one] for one in wanted), []], names


async def _rows_read(pool: Pool) -> int:
    """Return how many rows of the table and entries of its indexes were read so far."""
    await pool.execute("SELECT pg_stat_force_next_flush()")
    await pool.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        await pool.fetchval(
            "SELECT max(seq_tup_read) + sum(idx_tup_read)::bigint "
            "FROM pg_stat_user_tables t JOIN pg_stat_user_indexes i USING (relid) "
            "WHERE t.relname = 'sub_file' AND t.schemaname = 'records'"
        )
    )
