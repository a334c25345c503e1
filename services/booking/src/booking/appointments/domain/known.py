"""What a batch knows before it decides, and the commands that were taken before it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.strangers import NOBODY_KNOWN, Acquaintances
from booking.clearances.domain.standing import NO_TERMS, Terms
from booking.clinics.domain.clinic import ClinicState
from booking.door.domain import Client
from booking.values.identity import Identity, PatientKey
from booking.values.warned import Warned
from schemas.appointments import Bar


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A command that was taken, as it is kept under (client, key)."""

    body_sha256: bytes
    result: Result
    appointment_id: UUID
    version: int
    warnings: tuple[Warned, ...] = ()
    read_sha256: bytes | None = None

    def is_of(self, command: BookAppointment) -> bool:
        """Say whether this is the same event: the same body, or one in which the same was read."""
        is_read = command.read_sha256 is not None and command.read_sha256 == self.read_sha256
        return is_read or command.body_sha256 == self.body_sha256


@dataclass(frozen=True, slots=True)
class Known:
    """What a batch needs to know before it decides, read under its locks.

    Attributes:
        ids: Name → appointment id, for every name of the batch.
        made: Names that were nobody's: each has an id of its own, which becomes an appointment's or is given back.
        names: Appointment id → its names, for those of whom it is in doubt whether they are meant.
        held: Appointment id → state, for those ever heard of.
        recorded_events: (client, key) → command taken before.
        clinics: Code → clinic, for all that the batch may need.
        clinic_ids: (source, system, value) → code.
        patients: Name → patient id, for those ever mentioned.
        patient_names: Patient → his names, for those of whom it is in doubt whether they are meant.
        providers: Name → the name under which the provider is kept, for those ever mentioned.
        provider_names: That name → all of his, for those of whom it is in doubt whether they are meant.
        visited: Patient → the clinics of his visits, for those whom a client of few clinics describes.
        barred: Patient → why no message may go to him, for those of the appointments held.
        restarts: Source → when its count of events last began anew, for those whose counts went back here.
        terms: What the clinics require for a check-in, and what the visits hold that a command checks in.
        enforced: Sources whose steps are enforced, of those that the batch has a doubtful step of (0052).
        acquaintances: Who of those whom the batch names was made known.
    """

    ids: Mapping[Identity, UUID]
    held: Mapping[UUID, AppointmentState]
    recorded_events: Mapping[tuple[str, str], RecordedEvent]
    clinics: Mapping[str, ClinicState]
    clinic_ids: Mapping[tuple[str, str, str], str]
    patients: Mapping[Identity, UUID]
    clients: Mapping[str, Client]
    visited: Mapping[UUID, Collection[str]] = field(default_factory=dict)
    barred: Mapping[PatientKey | None, Bar] = field(default_factory=dict)
    restarts: Mapping[str, datetime] = field(default_factory=dict)
    terms: Terms = NO_TERMS
    enforced: Collection[str] = ()
    made: Collection[Identity] = ()
    names: dict[UUID, set[str]] = field(default_factory=dict)
    patient_names: dict[PatientKey, set[str]] = field(default_factory=dict)
    providers: Mapping[Identity, Identity] = field(default_factory=dict)
    provider_names: dict[Identity, set[str]] = field(default_factory=dict)
    acquaintances: Acquaintances = NOBODY_KNOWN
