"""The zones of the IANA list, by name."""

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

NO_PLACES = {"localtime", "posixrules", "Factory"}
"""Files beside the zones that say how a machine is set up, or that it is not."""


class UnknownZone(ValueError):
    """No zone has this name."""


@lru_cache(1024)
def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the IANA list, links such as `Japan` and `GMT` included, under the list's own spelling.

    Letters are compared without regard to case, and with the list, never with files: `Europe` is a folder.

    Raises:
        UnknownZone: The list has none of this name.
    """
    try:
        return ZoneInfo(_spellings()[name.casefold()])
    except KeyError:
        raise UnknownZone("no zone of the IANA list has this name") from None


@lru_cache(1)
def _spellings() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones() - NO_PLACES}
