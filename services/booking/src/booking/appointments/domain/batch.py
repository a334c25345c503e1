"""A batch of commands, folded in the order given: what each is answered, and what is then to be written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from booking.appointments.domain.cancelled_reminders import reminders_cancelled
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.order import believed
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.versions import decide
from booking.clinics.domain.clinic import ClinicState
from booking.door.domain import ALL, Client
from booking.patients.domain.patient import PersonDetails, read_by
from booking.safety.domain import Cause
from booking.values.identity import Identity, PatientKey
from booking.values.refusals import UNKNOWN_CLINIC, Refused
from booking.values.warned import FOREIGN_PATIENT, ILLEGAL_TRANSITION, Details, Warned, dropped
from schemas.appointments import SENDABLE, Bar


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A command that was taken, as it is kept under (client, key)."""

    body_sha256: bytes
    result: Result
    appointment_id: UUID
    version: int
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What one command is answered: taken, or refused.

    Attributes:
        reminders_cancelled: How many reminders this change takes back; None if it ends no schedule (R14).
        source: Which system said so, for counting: the client's own words for its sources, `*` if it may use any.
    """

    key: str
    recorded: RecordedEvent | None = None
    result: Result | None = None
    refusal: Refused | None = None
    reminders_cancelled: int | None = None
    source: str = ALL

    @property
    def is_illegal_step(self) -> bool:
        """Whether it was applied although the state table lacks the step (R33)."""
        return self.result is Result.APPLIED and any(w.code == ILLEGAL_TRANSITION for w in self.warnings)

    @property
    def recorded_result(self) -> Result | None:
        """What became of it when it first came."""
        return None if self.recorded is None else self.recorded.result

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What is said of it although it was taken."""
        return () if self.recorded is None else self.recorded.warnings


@dataclass(frozen=True, slots=True)
class Known:
    """What a batch needs to know before it decides, read under its locks.

    Attributes:
        ids: Identity → appointment id, for every identity of the batch.
        held: Appointment id → state, for those ever heard of.
        recorded_events: (client, key) → command taken before.
        clinics: Code → clinic, for all that the batch may need.
        clinic_ids: (source, system, value) → code.
        patients: Identity → patient id, for those ever mentioned.
        visited: Patient → the clinics of his visits, for those whom a client of few clinics describes.
        barred: Patient → why no message may go to him, for those of the appointments held.
        restarts: Source → when its count of events last began anew, for those whose counts went back here.
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


class Described(NamedTuple):
    """What one message says of a patient."""

    patient: PatientKey
    details: PersonDetails
    cause: Cause


@dataclass(slots=True)
class Batch:
    """Folds commands one after the other.

    Attributes:
        changed: Appointment id → state that differs from the one read.
        recorded_events: (client, key) → command newly taken.
        persons: What messages say of patients, who are to be registered by it, in order.
        visited: Patient → the clinics where this batch has given him visits.
        providers: Identity → name of providers that messages introduce.
    """

    known: Known
    now: datetime
    versions: list[tuple[UUID, AppointmentState]] = field(default_factory=list)
    changed: dict[UUID, AppointmentState] = field(default_factory=dict)
    recorded_events: dict[tuple[str, str], RecordedEvent] = field(default_factory=dict)
    persons: list[Described] = field(default_factory=list)
    visited: dict[PatientKey, set[str]] = field(default_factory=dict)
    providers: dict[Identity, str] = field(default_factory=dict)

    def take(self, command: BookAppointment) -> EventAnswer:
        """Decide one command on top of those before it; a refused one changes nothing, and its answer says why."""
        ingress = (command.client, command.key)
        before = self.recorded_events.get(ingress) or self.known.recorded_events.get(ingress)
        try:
            if before is not None:
                return _again(command, before)
            recorded, reminders = self._decided(command)
        except Refused as refusal:
            return EventAnswer(command.key, refusal=refusal)
        self.recorded_events[ingress] = recorded
        source = command.source if command.source in self.known.clients[command.client].sources else ALL
        return EventAnswer(command.key, recorded, recorded.result, reminders_cancelled=reminders, source=source)

    def _decided(self, command: BookAppointment) -> tuple[RecordedEvent, int | None]:
        appointment_id = self.known.ids[command.identity]
        held = self.changed.get(appointment_id) or self.known.held.get(appointment_id)
        client = self.known.clients[command.client]
        clinic_id, unknown = self._clinic(command, held, client)
        patient = self._patient(command)
        command, in_future = believed(command, self.now)
        restarted_at = self.known.restarts.get(command.source)
        decision = decide(held, command, clinic_id, patient, self.now, self.known.clinics, restarted_at)
        state = decision.state
        warnings = command.warnings + in_future + unknown + decision.warnings
        if decision.result is Result.APPLIED:
            warnings += self._introduce(command, state, client)
            self.versions.append((appointment_id, state))
        if state is not held:
            self.changed[appointment_id] = state
        recorded = RecordedEvent(command.body_sha256, decision.result, appointment_id, state.version, warnings)
        if held is None or decision.result is not Result.APPLIED:
            return recorded, None
        clinic, barred = self.known.clinics.get(held.clinic_id or ""), self.known.barred.get(held.patient)
        return recorded, reminders_cancelled(held, state, clinic, barred, self.now)

    def _clinic(
        self, command: BookAppointment, held: AppointmentState | None, client: Client
    ) -> tuple[str | None, tuple[Warned, ...]]:
        """Return the clinic named: by its code, by an identifier, or the client's default for a first command.

        Without one no visit can be kept, and nobody can be sent for to another; of a visit that has one and does not
        stand, another that nobody knows is a detail (0038).
        """
        is_known = held is not None and held.clinic_id is not None
        if held is not None and held.clinic_id is not None:
            client.check_clinic(held.clinic_id)
        try:
            return self._clinic_named(command, client, is_known=is_known), ()
        except Refused as refusal:
            if not is_known or command.status in SENDABLE or refusal.code != UNKNOWN_CLINIC:
                raise
            return None, (dropped(refusal),)

    def _clinic_named(self, command: BookAppointment, client: Client, *, is_known: bool) -> str | None:
        named = command.clinic
        if named is None:
            triples = ((command.source, system, value) for system, value in command.clinic_identifiers)
            named = next((self.known.clinic_ids[t] for t in triples if t in self.known.clinic_ids), None)
        if named is None and not is_known:
            named = client.default_clinic
        if named is None:
            if command.clinic_identifiers:
                raise _unknown_clinic(command)
            return None
        client.check_clinic(named)
        if named not in self.known.clinics:
            raise Refused(UNKNOWN_CLINIC, "no clinic has this code; PUT /v1/clinics first", "appointment.clinic")
        return named

    def _patient(self, command: BookAppointment) -> PatientKey | None:
        if command.patient is None:
            return None
        identity = (command.source, command.patient)
        return self.known.patients.get(identity, identity)

    def _introduce(self, command: BookAppointment, state: AppointmentState, client: Client) -> tuple[Warned, ...]:
        """Keep whom the message describes, for registration, and return what of him cannot be kept.

        A patient whom the client may not write is booked all the same, with a warning (D50).
        """
        if command.provider_name is not None and isinstance(command.provider, str):
            self.providers[command.source, command.provider] = command.provider_name
        if state.patient is None:
            return ()
        visited = self.visited.setdefault(state.patient, set())
        elsewhere = visited.union(self.known.visited.get(state.patient, ()) if isinstance(state.patient, UUID) else ())
        visited.add(state.clinic_id or "")
        if command.person is None or not client.may_register:
            return ()
        if not client.may_write(elsewhere):
            return (Warned(FOREIGN_PATIENT),)
        country = self.known.clinics[state.clinic_id or ""].country
        cause = Cause(client.client_id, state.caused_by or "")
        details = Details()
        self.persons.append(Described(state.patient, read_by(command.person, country, details), cause))
        return tuple(details.warnings)

    def unused(self, made: Collection[Identity]) -> list[Identity]:
        """Return the identities made for this batch whose commands were all refused."""
        return sorted(identity for identity in made if self.known.ids[identity] not in self.changed)


def _again(command: BookAppointment, before: RecordedEvent) -> EventAnswer:
    if before.body_sha256 != command.body_sha256:
        message = "this id was used for another body; give each event its own"
        raise Refused("EVENT_ID_CONFLICT", message, "event_id")
    return EventAnswer(command.key, before, Result.REPEAT)


def _unknown_clinic(command: BookAppointment) -> Refused:
    systems = ", ".join(sorted({system for system, _ in command.clinic_identifiers}))
    message = f"no clinic has an identifier that this message gives in {systems}; PUT /v1/clinics with identifiers"
    return Refused(UNKNOWN_CLINIC, message, "appointment.clinic")
