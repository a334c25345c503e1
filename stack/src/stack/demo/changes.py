"""What the demo's upstream says: changes of appointments, as bodies of `POST /v1/events`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

VISIT = timedelta(minutes=30)

Answer = Literal["applied", "repeat", "stale", "tombstone"]


@dataclass(frozen=True, slots=True)
class Change:
    """One event of the script.

    Attributes:
        written_at: When upstream wrote it, where that is not when it came.
        imported: It is history out of a file, of which nobody is told.
    """

    at: datetime
    event_id: str
    appointment: str
    status: str
    patient: str
    clinic: str
    zone: str
    start: datetime
    provider: str | None = None
    service: str = "Consultation"
    sequence: int | None = None
    confirmed: bool = False
    answer: Answer = "applied"
    posted_as: Literal["utc", "offset", "wall"] = "utc"
    length: timedelta = VISIT
    written_at: datetime | None = None
    imported: bool = False

    def body(self) -> dict[str, object]:
        """Return the JSON body of this event."""
        appointment: dict[str, object] = {
            "id": self.appointment,
            "status": self.status,
            "confirmed": self.confirmed,
            "patient": {"id": self.patient},
            "clinic": self.clinic,
            "provider": {"id": self.provider} if self.provider else None,
            "service_type": self.service,
            "start": self._written(self.start),
            "end": self._written(self.start + self.length),
        }
        if self.posted_as == "wall":
            appointment["zone"] = self.zone
        sequence = {} if self.sequence is None else {"sequence": self.sequence}
        return {"event_id": self.event_id, **sequence, "appointment": appointment}

    def _written(self, instant: datetime) -> str:
        if self.posted_as == "utc":
            return instant.isoformat()
        there = instant.astimezone(ZoneInfo(self.zone))
        return (there if self.posted_as == "offset" else there.replace(tzinfo=None)).isoformat()

    def then(self, at: datetime, event: str, **changed: object) -> "Change":
        """Return a later change of the same appointment."""
        return replace(self, at=at, event_id=f"{self.appointment}:{event}", **changed)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Registration:
    """A patient who is registered in the middle of the week: his parked sub-file gets its number."""

    at: datetime
    patient: str


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A registered patient's other mobile: from then on messages go there."""

    at: datetime
    patient: str
    mobile: str
