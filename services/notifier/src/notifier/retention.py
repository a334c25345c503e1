"""What the notifier keeps only for so long: bodies, never the ledger itself."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.postgres.retention import Job, settled_dead_letters
from notifier.settings import Settings

_READ_LONG_AGO = "greatest(created_at, starts_at) < $1"
_WRITTEN_LONG_AGO = "received_at < $1 AND (sender IS NOT NULL OR sender_user_id IS NOT NULL OR text IS NOT NULL)"
_RECEIVED_LONG_AGO = "received_at < $1"
_UNMATCHED = "applied_at IS NULL AND received_at < $1"
_OLD_OUTCOMES = "SELECT FROM outcome WHERE at < $1"
_REMOVE_OUTCOMES = """
WITH old AS MATERIALIZED (
    SELECT xid, seq FROM outcome WHERE at < $1 ORDER BY xid, seq LIMIT $2
), last AS (
    SELECT xid, seq FROM old ORDER BY xid DESC, seq DESC LIMIT 1
), noted AS (
    UPDATE outcome_horizon AS horizon SET xid = last.xid, seq = last.seq
    FROM last WHERE (horizon.xid, horizon.seq) < (last.xid, last.seq)
)
DELETE FROM outcome WHERE (xid, seq) IN (SELECT xid, seq FROM old)"""
"""Whoever read up to less than the last of them is told that he has missed something."""


def jobs(settings: Settings) -> Sequence[Job]:
    """Return the jobs. Messages, attempts, steps, opt-outs and preferences are records and stay."""
    return (
        Job(
            "inbox notices",
            timedelta(days=settings.keep_inbox_days),
            f"SELECT FROM inbox WHERE {_READ_LONG_AGO}",  # constants
            f"DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox WHERE {_READ_LONG_AGO} LIMIT $2)",  # noqa: S608
        ),
        Job(
            "texts of replies",
            timedelta(days=settings.keep_reply_text_days),
            f"SELECT FROM reply WHERE {_WRITTEN_LONG_AGO}",  # constants
            "UPDATE reply SET sender = NULL, sender_user_id = NULL, text = NULL WHERE ctid IN "  # noqa: S608  # constants
            f"(SELECT ctid FROM reply WHERE {_WRITTEN_LONG_AGO} LIMIT $2)",
        ),
        Job(
            "receipts of unknown messages",
            timedelta(days=settings.keep_unmatched_receipts_days),
            f"SELECT FROM receipt WHERE {_UNMATCHED}",  # constants
            f"DELETE FROM receipt WHERE ctid IN (SELECT ctid FROM receipt WHERE {_UNMATCHED} LIMIT $2)",  # noqa: S608
        ),
        Job(
            "unreadable callbacks",
            timedelta(days=settings.keep_unreadable_callbacks_days),
            f"SELECT FROM unreadable_callback WHERE {_RECEIVED_LONG_AGO}",  # constants
            "DELETE FROM unreadable_callback WHERE unreadable_id IN (SELECT unreadable_id FROM unreadable_callback "  # noqa: S608
            f"WHERE {_RECEIVED_LONG_AGO} LIMIT $2)",
        ),
        Job("outcomes of the feed", timedelta(days=settings.keep_outcomes_days), _OLD_OUTCOMES, _REMOVE_OUTCOMES),
        settled_dead_letters(settings.keep_dead_letters_days),
    )
