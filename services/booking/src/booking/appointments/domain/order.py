"""Which of two words about one appointment is the newer: by upstream's order, else by arrival (D41)."""

from datetime import datetime
from enum import StrEnum

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState


class Order(StrEnum):
    """How a command stands to what is held."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    BY_ARRIVAL = "by arrival"


def order_of(held: AppointmentState, command: BookAppointment) -> Order:
    """Compare by the upstream's sequence, else by its last-updated time, else by arrival (design §4).

    Equal times say nothing: many upstreams write whole seconds. What came before what is held, and could only be taken
    now, is older: a dead letter that is replayed must not undo what was said since.
    """
    if held.sequence is not None and command.sequence is not None:
        if command.sequence == held.sequence:
            return Order.SAME
        return Order.NEWER if command.sequence > held.sequence else Order.OLDER
    if held.source_time is not None and command.occurred_at is not None and held.source_time != command.occurred_at:
        return Order.NEWER if command.occurred_at > held.source_time else Order.OLDER
    return Order.OLDER if _came_before(held, command) else Order.BY_ARRIVAL


def moved_on(held: AppointmentState, command: BookAppointment) -> AppointmentState:
    """Return the held state with the newer order noted, so that what is older than this stays stale."""
    sequence = held.sequence if command.sequence is None else command.sequence
    source_time = latest(held.source_time, command.occurred_at)
    if (sequence, source_time) == (held.sequence, held.source_time):
        return held
    return held._replace(sequence=sequence, source_time=source_time)


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two times, or the one there is."""
    return max((at for at in (one, other) if at is not None), default=None)


def _came_before(held: AppointmentState, command: BookAppointment) -> bool:
    """Say whether a replayed command first came before what is held: by time, and within a batch by its place in it."""
    if command.arrived_at is None:
        return False
    if command.arrived_at < (held.arrived_at or held.ingest_time):
        return True
    here, there = command.arrived_offset, held.arrived_offset
    return here is not None and there is not None and here < there
