"""Records that no source gave, but the reconciler: how they are told apart, and what they take back."""

from datetime import datetime
from uuid import UUID

from reminders.planning.domain import events
from reminders.planning.domain.schedule import Terms
from reminders.timers.ports import Source
from reminders.timers.row import NEVER, Row, TimerState, marks_of, state_of
from schemas.reminders import Reason, RemindersCancelled

MEND = "attend-mend"
"""Header of an offered record; its value is the domain time at which it was offered."""


def asked_at(source: Source) -> datetime | None:
    """Return when the reconciler offered this record, or None: it came by the source, whatever its headers say."""
    for name, value in source.headers:
        if name == MEND and value is not None:
            try:
                at = datetime.fromisoformat(value.decode("ascii"))
            except ValueError:
                return None
            return None if at.tzinfo is None else at
    return None


def withdraw(key: bytes, row: Row, terms: Terms, reason: Reason) -> tuple[Row, RemindersCancelled | None]:
    """Let lapse what still waits in a row.

    Returns:
        The row without a timer to fire, and what to announce: None if nothing waited.
    """
    timers = terms.timers(row.anchor)
    states = [TimerState(state_of(row.marks, number)) for number in range(len(timers))]
    waiting = [timer for timer, state in zip(timers, states, strict=True) if state is TimerState.PENDING]
    if not waiting:
        return row, None
    marks = marks_of([state or TimerState.LAPSED for state in states])
    return row._replace(next_due=NEVER, marks=marks), events.withdrawn(UUID(bytes=key), row, waiting, reason)
