"""Kinds of clearance are data; what a kind can say is one of three shapes."""

import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from booking.values.refusals import Refused

_SLUG = re.compile("[a-z0-9-]{1,40}")


class Shape(StrEnum):
    """Which fields a clearance of a kind has."""

    FINANCIAL = "financial"
    CONSENT = "consent"
    PLAIN = "plain"


class State(StrEnum):
    """What became of a clearance. The first two of `CLEARS` let a patient check in."""

    PENDING = "pending"
    CLEARED = "cleared"
    REFUSED = "refused"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"


CLEARS = frozenset({State.CLEARED, State.WAIVED})
TAKES_BACK = frozenset({State.REFUSED, State.WITHDRAWN})

STATES = {
    Shape.FINANCIAL: frozenset(State) - {State.WITHDRAWN},
    Shape.CONSENT: frozenset(State) - {State.WAIVED},
    Shape.PLAIN: frozenset(State),
}
"""Money is not withdrawn but refused; nobody but the patient or his guardian consents, so that is not waived."""

WHOM = {
    Shape.FINANCIAL: "the patient or whoever pays",
    Shape.CONSENT: "the patient or his guardian",
    Shape.PLAIN: "the patient",
}
"""Who has to do what clears a visit."""


class Kind(NamedTuple):
    """A kind of clearance.

    Attributes:
        clinic_id: Whose it is; None: everybody's.
        title: What patients and staff call it.
        how: What the patient has to do, in a sentence.
        link: Where he can do it: an address that begins with https.
        set_by: The client, `operator`, or `attend` for what is built in.
    """

    clinic_id: str | None
    kind: str
    shape: Shape
    title: str
    how: str | None = None
    link: str | None = None
    set_by: str = "attend"
    set_at: datetime | None = None


def slug(written: str, place: str) -> str:
    """Return the name of a kind, or of a class of payers.

    Raises:
        Refused: BAD_SLUG.
    """
    if not _SLUG.fullmatch(written):
        raise Refused("BAD_SLUG", "1 to 40 of a to z, 0 to 9 and hyphens", place)
    return written


def is_new_word(held: Kind | None, told: Kind) -> bool:
    """Say whether what a clinic says of a kind is not what it says already.

    Args:
        held: The clinic's own, or else everybody's.

    Raises:
        Refused: KIND_SHAPE_FIXED: what is held of visits was checked by its shape.
    """
    if held is not None and held.shape is not told.shape:
        raise Refused("KIND_SHAPE_FIXED", "a kind keeps its shape: name another kind", "shape")
    return held is None or held[:6] != told[:6]
