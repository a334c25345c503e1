"""Which flags there are, and what they mean."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from booking.values.refusals import ILLEGAL_TRANSITION, NOT_CLEARED
from booking.values.warned import FACT_BEFORE_BOOKING, HELD_BACK, Warned

CLEARANCE_MISSING = "CLEARANCE_MISSING"

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        ILLEGAL_TRANSITION: "Upstream reported a step that the state table lacks; it was taken.",
        FACT_BEFORE_BOOKING: "Upstream says that somebody came, or did not, to a visit that was never booked.",
        HELD_BACK: "Upstream contradicts itself: the visit may stand or not. Nothing is sent until this is done.",
        NOT_CLEARED: "Upstream checked in a patient whose visit lacks what the clinic requires.",
        CLEARANCE_MISSING: "The visit lacks what the clinic requires: it is near, or what it had was taken back.",
    }
)
"""Code → what is so."""

_WARNED_OF = frozenset({ILLEGAL_TRANSITION, FACT_BEFORE_BOOKING})
"""Warnings that are flags whenever a change is taken with them."""


class Flag(NamedTuple):
    """Something that staff should look at.

    Attributes:
        code: One of `MEANINGS`.
        version: The appointment's, by which it came.
    """

    appointment_id: UUID
    code: str
    version: int


def flags_of(appointment_id: UUID, version: int, warnings: Iterable[Warned]) -> list[Flag]:
    """Return the flags that a change of a visit raises by what it was warned of."""
    return [Flag(appointment_id, code, version) for code in sorted({one.code for one in warnings} & _WARNED_OF)]


def codes_of(flags: Iterable[Flag]) -> dict[tuple[UUID, int], list[str]]:
    """Return the codes of flags by the version of the appointment that raises them."""
    codes: dict[tuple[UUID, int], list[str]] = {}
    for flag in flags:
        codes.setdefault((flag.appointment_id, flag.version), []).append(flag.code)
    return codes
