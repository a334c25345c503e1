"""The zones of the IANA list, by name."""

from functools import lru_cache
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """No zone has this name."""


@lru_cache(1024)
def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the IANA list.

    Raises:
        UnknownZone: There is none of this name, whatever else bears it: a folder of zones, or nothing that could be a
            file's name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UnknownZone("no zone of the IANA list has this name") from None
