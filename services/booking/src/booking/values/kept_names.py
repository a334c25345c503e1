"""Which of the names that a message gives to one thing can be kept."""

from collections.abc import Sequence

from booking.values import texts
from booking.values.names import MOST_NAMES
from booking.values.refusals import Refused
from booking.values.warned import Details, dropped


def kept_names(found: Sequence[str], details: Details, place: str) -> tuple[str, ...]:
    """Return the names that can be kept, as many as are taken, the first good one first; what is dropped is noted."""
    judged = Details()
    read = [judged.read(None, texts.identifier, trimmed(name), place) for name in found]
    good = tuple(dict.fromkeys(name for name in read if name is not None))
    if len(good) > MOST_NAMES:
        too_many = Refused("TOO_MANY_NAMES", f"at most {MOST_NAMES} names of one are kept", place)
        judged.warnings.insert(0, dropped(too_many))
    details.warnings += judged.warnings[:MOST_NAMES]
    return good[:MOST_NAMES]


def trimmed(name: str) -> str:
    """Return the name without blanks around the value of its identifier; empty if nothing is left of that."""
    system, bar, value = name.strip().rpartition("|")
    return f"{system}{bar}{value.strip()}" if value.strip() else ""
