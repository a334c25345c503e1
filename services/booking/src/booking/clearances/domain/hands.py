"""Whose a visit was, when: a word that names no patient is his whose visit it was as it was said."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Hand(NamedTuple):
    """A visit in the hands of one patient.

    Attributes:
        patient_id: Who is kept, whatever he was called then.
        since: When both upstream and booking had it so; None: it was his first.
    """

    patient_id: UUID
    since: datetime | None = None


def whose(hands: Sequence[Hand], at: datetime) -> UUID:
    """Return whose the visit was then.

    Args:
        hands: From the first to whose it is now; at least one.
    """
    return next(
        (one.patient_id for one in reversed(hands) if one.since is None or one.since <= at), hands[0].patient_id
    )
