"""Which of two words about one appointment is the newer: by its own order within bounds, else by arrival (D41, 0038).

A word stands in time where it says that it was said. One that says nothing of that stands at its arrival, give or take
what clocks differ by, and so does one that claims to be of the future: a clock that runs ahead, or local time written
as UTC, must not make the true word that follows look old.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import AT_DESK, CHECKED_IN_AT_DESK, OWN_REPLY
from booking.values.warned import FUTURE_TIME, SEQUENCE_WENT_BACK, STALE, Warned

CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""How far an upstream clock may run ahead of ours and is still believed; and how far before an arrival it may say that
something happened, of which arrival alone knows whether it was before."""


class Order(StrEnum):
    """How a command stands to what is held."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    BY_ARRIVAL = "by arrival"


def believed(command: BookAppointment, now: datetime) -> tuple[BookAppointment, tuple[Warned, ...]]:
    """Return the command with a time that can be so: one of the future counts as none, with a warning."""
    if command.occurred_at is None or command.occurred_at <= (command.arrived_at or now) + CLOCKS_DIFFER_BY:
        return command, ()
    return command._replace(occurred_at=None), (Warned(FUTURE_TIME, "occurred_at"),)


def order_of(
    held: AppointmentState, command: BookAppointment, now: datetime, restarted_at: datetime | None = None
) -> Order:
    """Compare by the upstream's sequence, else by time, else by arrival (design §4).

    Equal times say nothing: many upstreams write whole seconds. What came before what is held, and could only be taken
    now, is older: a dead letter that is replayed must not undo what was said since.

    Args:
        restarted_at: When the source's count of events began anew, by word of a person: older ones do not compare.
    """
    if _both_counted(held, command, restarted_at):
        if command.sequence == held.sequence:
            return Order.SAME
        return Order.NEWER if (command.sequence or 0) > (held.sequence or 0) else Order.OLDER
    stands, said = stands_at(held, now), command.occurred_at
    if stands is not None and said is not None and said != stands:
        if said > stands:
            return Order.NEWER
        if stands != held.arrived_at or said < stands - CLOCKS_DIFFER_BY:
            return Order.OLDER
    return Order.OLDER if _came_before(held, command) else Order.BY_ARRIVAL


def against_what(
    held: AppointmentState, command: BookAppointment, now: datetime, restarted_at: datetime | None = None
) -> tuple[Warned, ...]:
    """Return the warnings of a command that is older: against what it is, and whether its count went back."""
    stands = stands_at(held, now)
    times_go_on = stands is not None and command.occurred_at is not None and command.occurred_at > stands
    if _both_counted(held, command, restarted_at):
        stale = Warned(STALE, "sequence", f"{command.sequence} is before {held.sequence}, which was taken")
        return (stale, Warned(SEQUENCE_WENT_BACK, "sequence")) if times_go_on else (stale,)
    if command.occurred_at is not None and stands is not None and command.occurred_at < stands:
        said = f"{_written(command.occurred_at)} is before {_written(stands)}, where what is held stands in time"
        return (Warned(STALE, "occurred_at", said),)
    return (Warned(STALE, "", "it came before what is held, and could only be taken now"),)


def moved_on(held: AppointmentState, command: BookAppointment, now: datetime) -> AppointmentState:
    """Return the held state with the newer order noted, so that what is older than this stays stale."""
    sequence = held.sequence if command.sequence is None else command.sequence
    stands, stood = stands_at(held, now), stood_at(command, now)
    if stands is not None and stood <= stands:
        return held if sequence == held.sequence else held._replace(sequence=sequence)
    if command.occurred_at is not None:
        return held._replace(sequence=sequence, source_time=stood)
    return held._replace(sequence=sequence, source_time=stood, arrived_at=stood, arrived_offset=command.arrived_offset)


def stood_at(command: BookAppointment, now: datetime) -> datetime:
    """Return where a command stands in time: where it says, else at its arrival."""
    return command.occurred_at or command.arrived_at or now


def stands_at(held: AppointmentState, now: datetime) -> datetime | None:
    """Return where what is held stands in time; None if that was never noted.

    Rows of a release that believed every time may stand in the future: they stand at their arrival.
    """
    said = held.source_time
    return held.arrived_at if said is None or said > now + CLOCKS_DIFFER_BY else said


def latest(one: datetime | None, other: datetime) -> datetime:
    """Return the later of two times, or the one there is."""
    return other if one is None else max(one, other)


def _both_counted(held: AppointmentState, command: BookAppointment, restarted_at: datetime | None) -> bool:
    if held.sequence is None or command.sequence is None:
        return False
    return restarted_at is None or (held.arrived_at or held.ingest_time) > restarted_at


def _came_before(held: AppointmentState, command: BookAppointment) -> bool:
    """Say whether a replayed command first came before what is held: by time, and within a batch by its place in it."""
    if command.arrived_at is None:
        return False
    if command.arrived_at < latest(_answered_at(held), held.arrived_at or held.ingest_time):
        return True
    here, there = command.arrived_offset, held.arrived_offset
    return here is not None and there is not None and here < there


def _answered_at(held: AppointmentState) -> datetime | None:
    """Return when the patient answered, or the desk changed it, if that made what is held."""
    return held.event_time if (held.caused_by or "").startswith((OWN_REPLY, AT_DESK, CHECKED_IN_AT_DESK)) else None


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
