"""Reminder records go long after their visit, whole and with their history; what is ahead or not final stays."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from chassis.postgres.bounded_count import Count
from chassis.postgres.database import Pool
from chassis.postgres.retention import BATCH, overdue, remove
from reminders.retention import jobs
from reminders.settings import Settings
from tests.support.reminders.builders import NOW, id_of

pytestmark = pytest.mark.integration

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LATELY = NOW - 400 * DAY
LONG_OVER = LATELY - SECOND
JOBS = jobs(Settings(database_url=SecretStr("-"), kafka_bootstrap_servers="-"))
OVER, EMPTY = "visits long over", "visits without a reminder"
ADD = """
INSERT INTO reminder
    (reminder_id, appointment_id, schedule_gen, version, status, sent_at, closes_at, changed_at, caused_by)
VALUES (gen_random_uuid(), $1, 1, 1, $2, CASE WHEN $2 = 'SENT' THEN now() END, $3, $4, 'test')"""


async def keep(
    pool: Pool, visit: str, *reminders: tuple[str, datetime | None], changed_at: datetime = LONG_OVER
) -> UUID:
    """Keep a visit's records: status, and when each is to be closed."""
    await pool.execute("INSERT INTO schedule (appointment_id) VALUES ($1)", id_of(visit))
    for status, closes_at in reminders:
        await pool.execute(ADD, id_of(visit), status, closes_at, changed_at)
    return id_of(visit)


async def left(pool: Pool) -> set[UUID]:
    """Return the visits that still have something: all of it, or nothing of it."""
    query = "SELECT array_agg(DISTINCT appointment_id) FROM "
    schedules, records = await pool.fetchval(query + "schedule"), await pool.fetchval(query + "reminder")
    told = await pool.fetchval(query + "reminder_history JOIN reminder USING (reminder_id)")
    assert set(records or ()) == set(told or ())
    assert await pool.fetchval("SELECT count(*) FROM reminder_history") == await pool.fetchval(
        "SELECT count(*) FROM reminder_history JOIN reminder USING (reminder_id)"
    )
    assert set(records or ()) <= set(schedules or ())
    return set(schedules or ())


@pytest.mark.parametrize("status", ["CANCELLED", "FAILED", "SENT"])
async def test_a_visit_long_over_goes_with_its_records_and_their_history(pool: Pool, status: str) -> None:
    await keep(pool, "over", (status, LONG_OVER), ("CANCELLED", LONG_OVER - DAY))
    lately = await keep(pool, "lately", (status, LATELY))

    assert (await overdue(pool, JOBS, NOW))[OVER] == Count(1)
    assert (await remove(pool, JOBS, NOW))[OVER] == 1

    assert await left(pool) == {lately}
    assert (await remove(pool, JOBS, NOW))[OVER] == 0


@pytest.mark.parametrize(
    "reminders",
    [
        [("SCHEDULED", LONG_OVER)],
        [("SCHEDULED", NOW + 30 * DAY)],
        [("SENT", LONG_OVER), ("SCHEDULED", LONG_OVER)],
        [("CANCELLED", LONG_OVER), ("SCHEDULED", NOW + 30 * DAY)],
        [("CANCELLED", LONG_OVER), ("CANCELLED", NOW + 30 * DAY)],
        [("SENT", LONG_OVER), ("SENT", LATELY)],
        [("SCHEDULED", None)],
    ],
    ids=["not final", "ahead", "one not final", "moved ahead", "cancelled ahead", "moved, lately", "of no visit known"],
)
async def test_what_is_ahead_or_not_final_stays_however_old_its_other_records_are(
    pool: Pool, reminders: list[tuple[str, datetime | None]]
) -> None:
    stays = await keep(pool, "stays", *reminders)

    assert (await overdue(pool, JOBS, NOW))[OVER] == Count(0)
    assert (await remove(pool, JOBS, NOW))[OVER] == 0

    assert await left(pool) == {stays}
    assert await pool.fetchval("SELECT count(*) FROM reminder") == len(reminders)


async def test_a_record_that_no_plan_told_of_goes_by_when_it_changed(pool: Pool) -> None:
    await keep(pool, "outcome only", ("SENT", None))
    lately = await keep(pool, "lately", ("SENT", None), changed_at=LATELY)

    assert (await remove(pool, JOBS, NOW))[OVER] == 1
    assert await left(pool) == {lately}


async def test_visits_that_cannot_go_do_not_keep_others_and_many_go_in_batches(pool: Pool) -> None:
    visits = [UUID(int=number) for number in range(2 * BATCH + 5)]
    await pool.execute("INSERT INTO schedule (appointment_id) SELECT unnest($1::uuid[])", visits)
    await pool.executemany(ADD, [(visit, "SENT", LONG_OVER, LONG_OVER) for visit in visits])
    await pool.executemany(ADD, [(visit, "SCHEDULED", NOW, NOW) for visit in visits[:BATCH]])

    assert (await remove(pool, JOBS, NOW, pause_s=0))[OVER] == BATCH + 5
    assert await left(pool) == set(visits[:BATCH])


async def test_a_visit_that_is_being_worked_on_is_passed_over(pool: Pool) -> None:
    busy = await keep(pool, "busy", ("SENT", LONG_OVER))
    await keep(pool, "over", ("SENT", LONG_OVER))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM schedule WHERE appointment_id = $1 FOR UPDATE", busy)
        assert (await remove(pool, JOBS, NOW))[OVER] == 1

    assert await left(pool) == {busy}


async def test_a_visit_without_a_reminder_goes_after_the_same_time(pool: Pool) -> None:
    await keep(pool, "old")
    await pool.execute("UPDATE schedule SET added_at = clock_timestamp() - interval '401 days'")
    lately = await keep(pool, "lately")
    full = await keep(pool, "full", ("SCHEDULED", None))
    await pool.execute("UPDATE schedule SET added_at = '2020-01-01' WHERE appointment_id = $1", full)

    assert (await remove(pool, JOBS, NOW))[EMPTY] == 1
    assert await left(pool) == {lately, full}


async def test_history_cannot_be_changed_or_removed_otherwise(pool: Pool) -> None:
    await keep(pool, "over", ("SENT", LONG_OVER))

    for change in (
        "DELETE FROM reminder_history",
        "UPDATE reminder_history SET reason = ''",
        "TRUNCATE reminder_history",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(f"SET attend.forgetting = 'on'; {change}")
    assert await pool.fetchval("SELECT count(*) FROM reminder_history") == 1
