"""Which flags there are, and what they mean."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from booking.values.warned import ILLEGAL_TRANSITION, NOT_CLEARED

FACT_BEFORE_BOOKING = "FACT_BEFORE_BOOKING"
CLEARANCE_MISSING = "CLEARANCE_MISSING"

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        ILLEGAL_TRANSITION: "Upstream reported a step that the state table lacks; it was taken.",
        FACT_BEFORE_BOOKING: "Upstream says that somebody came, or did not, to a visit that was never booked.",
        NOT_CLEARED: "Upstream checked in a patient whose visit lacks what the clinic requires.",
        CLEARANCE_MISSING: "The visit is near and lacks what the clinic requires.",
    }
)
"""Code → what is so."""


class Flag(NamedTuple):
    """Something that staff should look at.

    Attributes:
        code: One of `MEANINGS`.
        version: The appointment's, by which it came.
    """

    appointment_id: UUID
    code: str
    version: int
