"""What booking keeps only for so long: ingress keys, refusals, places, dead letters; and the partitions to come."""

from collections.abc import Sequence
from datetime import timedelta

from booking.settings import Settings
from chassis.postgres.retention import Job, settled_dead_letters

AHEAD = "SELECT partition, why_not FROM partitions_ahead()"
"""Makes the partitions to come of the tables that have them."""

KEEP_NOTICES = timedelta(days=400)
"""As long as the topics tell what followed; a visit is looked at no longer before it than 90 days."""


def jobs(settings: Settings) -> Sequence[Job]:
    """Return the jobs.

    An event that is sent again after its key is forgotten is judged like a new one: by its upstream's sequence or
    time it is stale or changes nothing (D41). Only an upstream that gives neither must not repeat itself so late.
    A quarter's keys are a partition and go at once, when the last of them is old enough.
    """
    refusals = timedelta(days=settings.keep_refusals_days)
    return (
        Job(
            "quarters of ingress keys",
            timedelta(days=settings.keep_ingress_days),
            "SELECT FROM partition_bounds('ingress') WHERE ends::timestamp AT TIME ZONE 'UTC' <= $1",
            "SELECT dropped FROM drop_ingress($1, $2) AS dropped",
            by_machine_time=True,
        ),
        Job(
            "places of inbound records",
            timedelta(days=settings.keep_inbound_days),
            "SELECT FROM inbound_taken WHERE recorded_at < $1",
            "DELETE FROM inbound_taken WHERE ctid IN (SELECT ctid FROM inbound_taken WHERE recorded_at < $1 LIMIT $2)",
            by_machine_time=True,
        ),
        Job(
            "refusals of inbound events",
            refusals,
            "SELECT FROM inbound_refusal WHERE recorded_at < $1",
            "DELETE FROM inbound_refusal WHERE ctid IN "
            "(SELECT ctid FROM inbound_refusal WHERE recorded_at < $1 LIMIT $2)",
        ),
        Job(
            "refusals of clearances",
            refusals,
            "SELECT FROM clearance_refusal WHERE recorded_at < $1",
            "DELETE FROM clearance_refusal WHERE ctid IN "
            "(SELECT ctid FROM clearance_refusal WHERE recorded_at < $1 LIMIT $2)",
        ),
        Job(
            "visits looked at for what they lack",
            KEEP_NOTICES,
            "SELECT FROM clearance_notice WHERE looked_at < $1",
            "DELETE FROM clearance_notice WHERE ctid IN "
            "(SELECT ctid FROM clearance_notice WHERE looked_at < $1 LIMIT $2)",
        ),
        settled_dead_letters(settings.keep_dead_letters_days),
    )
