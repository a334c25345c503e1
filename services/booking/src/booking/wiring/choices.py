"""The installation's choices, as the stories and jobs take them from the settings."""

from datetime import timedelta

from booking.clearance_notices.job import ClearanceNotices
from booking.no_shows.domain import NoShowRule
from booking.no_shows.job import NoShowCheck
from booking.patients.handle import Rules
from booking.settings import Settings
from booking.values.contacts import country
from booking.values.refusals import Refused
from booking.values.times import zone_of
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Misconfigured
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Runner


def rules_of(settings: Settings) -> Rules:
    """Return the installation's choices."""
    try:
        if settings.default_country is not None:
            country(settings.default_country, "BOOKING_DEFAULT_COUNTRY")
        zone = zone_of(settings.organisation_zone, "BOOKING_ORGANISATION_ZONE").key
    except Refused as refusal:
        raise Misconfigured(f"{refusal.place}: {refusal.message}") from None
    return Rules(zone, settings.register_on_booking)


def no_show_rule_of(settings: Settings) -> NoShowRule:
    """Return the installation's choices for visits that nobody came to (D19)."""
    return NoShowRule(
        every=timedelta(hours=settings.no_show_every_h),
        grace=timedelta(minutes=settings.no_show_after_min),
        visit_length=timedelta(minutes=settings.no_show_visit_min),
    )


def runners_of(settings: Settings, pool: Pool, clock: Clock, metrics: Metrics) -> tuple[Runner, ...]:
    """Return what works by the wall clock: the no-show check, unless it is switched off, and notices of what lacks."""
    slots, rule = SlotMetrics(metrics), no_show_rule_of(settings)
    no_shows = (Runner(pool, clock, NoShowCheck(rule), slots),) if rule.every else ()
    return (*no_shows, Runner(pool, clock, ClearanceNotices(), slots))
