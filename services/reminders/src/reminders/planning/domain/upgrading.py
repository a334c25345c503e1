"""Rows of earlier releases in the format of today, with every instant as it was."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from reminders.timers.old_rows import read_old
from reminders.timers.row import NEVER, Row, UnreadableRow, marks_of, pack

KEPT = timedelta(hours=72) // timedelta(microseconds=1)
"""How long after the visit a row of format 1 was kept: it tells when the visit is."""


def upgrade(key: bytes, packed: bytes, number: Callable[[bytes], int]) -> tuple[bytes, bytes]:
    """Return key and packed row of today for those of format 1, whose keys were texts.

    Args:
        key: Of the changelog.
        packed: In format 1.
        number: Returns the number of terms in the row's partition.

    Raises:
        UnreadableRow: No format explains key or bytes.
    """
    old = read_old(packed)
    try:
        appointment_id = UUID(key.decode())
    except ValueError:
        raise UnreadableRow(f"a key of {len(key)} bytes is no appointment's id") from None
    anchor = old.keep_until - KEPT
    rules = [{"slug": timer.name, "us": anchor - timer.due} for timer in old.timers]
    terms = number(json.dumps({"zone": "UTC", "rules": rules}, separators=(",", ":")).encode())
    next_due = min((timer.due for timer in old.timers if not timer.state), default=NEVER)
    marks = marks_of([timer.state for timer in old.timers])
    return appointment_id.bytes, pack(Row(old.version, old.generation, next_due, anchor, terms, marks))
