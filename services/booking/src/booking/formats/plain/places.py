"""Where in an event of ours each field of its command stands: a field of JSON has one place."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from booking.values.warned import Details

_OF_EVENT = ("source", "occurred_at", "sequence", "mode", "reason")
"""Fields of the command that are members of the event."""

_OF_VISIT = {
    "appointment": "id",
    "status": "status",
    "confirmed": "confirmed",
    "patient": "patient",
    "clinic": "clinic",
    "provider": "provider",
    "service_type": "service_type",
    "starts_at": "start",
    "ends_at": "end",
}
"""Field of the command → the appointment's member."""

_TIMES = frozenset({"starts_at", "ends_at"})


def note_places(said: Mapping[str, Any], zone: str | None, details: Details) -> None:
    """Note where each field of an event came from.

    Args:
        said: The event's members, as far as they are said.
        zone: Of its times without offset.
    """
    details.took("key", *(("event_id",) if said.get("event_id") else ("", "", "the header Idempotency-Key")))
    for field in _OF_EVENT:
        if said.get(field) is not None:
            details.took(field, field)
    if said.get("mode") is None:
        details.took("mode", "", "mode", "the event says none")
    visit = said["appointment"]
    for field, name in _OF_VISIT.items():
        if name in visit:
            found = visit[name]
            place = f"appointment.{name}.id" if isinstance(found, dict) else f"appointment.{name}"
            by_zone = field in _TIMES and isinstance(found, str) and _is_wall_time(found)
            details.took(field, place, *(_zone(visit, zone) if by_zone else ()))


def _is_wall_time(written: str) -> bool:
    try:
        return datetime.fromisoformat(written).tzinfo is None
    except ValueError:
        return False


def _zone(visit: Mapping[str, Any], zone: str | None) -> tuple[str, str]:
    """Return by which knob a time without offset is read, and how."""
    if visit.get("zone"):
        return "", "without offset: read in the zone of appointment.zone"
    return "zone", f"without offset: read in {zone}" if zone else "without offset, and nobody knows its zone"
