"""What a service keeps only for so long goes, the rest stays, and its own rights are enough for it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from booking import __main__ as booking_command
from booking.retention import jobs as booking_jobs
from booking.settings import Settings as BookingSettings
from chassis.postgres import retention
from chassis.postgres.bounded_count import Count
from chassis.postgres.database import Pool
from chassis.postgres.retention import Job, Retention, overdue, remove, settled_dead_letters
from chassis.process.clock import RealClock, StillClock
from chassis.process.errors import Unavailable
from notifier.retention import jobs as notifier_jobs
from notifier.settings import Settings as NotifierSettings
from reminders.retention import jobs as reminders_jobs
from reminders.settings import Settings as RemindersSettings
from tests.support.installation import ADDRESS_PEPPER, Installation

pytestmark = pytest.mark.integration
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
_LETTER = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", value, headers, code, message, state, settled_at)
VALUES ('c', 't', 0, $1, 'body', '[]', 'INVALID', 'm', $2, clock_timestamp() - $3::interval)"""


async def letters(pool: Pool) -> None:
    """Leave an open letter, one settled lately, and one settled long ago."""
    await pool.execute(_LETTER, 1, "open", None)
    await pool.execute(_LETTER, 2, "replayed", DAY)
    await pool.execute(_LETTER, 3, "discarded", 100 * DAY)


def given(installation: Installation, package: str) -> dict[str, Any]:
    return {
        "database_url": SecretStr(installation.service_url(package)),
        "kafka_bootstrap_servers": installation.bootstrap,
    }


@pytest.mark.parametrize("package", ["booking", "records", "reminders", "notifier"])
async def test_g8_open_dead_letters_stay_and_settled_ones_go_after_a_while(
    installation: Installation, package: str
) -> None:
    pool = await installation.pool(package)
    await letters(pool)
    jobs = [settled_dead_letters(90)]

    assert await overdue(pool, jobs, NOW) == {"settled dead letters": Count(1)}
    assert await remove(pool, jobs, NOW) == {"settled dead letters": 1}

    left = await pool.fetch("SELECT state FROM dead_letter ORDER BY id")
    assert [row["state"] for row in left] == ["open", "replayed"]
    assert await remove(pool, jobs, NOW) == {"settled dead letters": 0}


async def test_a_patients_words_go_and_what_they_meant_stays(installation: Installation) -> None:
    pool = await installation.pool("notifier")
    for days in (10, 100):
        await pool.execute(
            """
            INSERT INTO reply (reply_id, channel, address_key, sender, text, meaning, verdict, received_at)
            VALUES ($1, 'sms', 'x', '+447700900123', 'Please call me', 'other', 'staff', $2)""",
            uuid4(), NOW - days * DAY,
        )  # fmt: skip
        await pool.execute(
            """
            INSERT INTO receipt (carrier, key, status, received_at) VALUES ('twilio', $1, 'delivered', $2)""",
            str(days), NOW - days * DAY,
        )  # fmt: skip
        await pool.execute(
            """
            INSERT INTO unreadable_callback (carrier, reason, content, size, content_sha256, received_at)
            VALUES ('meta', 'JSON', '{', 1, $1, $2)""",
            str(days).encode(), NOW - days * DAY,
        )  # fmt: skip
    jobs = notifier_jobs(NotifierSettings.model_validate(given(installation, "notifier")))

    gone = await remove(pool, jobs, NOW)

    assert (gone["texts of replies"], gone["receipts of unknown messages"], gone["unreadable callbacks"]) == (1, 1, 1)
    rows = await pool.fetch("SELECT sender, text, meaning FROM reply ORDER BY received_at")
    assert [tuple(row) for row in rows] == [(None, None, "other"), ("+447700900123", "Please call me", "other")]
    assert await remove(pool, jobs, NOW) == {
        **gone,
        "texts of replies": 0,
        "receipts of unknown messages": 0,
        "unreadable callbacks": 0,
    }


async def test_one_round_at_a_time(installation: Installation) -> None:
    pool = await installation.pool("records")
    await letters(pool)
    async with pool.acquire() as other, other.transaction():
        assert await other.fetchval(retention._ALONE)

        assert await remove(pool, [settled_dead_letters(90)], NOW) == {"settled dead letters": 0}


async def test_the_daily_round_runs_inside_the_service_and_outlives_a_database_that_is_away(
    installation: Installation,
) -> None:
    pool, stop = await installation.pool("records"), asyncio.Event()
    await letters(pool)
    daily = asyncio.create_task(Retention(pool, [settled_dead_letters(90)], RealClock()).run(stop, first_after_s=0))

    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM dead_letter") > 2:  # noqa: ASYNC110  # another task's doing
            await asyncio.sleep(0.02)

    stop.set()
    await daily


async def test_the_daily_round_removes_nothing_by_a_domain_time_that_is_stepped(installation: Installation) -> None:
    pool, stop, clock = await installation.pool("booking"), asyncio.Event(), StillClock(NOW)
    clock.move(NOW + 105 * 7 * DAY)
    await letters(pool)
    await pool.execute(
        """
        INSERT INTO inbound_refusal (client, key, code, message, place, recorded_at)
        VALUES ('local', '1', 'BAD_PHONE', 'm', 'p', $1)""",
        NOW,
    )
    jobs = booking_jobs(BookingSettings.model_validate(given(installation, "booking")))
    assert [job.name for job in jobs][-1] == "settled dead letters"

    daily = asyncio.create_task(Retention(pool, jobs, clock).run(stop, first_after_s=0))
    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM dead_letter") > 2:  # the last job's doing
            assert not daily.done()
            await asyncio.sleep(0.02)
    stop.set()
    await daily

    assert await pool.fetchval("SELECT count(*) FROM inbound_refusal") == 1
    assert (await remove(pool, jobs, clock.now()))["refusals of inbound events"] == 1  # a person's command does


@pytest.mark.parametrize("statement", ["SELECT 1 / 0", "SELECT 'x', NULL FROM nowhere"])
async def test_the_daily_round_removes_though_partitions_cannot_be_made(
    installation: Installation, statement: str
) -> None:
    pool, stop = await installation.pool("records"), asyncio.Event()
    await letters(pool)
    daily = asyncio.create_task(
        Retention(pool, [settled_dead_letters(90)], RealClock(), statement).run(stop, first_after_s=0)
    )

    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM dead_letter") > 2:
            assert not daily.done()
            await asyncio.sleep(0.02)

    stop.set()
    await daily


@pytest.mark.parametrize("failing", ["SELECT 1 / 0", "SELECT FROM nowhere"])
async def test_a_job_that_fails_puts_off_none_behind_it(installation: Installation, failing: str) -> None:
    pool = await installation.pool("records")
    await letters(pool)
    asked = "WITH given AS (SELECT $1::timestamptz, $2::int) "
    first = Job("first", DAY, "", asked + failing)

    with pytest.raises(Unavailable):
        await remove(pool, [first, settled_dead_letters(90)], NOW)

    assert await pool.fetchval("SELECT count(*) FROM dead_letter") == 2


async def test_the_command_counts_first_and_removes_when_told(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in installation.env.items():
        monkeypatch.setenv(name, value)
    pool = await installation.pool("booking")
    await letters(pool)

    def told(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(booking_command.app, ["retention", *words, "--json"])
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    assert (await asyncio.to_thread(told, "--dry-run"))["rows"]["settled dead letters"] == 1
    assert await asyncio.to_thread(told, "--dry-run") == await asyncio.to_thread(told, "--dry-run")
    assert await asyncio.to_thread(told) == {
        "removed": True,
        "rows": {
            "quarters of ingress keys": 0,
            "places of inbound records": 0,
            "refusals of inbound events": 0,
            "refusals of clearances": 0,
            "visits looked at for what they lack": 0,
            "settled dead letters": 1,
        },
        "or_more": [],
    }
    table = await asyncio.to_thread(CliRunner().invoke, booking_command.app, ["retention", "--dry-run"])
    assert "400 days" in table.stdout


async def test_a_dry_run_counts_no_further_than_its_bound_and_says_so(installation: Installation) -> None:
    pool = await installation.pool("booking")
    for number in range(10, 15):
        await pool.execute(_LETTER, number, "discarded", 100 * DAY)
    jobs = [settled_dead_letters(90)]

    counted = [(await overdue(pool, jobs, NOW, most=most))["settled dead letters"] for most in (4, 5, 6)]

    assert counted == [Count(4, more=True), Count(5), Count(5)]
    assert [str(one) for one in counted] == ["4 or more", "5", "5"]


async def test_a_dry_run_of_a_table_that_takes_too_long_counts_the_others_and_says_which(
    installation: Installation,
) -> None:
    pool = await installation.pool("booking")
    await letters(pool)
    slow = Job("slow", DAY, "SELECT pg_sleep(60) WHERE now() > $1::timestamptz", "")

    counted = await overdue(pool, [slow, settled_dead_letters(90)], NOW - 900 * DAY, longest_s=0.2)

    assert counted == {"slow": Count(None), "settled dead letters": Count(1)}
    assert str(counted["slow"]) == "not counted within 5 s"


@pytest.mark.parametrize("package", ["booking", "reminders", "notifier"])
async def test_what_every_job_would_remove_can_be_counted(installation: Installation, package: str) -> None:
    pool = await installation.pool(package)
    told: dict[str, tuple[Any, Any]] = {
        "booking": (booking_jobs, BookingSettings),
        "reminders": (reminders_jobs, RemindersSettings),
        "notifier": (notifier_jobs, NotifierSettings),
    }
    jobs, settings = told[package]
    own = {**given(installation, package), "address_pepper": ADDRESS_PEPPER}

    counted = await overdue(pool, jobs(settings.model_validate(own)), NOW)

    assert set(counted.values()) == {Count(0)}


def test_every_job_says_in_words_what_goes_and_keeps_it_for_as_long_as_its_own_setting_says() -> None:
    booking = BookingSettings.model_construct(
        keep_ingress_days=11, keep_inbound_days=14, keep_refusals_days=12, keep_dead_letters_days=13
    )
    notifier = NotifierSettings.model_construct(
        keep_inbox_days=21, keep_reply_text_days=22, keep_unmatched_receipts_days=23,
        keep_unreadable_callbacks_days=24, keep_outcomes_days=26, keep_dead_letters_days=25,
    )  # fmt: skip
    reminders = RemindersSettings.model_construct(keep_records_days=31, keep_dead_letters_days=32)

    kept = [
        {job.name: job.keep.days for job in jobs}
        for jobs in (booking_jobs(booking), notifier_jobs(notifier), reminders_jobs(reminders))
    ]

    assert kept == [
        {"quarters of ingress keys": 11, "places of inbound records": 14, "refusals of inbound events": 12,
         "refusals of clearances": 12, "visits looked at for what they lack": 400, "settled dead letters": 13},
        {"inbox notices": 21, "texts of replies": 22, "receipts of unknown messages": 23, "unreadable callbacks": 24,
         "outcomes of the feed": 26, "settled dead letters": 25},
        {"visits long over": 31, "visits without a reminder": 31, "settled dead letters": 32},
    ]  # fmt: skip
