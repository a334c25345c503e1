"""What booking keeps only for so long: ingress keys, refusals, settled dead letters."""

from collections.abc import Sequence
from datetime import timedelta

from booking.settings import Settings
from chassis.retention import Job, settled_dead_letters

_OLD_KEYS = "recorded_at < $1"


def jobs(settings: Settings) -> Sequence[Job]:
    """Return the jobs.

    An event that is sent again after its key is forgotten is judged like a new one: by its upstream's sequence or
    time it is stale or changes nothing (D41). Only an upstream that gives neither must not repeat itself so late.
    """
    refusals = timedelta(days=settings.keep_refusals_days)
    return (
        Job(
            "ingress keys",
            timedelta(days=settings.keep_ingress_days),
            f"SELECT count(*) FROM ingress WHERE {_OLD_KEYS}",  # noqa: S608  # constants
            f"DELETE FROM ingress WHERE ctid IN (SELECT ctid FROM ingress WHERE {_OLD_KEYS} LIMIT $2)",  # noqa: S608
            by_machine_time=True,
        ),
        Job(
            "refusals of inbound events",
            refusals,
            "SELECT count(*) FROM inbound_refusal WHERE recorded_at < $1",
            "DELETE FROM inbound_refusal WHERE ctid IN "
            "(SELECT ctid FROM inbound_refusal WHERE recorded_at < $1 LIMIT $2)",
        ),
        settled_dead_letters(settings.keep_dead_letters_days),
    )
