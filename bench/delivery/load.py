"""The made-up load: 80 % booked by one fifth as many patients, 10 % moved, 10 % cancelled."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from uuid import UUID

from schemas import wire
from schemas.appointments import (
    APPOINTMENT_CHANGED,
    Appointment,
    ReminderPolicy,
    ReminderRule,
    SendWindow,
    Status,
)
from schemas.envelope import Envelope, Headers
from schemas.people import PATIENT_CHANGED, PROVIDER_CHANGED, Patient, Provider

PROVIDERS = 200
CLINICS = 50
EVENTS_PER_PATIENT = 5
START = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
_SET_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_POLICY = ReminderPolicy(
    policy_id="default",
    rules=(
        ReminderRule(slug="24h", lead_hours=24, in_force_since=_SET_AT),
        ReminderRule(slug="2h", lead_hours=2, in_force_since=_SET_AT),
    ),
    window=SendWindow(opens=time(7), closes=time(21)),
)


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record to be written."""

    key: bytes
    value: bytes
    headers: Headers


@dataclass(slots=True)
class _Visit:
    appointment_id: UUID
    patient: int
    provider: UUID
    version: int = 1
    schedule_gen: int = 1


class Load:
    """A reproducible set of events.

    Attributes:
        events: How many appointment events.
        patients: Their patients, each at home in one clinic.
    """

    def __init__(self, events: int, seed: int = 2) -> None:
        self.events = events
        self._random = Random(seed)
        self.patients = [self._id() for _ in range(max(1, events // EVENTS_PER_PATIENT))]
        self.providers = [self._id() for _ in range(PROVIDERS)]

    def appointments(self) -> Iterator[Record]:
        """Yield the events of `appointments`, every version after the one before it."""
        visits: list[_Visit] = []
        for position in range(self.events):
            turn = position % 10
            if turn < 8:
                visit = _Visit(
                    self._id(), self._random.randrange(len(self.patients)), self._random.choice(self.providers)
                )
                visits.append(visit)
            else:
                visit = self._random.choice(visits)
                visit.version += 1
                visit.schedule_gen += turn == 8
            yield self._appointment(visit, Status.CANCELLED if turn == 9 else Status.BOOKED)

    def registrations(self) -> Iterator[Record]:
        """Yield a snapshot of every patient, with a main file."""
        for number, patient in enumerate(self.patients, 1):
            body = Patient(patient_id=patient, version=1, main_file=f"FILE-2026-{number:06d}", given_name="Ann")
            yield _record(body, patient, PATIENT_CHANGED, patient)

    def staff(self) -> Iterator[Record]:
        """Yield a snapshot of every provider."""
        for provider in self.providers:
            body = Provider(provider_id=provider, version=1, name="Dr Who")
            yield _record(body, provider, PROVIDER_CHANGED, provider)

    def _appointment(self, visit: _Visit, status: Status) -> Record:
        starts_at = START + timedelta(days=visit.schedule_gen, minutes=visit.patient % 480)
        body = Appointment(
            appointment_id=visit.appointment_id,
            version=visit.version,
            status=status,
            patient_id=self.patients[visit.patient],
            clinic_id=f"CL{visit.patient % CLINICS:03d}",
            provider_id=visit.provider,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            zone="Europe/London",
            schedule_gen=visit.schedule_gen,
            schedule_set_at=_SET_AT,
            first_booked_at=_SET_AT,
            policy=_POLICY,
            event_time=_SET_AT,
            ingest_time=_SET_AT,
            source="sim",
        )
        event_id = wire.event_id(visit.appointment_id, visit.version)
        return _record(body, visit.appointment_id, APPOINTMENT_CHANGED, event_id)

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def _record(body: Appointment | Patient | Provider, key: UUID, kind: str, event_id: UUID) -> Record:
    envelope = Envelope(str(event_id), kind, "attend/booking", str(key), _SET_AT)
    return Record(str(key).encode(), wire.encode(body), envelope.headers())
