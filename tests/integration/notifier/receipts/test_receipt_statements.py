"""Which attempt a report is about, when it may be looked for, and what it makes of it: condition by condition."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chassis.postgres.database import Connection, Pool
from notifier.receipts.domain import Carrier, Receipt, Reported
from notifier.receipts.handle import WAITS_FOR, Kept, Moved
from notifier.receipts.store import PostgresReceipts, PostgresReceiptTransaction
from schemas.notifications import DeliveryState
from tests.support.installation import Installation
from tests.support.notifier.builders import PEPPERS

pytestmark = pytest.mark.integration
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ATTEMPT = """
INSERT INTO attempt (attempt_id, notification_id, ordinal, channel, gated_version, account, reference, outcome)
VALUES ($1, $2, $3, $4, 1, $5, $6, $7)"""
RECEIPT = """
INSERT INTO receipt (carrier, key, asked_attempt_id, reference, account, status, received_at, applied_at)
VALUES ($1, gen_random_uuid()::text, $2, $3, $4, 'delivered', $5, $6) RETURNING receipt_id"""
FIRST, OTHER_CHANNEL, OF_NO_ACCOUNT, STRANGER, MAIL = (UUID(int=number) for number in range(1, 6))
"""By account a as SM1 on SMS; as SM1 on WhatsApp; as SM3 on SMS before accounts were kept; one that is nowhere;
a mail."""

CASES = {
    "its own": (Carrier.TWILIO, FIRST, None, "a", FIRST),
    "of another account": (Carrier.TWILIO, FIRST, None, "b", None),
    "of no account": (Carrier.TWILIO, FIRST, None, None, FIRST),
    "of an attempt of no account": (Carrier.TWILIO, OF_NO_ACCOUNT, None, "b", OF_NO_ACCOUNT),
    "of another channel": (Carrier.META, FIRST, None, "a", None),
    "by mail": (Carrier.EMAIL, FIRST, None, "a", None),
    "of a mail": (Carrier.EMAIL, MAIL, None, None, MAIL),
    "of a mail, by SMS": (Carrier.TWILIO, MAIL, None, None, None),
    "by reference": (Carrier.TWILIO, None, "SM1", "a", FIRST),
    "by reference, of another account": (Carrier.TWILIO, None, "SM1", "b", None),
    "by reference, on its channel": (Carrier.META, None, "SM1", None, OTHER_CHANNEL),
    "by both, that it names first": (Carrier.TWILIO, FIRST, "SM3", "a", FIRST),
    "by reference, as it names nobody's": (Carrier.TWILIO, STRANGER, "SM3", "a", OF_NO_ACCOUNT),
    "nobody's": (Carrier.TWILIO, STRANGER, "SM9", "a", None),
    "that says nothing": (Carrier.TWILIO, None, None, "a", None),
}


@pytest.fixture
async def pool(installation: Installation) -> Pool:
    """Return the notifier's own connections."""
    return await installation.pool("notifier")


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """Give a transaction in which these attempts are known."""
    async with pool.acquire() as opened, opened.transaction():
        await opened.execute(ATTEMPT, FIRST, uuid4(), 1, "sms", "a", "SM1", None)
        await opened.execute(ATTEMPT, OTHER_CHANNEL, uuid4(), 1, "whatsapp", "w", "SM1", None)
        await opened.execute(ATTEMPT, OF_NO_ACCOUNT, uuid4(), 1, "sms", None, "SM3", None)
        await opened.execute(ATTEMPT, MAIL, uuid4(), 1, "email", "m", "<1@clinic>", None)
        yield opened


async def test_a_report_is_about_the_attempt_it_names_else_that_of_its_reference_and_of_no_other_account_or_channel(
    connection: Connection,
) -> None:
    reports = [
        Kept(number, Receipt(carrier, "k", Reported.DELIVERED, attempt_id, reference, account=account))
        for number, (carrier, attempt_id, reference, account, _) in enumerate(CASES.values())
    ]

    made = await PostgresReceiptTransaction(connection, PEPPERS).made(reports)

    found = {name: made[number][0].attempt_id if number in made else None for number, name in enumerate(CASES)}
    assert found == {name: wanted for name, (*_, wanted) in CASES.items()}


async def test_only_reports_whose_attempt_is_known_by_now_are_looked_for_in_the_order_they_came(
    connection: Connection,
) -> None:
    kept = {
        name: await connection.fetchval(RECEIPT, carrier.value, attempt_id, reference, account, NOW, None)
        for name, (carrier, attempt_id, reference, account, _) in CASES.items()
    }
    asked = PostgresReceiptTransaction(connection, PEPPERS)

    found = [one.receipt_id for one in await asked.waiting(100, NOW)]
    first = [one.receipt_id for one in await asked.waiting(3, NOW)]

    assert found == [kept[name] for name, (*_, wanted) in CASES.items() if wanted is not None]
    assert first == found[:3]


@pytest.mark.parametrize(
    ("ago", "applied", "found"), [(WAITS_FOR, None, 1), (WAITS_FOR + SECOND, None, 0), (WAITS_FOR, NOW, 0)]
)
async def test_a_report_that_was_applied_or_has_waited_too_long_is_looked_for_no_more(
    connection: Connection, ago: timedelta, applied: datetime | None, found: int
) -> None:
    await connection.execute(RECEIPT, "twilio", FIRST, None, "a", NOW - ago, applied)

    waiting = await PostgresReceiptTransaction(connection, PEPPERS).waiting(100, NOW - WAITS_FOR)

    assert len(waiting) == found


async def test_reports_that_another_instance_has_in_hand_are_passed_over(pool: Pool) -> None:
    await pool.execute(ATTEMPT, FIRST, uuid4(), 1, "sms", "a", "SM1", None)
    busy, free = [await pool.fetchval(RECEIPT, "twilio", FIRST, None, "a", NOW, None) for _ in range(2)]
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM receipt WHERE receipt_id = $1 FOR UPDATE", busy)

        async with PostgresReceipts(pool, PEPPERS).transaction() as mine:
            assert [one.receipt_id for one in await mine.waiting(100, NOW)] == [free]


@pytest.mark.parametrize(
    ("held", "other", "channel", "may", "outcome"),
    [
        ("unknown", "rejected", "sms", True, "accepted"),
        ("rejected", "rejected", "sms", True, "accepted"),
        (None, "unknown", "sms", True, "accepted"),
        ("unknown", "accepted", "sms", True, "unknown"),
        ("unknown", None, "sms", True, "unknown"),
        ("unknown", "accepted", "email", True, "accepted"),
        ("unknown", None, "email", True, "accepted"),
        ("unknown", "rejected", "sms", False, "unknown"),
        ("accepted", None, "sms", False, "accepted"),
    ],
)
async def test_g5_what_is_reported_was_accepted_unless_another_of_its_message_and_channel_is_or_may_yet_be(
    connection: Connection, held: str | None, other: str | None, channel: str, may: bool, outcome: str
) -> None:
    message, attempt_id, beside = uuid4(), uuid4(), uuid4()
    await connection.execute(ATTEMPT, attempt_id, message, 1, "sms", "a", None, held)
    await connection.execute(ATTEMPT, beside, message, 2, channel, "a", None, other)
    await connection.execute(ATTEMPT, uuid4(), uuid4(), 1, "sms", "a", None, "accepted")

    await PostgresReceiptTransaction(connection, PEPPERS).move([Moved(attempt_id, DeliveryState.READ, "SM5", may)])

    rows = {row["attempt_id"]: row for row in await connection.fetch("SELECT * FROM attempt")}
    assert [rows[attempt_id][name] for name in ("outcome", "delivery_state", "reference")] == [outcome, "read", "SM5"]
    assert [rows[beside][name] for name in ("outcome", "delivery_state", "reference")] == [other, "unknown", None]


async def test_the_reference_that_is_known_stays(connection: Connection) -> None:
    moved = Moved(FIRST, DeliveryState.DELIVERED, "SM-another")
    await PostgresReceiptTransaction(connection, PEPPERS).move([moved])

    assert await connection.fetchval("SELECT reference FROM attempt WHERE attempt_id = $1", FIRST) == "SM1"


async def test_only_reports_that_nobody_could_apply_are_shown_as_unmatched(pool: Pool) -> None:
    for applied in (None, None, NOW):
        await pool.execute(RECEIPT, "twilio", STRANGER, None, None, NOW, applied)

    assert await PostgresReceipts(pool, PEPPERS).unmatched() == 2


async def test_g6_the_same_report_is_kept_once_and_that_of_another_accounts_secret_is_another(
    pool: Pool,
) -> None:
    one, other = (Receipt(Carrier.TWILIO, "k", Reported.READ, FIRST, account=account) for account in ("a", "b"))
    async with PostgresReceipts(pool, PEPPERS).transaction() as work:
        new = [len(await work.keep(reports, NOW)) for reports in ([one, one], [one], [other, one], [other])]

    assert new == [1, 0, 1, 0]
