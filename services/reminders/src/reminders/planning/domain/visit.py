"""A visit as the worker sees it: what planning needs of one version of an appointment, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.appointments import Bar, Status
from schemas.hours import Hours
from schemas.planning import Lead


class Visit(Protocol):
    """One version of an appointment (see `schemas.appointments.Appointment`); ids are canonical texts."""

    appointment_id: str
    version: int
    status: Status
    barred: Bar | None
    patient_id: str
    clinic_id: str
    starts_at: datetime | None
    zone: str
    schedule_gen: int
    schedule_set_at: datetime
    event_time: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The rules in force for a visit, read once for all visits that share them; what is planned by it is kept by it.

    Attributes:
        hours: In which patients of the clinic may be reminded (D16).
    """

    leads: tuple[Lead, ...]
    hours: Hours
    terms: bytes
