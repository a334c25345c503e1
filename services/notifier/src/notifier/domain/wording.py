"""Which language a message is in, and whether it names the zone."""

from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LAST_RESORT = "en"


def language(wanted: str | None, clinic_languages: Iterable[str], available: Collection[str]) -> str:
    """Return the language to write in: the patient's, else the clinic's first that there are templates for.

    `de-AT` falls back to `de`. If nothing fits it is English.
    """
    for tag in (wanted, *clinic_languages):
        words = (tag or "").replace("_", "-").lower()
        for candidate in (words, words.partition("-")[0]):
            if candidate in available:
                return candidate
    return LAST_RESORT


def zone_may_confuse(starts_at: datetime, clinic_zone: str, patient_zones: Iterable[str]) -> bool:
    """Say whether a bare time could be read wrongly: unless the patient's own zone has the clinic's time then.

    Args:
        starts_at: Start of the visit.
        clinic_zone: The zone the time is written in.
        patient_zones: Where his mobile number may be at home; empty if nothing is known.
    """
    there = starts_at.astimezone(ZoneInfo(clinic_zone)).utcoffset()
    return not any(_offset(starts_at, zone) == there for zone in patient_zones)


def _offset(instant: datetime, zone: str) -> object:
    try:
        return instant.astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return None
