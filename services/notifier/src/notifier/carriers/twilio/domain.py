"""Which message at the carrier an attempt of unknown outcome became, if that can be told (G5).

Finding it settles the attempt. Not finding it never does: a carrier may be slow to list what it took.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

BEFORE, AFTER = timedelta(seconds=30), timedelta(seconds=95)
"""Around the gate: a call starts within 5 s and lasts 60 s at most; 30 s are for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An attempt whose outcome nobody knows.

    Attributes:
        address: The key of the address that was written to.
        gated_at: Machine time.
        alone: No other attempt to this address is open at about the same time.
    """

    attempt_id: UUID
    appointment_id: UUID
    address: bytes
    gated_at: datetime
    alone: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A message in the carrier's list.

    Attributes:
        created_at: By the carrier's clock; None if that cannot be read.
    """

    reference: str
    status: str
    created_at: datetime | None


def found(unknown: Unknown, listed: Sequence[Listed], known: Collection[str]) -> Listed | None:
    """Return the message that this attempt became; None if there is none yet, or more than one comes into question.

    A message whose time cannot be read comes into question, and is never it.
    """
    if not unknown.alone:
        return None
    began, ended = unknown.gated_at - BEFORE, unknown.gated_at + AFTER
    strangers = [one for one in listed if one.reference not in known]
    near = [one for one in strangers if one.created_at is None or began <= one.created_at <= ended]
    return near[0] if len(near) == 1 and near[0].created_at else None
