"""Each condition by which the notifier forgets: what just fails one of them stays."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis.postgres.bounded_count import Count
from chassis.postgres.database import Pool
from chassis.postgres.retention import overdue, remove
from notifier.retention import jobs
from notifier.settings import Settings
from tests.support.installation import Installation

pytestmark = pytest.mark.integration
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
JOBS = jobs(Settings.model_construct(database_url=SecretStr("-"), kafka_bootstrap_servers="-"))


@pytest.fixture
async def pool(installation: Installation) -> Pool:
    """Return the notifier's own connections."""
    return await installation.pool("notifier")


async def goes(pool: Pool, job: str) -> int:
    """Count, remove, and say how many went: both agree."""
    counted = (await overdue(pool, JOBS, NOW))[job]
    went = (await remove(pool, JOBS, NOW))[job]
    assert counted == Count(went)
    assert (await overdue(pool, JOBS, NOW))[job] == Count(0)
    return went


@pytest.mark.parametrize(
    ("created", "starts", "went"),
    [
        (-200 * DAY, -180 * DAY - SECOND, 1), (-180 * DAY - SECOND, -200 * DAY, 1), (-200 * DAY, -180 * DAY, 0),
        (-180 * DAY, -200 * DAY, 0), (-200 * DAY, 30 * DAY, 0),
    ],
)  # fmt: skip
async def test_a_providers_notice_goes_when_it_and_its_visit_are_long_past(
    pool: Pool, created: timedelta, starts: timedelta, went: int
) -> None:
    await pool.execute(
        """
        INSERT INTO inbox (provider_id, number, notification_id, appointment_id, title, body, starts_at, zone, link,
                           created_at)
        VALUES ($1, 1, $2, $3, 't', 'b', $4, 'UTC', '', $5)""",
        uuid4(), uuid4(), uuid4(), NOW + starts, NOW + created,
    )  # fmt: skip

    assert await goes(pool, "inbox notices") == went
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1 - went


@pytest.mark.parametrize("kept", ["sender", "sender_user_id", "text"])
@pytest.mark.parametrize(("ago", "went"), [(90 * DAY + SECOND, 1), (90 * DAY, 0)])
async def test_whatever_is_left_of_a_patients_words_goes(pool: Pool, kept: str, ago: timedelta, went: int) -> None:
    await pool.execute(
        f"INSERT INTO reply (reply_id, channel, address_key, {kept}, meaning, verdict, received_at) "  # noqa: S608
        "VALUES ($1, 'sms', 'x', 'something', 'other', 'staff', $2)",
        uuid4(),
        NOW - ago,
    )

    assert await goes(pool, "texts of replies") == went
    row = await pool.fetchrow("SELECT sender, sender_user_id, text, meaning FROM reply")
    assert row is not None
    assert [value for value in row if value is not None] == ["something"] * (1 - went) + ["other"]


@pytest.mark.parametrize(
    ("applied", "ago", "went"),
    [(False, 30 * DAY + SECOND, 1), (False, 30 * DAY, 0), (True, 30 * DAY + SECOND, 0)],
)
async def test_a_receipt_goes_if_nobody_ever_knew_its_message(
    pool: Pool, applied: bool, ago: timedelta, went: int
) -> None:
    received = NOW - ago
    await pool.execute(
        "INSERT INTO receipt (carrier, key, status, received_at, applied_at) "
        "VALUES ('twilio', 'k', 'delivered', $1, $2)",
        received,
        received if applied else None,
    )

    assert await goes(pool, "receipts of unknown messages") == went
    assert await pool.fetchval("SELECT count(*) FROM receipt") == 1 - went


@pytest.mark.parametrize(("ago", "went"), [(30 * DAY + SECOND, 1), (30 * DAY, 0)])
async def test_what_nobody_could_read_goes_after_its_time(pool: Pool, ago: timedelta, went: int) -> None:
    await pool.execute(
        "INSERT INTO unreadable_callback (carrier, reason, content, size, content_sha256, received_at) "
        "VALUES ('meta', 'JSON', '{', 1, 'x', $1)",
        NOW - ago,
    )

    assert await goes(pool, "unreadable callbacks") == went


@pytest.mark.parametrize(
    ("state", "days", "went"), [("open", None, 0), ("replayed", 91, 1), ("discarded", 91, 1), ("replayed", 89, 0)]
)
async def test_g8_a_dead_letter_goes_when_it_was_settled_long_ago(
    pool: Pool, state: str, days: int | None, went: int
) -> None:
    await pool.execute(
        'INSERT INTO dead_letter (consumer, topic, partition, "offset", '
        "value, headers, code, message, state, settled_at) "
        "VALUES ('c', 't', 0, 1, 'body', '[]', 'INVALID', 'm', $1, clock_timestamp() - $2::interval)",
        state,
        None if days is None else days * DAY,
    )

    assert await goes(pool, "settled dead letters") == went
