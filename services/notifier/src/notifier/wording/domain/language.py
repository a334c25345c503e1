"""Which language a message is in, how near it says the visit is, whether it names the zone or tells of STOP."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.zones import UnknownZone, zone_of

LAST_RESORT = "en"


class Day(StrEnum):
    """How far off the visit's day is, counted in days of the clinic's calendar."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    OTHER = "other"


def language(
    wanted: str | None, clinic_languages: Iterable[str], available: Collection[str], last_resort: str = LAST_RESORT
) -> str:
    """Return the language to write in: the patient's, else the clinic's first that there are templates for.

    `de-AT` falls back to `de`. If nothing fits it is the last resort, English unless said otherwise.
    """
    for tag in (wanted, *clinic_languages):
        words = (tag or "").replace("_", "-").lower()
        for candidate in (words, words.partition("-")[0]):
            if candidate in available:
                return candidate
    return last_resort


def regions_of(spoken: str, wanted: str | None, clinic_languages: Iterable[str]) -> Iterator[str]:
    """Give the tags whose customs dates and times may follow: the patient's, then the clinic's, of the language spoken.

    So English at a clinic of `en-GB` is `Thursday, 4 March 2027, 11:30`, not `Thursday, March 4, 2027, 11:30 AM`.
    """
    for tag in (wanted, *clinic_languages):
        words = (tag or "").replace("_", "-")
        if words.lower().startswith(f"{spoken}-"):
            yield words


def day_of(starts_at: datetime, now: datetime, clinic_zone: str) -> Day:
    """Return whether the visit is today or tomorrow at the clinic: by its calendar, not by hours (R23)."""
    zone = zone_of(clinic_zone)
    days = (starts_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    return {0: Day.TODAY, 1: Day.TOMORROW}.get(days, Day.OTHER)


def zone_may_confuse(starts_at: datetime, clinic_zone: str, patient_zones: Iterable[str]) -> bool:
    """Say whether a bare time could be read wrongly: if none of the patient's own zones has the clinic's time then.

    Args:
        patient_zones: Where his number may be at home; if nothing is known he is taken to be where the clinic is.
    """
    there = starts_at.astimezone(zone_of(clinic_zone)).utcoffset()
    offsets = [found for zone in patient_zones if (found := _offset(starts_at, zone)) is not None]
    return bool(offsets) and there not in offsets


def _offset(instant: datetime, zone: str) -> timedelta | None:
    try:
        return instant.astimezone(zone_of(zone)).utcoffset()
    except UnknownZone:
        return None
