"""What reminders keeps only for so long: the records of visits long over, and settled dead letters."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.postgres.retention import Job, settled_dead_letters
from reminders.settings import Settings

_OVER = """
FROM reminder r WHERE r.status <> 'SCHEDULED' AND coalesce(r.closes_at, r.changed_at) < $1 AND NOT EXISTS (
    SELECT FROM reminder o WHERE o.appointment_id = r.appointment_id
    AND (o.status = 'SCHEDULED' OR coalesce(o.closes_at, o.changed_at) >= $1))
"""
_EMPTY = """
FROM schedule s WHERE s.added_at < $1
AND NOT EXISTS (SELECT FROM reminder r WHERE r.appointment_id = s.appointment_id)
"""


def jobs(settings: Settings) -> Sequence[Job]:
    """Return the jobs.

    A visit's records go together, with their history, when each of them is final and the last was to be closed so
    long ago: what is still to come, or has no outcome, stays. A visit that never had a reminder leaves only the row
    under whose lock its records would change, which its next plan makes anew.
    """
    keep = timedelta(days=settings.keep_records_days)
    return (
        Job(
            "visits long over",
            keep,
            f"SELECT DISTINCT r.appointment_id {_OVER}",
            "SELECT forget_over($1, $2)",
        ),
        Job(
            "visits without a reminder",
            keep,
            f"SELECT {_EMPTY}",
            f"DELETE FROM schedule WHERE appointment_id IN (SELECT s.appointment_id {_EMPTY} LIMIT $2 "  # noqa: S608
            "FOR UPDATE SKIP LOCKED)",
            by_machine_time=True,
        ),
        settled_dead_letters(settings.keep_dead_letters_days),
    )
