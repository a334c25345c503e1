"""A visit as the worker sees it: what planning needs of one version of an appointment, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.appointments import Bar, Status
from schemas.hours import Hours
from schemas.planning import Lead


class Visit(Protocol):
    """One version of an appointment (see `schemas.appointments.Appointment` for its fields)."""

    @property
    def appointment_id(self) -> str:
        """Canonical text of its UUID."""
        ...

    @property
    def version(self) -> int:
        """Counts from 1."""
        ...

    @property
    def status(self) -> Status:
        """Of the ten (D42)."""
        ...

    @property
    def barred(self) -> Bar | None:
        """Why no message may go to the patient (D44)."""
        ...

    @property
    def patient_id(self) -> str:
        """Canonical text of his UUID."""
        ...

    @property
    def clinic_id(self) -> str:
        """Code."""
        ...

    @property
    def starts_at(self) -> datetime | None:
        """Aware."""
        ...

    @property
    def zone(self) -> str:
        """The clinic's IANA zone."""
        ...

    @property
    def schedule_gen(self) -> int:
        """Raised when earlier reminders no longer count."""
        ...

    @property
    def schedule_set_at(self) -> datetime:
        """When this generation began, aware."""
        ...

    @property
    def event_time(self) -> datetime:
        """Domain time of the change, aware."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The rules in force for a visit, read once for all visits that share them; what is planned by it is kept by it.

    Attributes:
        leads: In the order of the event.
        hours: In which patients of the clinic may be reminded (D16).
    """

    leads: tuple[Lead, ...]
    hours: Hours
    terms: bytes
