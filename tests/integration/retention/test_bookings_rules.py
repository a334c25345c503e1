"""What booking forgets, and when: what is a moment younger stays, and more than a batch goes in batches."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from booking.retention import jobs
from booking.settings import Settings
from chassis.postgres.database import Pool
from chassis.postgres.retention import BATCH, remove
from tests.support.installation import Installation

pytestmark = pytest.mark.integration
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
JOBS = jobs(Settings.model_construct(database_url=SecretStr("-"), kafka_bootstrap_servers="-"))
LOOKED_AT = "visits looked at for what they lack"


@pytest.fixture
async def pool(installation: Installation) -> Pool:
    """Return booking's own connections."""
    return await installation.pool("booking")


async def notices(pool: Pool, number: int, age: str) -> None:
    """Leave so many visits that were looked at so long ago."""
    await pool.execute(
        """
        INSERT INTO clearance_notice (appointment_id, schedule_gen, days, lacked, slot, looked_at)
        SELECT gen_random_uuid(), 1, 7, false, 's', $2::timestamptz - $3::text::interval
        FROM generate_series(1, $1) AS n""",
        number, NOW, age,
    )  # fmt: skip


async def test_refusals_of_inbound_events_go_after_their_time_in_small_batches(pool: Pool) -> None:
    await pool.execute(
        """
        INSERT INTO inbound_refusal (client, key, code, message, place, recorded_at)
        SELECT 'local', n::text, 'BAD_PHONE', 'm', 'p',
               $2::timestamptz - CASE WHEN n <= $1 THEN interval '90 days 1 s' ELSE interval '90 days' END
        FROM generate_series(1, $1 + 5) AS n""",
        BATCH + 7,
        NOW,
    )
    await pool.execute(
        """
        INSERT INTO clearance_refusal (client, key, code, message, place, recorded_at)
        SELECT 'local', n::text, 'UNKNOWN_KIND', 'm', 'p', $1::timestamptz - n * interval '90 days'
        FROM generate_series(1, 2) AS n""",
        NOW,
    )

    gone = await remove(pool, JOBS, NOW, pause_s=0)

    assert gone == {
        "quarters of ingress keys": 0,
        "places of inbound records": 0,
        "refusals of inbound events": BATCH + 7,
        "refusals of clearances": 1,
        LOOKED_AT: 0,
        "settled dead letters": 0,
    }
    assert await pool.fetchval("SELECT count(*) FROM inbound_refusal") == 5


async def test_which_visits_were_looked_at_is_forgotten_after_400_days_in_small_batches(pool: Pool) -> None:
    await notices(pool, BATCH + 7, "400 days 1 s")
    await notices(pool, 5, "400 days")

    assert (await remove(pool, JOBS, NOW, pause_s=0))[LOOKED_AT] == BATCH + 7
    assert await pool.fetchval("SELECT count(*) FROM clearance_notice") == 5


async def test_which_visits_were_looked_at_is_found_by_an_index(pool: Pool) -> None:
    [job] = [job for job in JOBS if job.name == LOOKED_AT]

    async with pool.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {job.rows}", NOW))

    assert "clearance_notice_age" in plan
    assert "Index Cond: (looked_at < " in plan
