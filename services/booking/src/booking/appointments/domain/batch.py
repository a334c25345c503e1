"""A batch of commands, folded in the order given: what each is answered, and what is then to be written."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from booking.appointments.domain.cancelled_reminders import reminders_cancelled
from booking.appointments.domain.changes import as_known
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import Known, RecordedEvent
from booking.appointments.domain.order import believed
from booking.appointments.domain.state import AppointmentState, Decision, Result
from booking.appointments.domain.strangers import still_so
from booking.appointments.domain.transitions import StepRules
from booking.appointments.domain.versions import decide
from booking.appointments.domain.which_clinic import check_zone, clinic_of
from booking.check_ins.domain import KEPT_REFUSALS, CheckIn, TurnedAway, Verdict, judge, lets_in
from booking.door.domain import ALL, Client
from booking.patients.domain.details import KeptDetails, read_by
from booking.safety.domain import Cause
from booking.values.identity import Identity, PatientKey
from booking.values.names import Names
from booking.values.refusals import IDENTITY_CONFLICT, ILLEGAL_TRANSITION, NOT_CLEARED, Refused
from booking.values.warned import FOREIGN_PATIENT, HELD_BACK, Details, Warned, beside
from booking.work_list.domain import Flag, flags_of
from schemas.appointments import SENDABLE, IngestMode


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What one command is answered: taken, or refused.

    Attributes:
        reminders_cancelled: How many reminders this change takes back; None if it ends no schedule (R14).
        check_in: What was checked, if it checks a patient in and was not taken before.
        source: Which system said so, for counting: the client's own words for its sources, `*` if it may use any.
        told: It was of a patient alone, and was taken: what is said of it; None: it was of a visit.
    """

    key: str
    recorded: RecordedEvent | None = None
    result: Result | None = None
    refusal: Refused | None = None
    reminders_cancelled: int | None = None
    check_in: CheckIn | None = None
    source: str = ALL
    told: tuple[Warned, ...] | None = None

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
        return self.told or () if self.recorded is None else self.recorded.warnings


class Described(NamedTuple):
    """What one message says of a patient."""

    patient: PatientKey
    details: KeptDetails
    cause: Cause


@dataclass(slots=True)
class Batch:
    """Folds commands one after the other.

    Attributes:
        check_ins: Those that were taken.
        turned_away: Those at our own door that were refused.
        flags: What staff should look at of the visits that were changed.
        agreed: Visits of which the newest word does not contradict itself, or is a person's at the desk.
        changed: Appointment id → state that differs from the one read.
        recorded_events: (client, key) → command newly taken.
        persons: What messages say of patients, who are to be registered by it, in order.
        described: Who they are.
        visited: Patient → the clinics where this batch has given him visits.
        providers: Identity → name of providers that messages introduce.
        visits: Whose the appointments' names are.
        patients: The same of patients; a new one's key is his first name.
        doctors: The same of providers, each by the name under which he is kept.
    """

    known: Known
    now: datetime
    versions: list[tuple[UUID, AppointmentState]] = field(default_factory=list)
    check_ins: list[CheckIn] = field(default_factory=list)
    turned_away: list[TurnedAway] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    agreed: set[UUID] = field(default_factory=set)
    changed: dict[UUID, AppointmentState] = field(default_factory=dict)
    recorded_events: dict[tuple[str, str], RecordedEvent] = field(default_factory=dict)
    persons: list[Described] = field(default_factory=list)
    described: set[PatientKey | None] = field(default_factory=set)
    visited: dict[PatientKey, set[str]] = field(default_factory=dict)
    providers: dict[Identity, str] = field(default_factory=dict)
    visits: Names[UUID] = field(init=False)
    patients: Names[PatientKey] = field(init=False)
    doctors: Names[Identity] = field(init=False)

    def __post_init__(self) -> None:
        made = frozenset(self.known.made)
        owners = {name: key for name, key in self.known.ids.items() if name not in made}
        self.visits = Names(owners, self.known.names)
        self.patients = Names(dict(self.known.patients), self.known.patient_names)
        self.doctors = Names(dict(self.known.providers), self.known.provider_names)

    def take(self, command: BookAppointment) -> EventAnswer:
        """Decide one command on top of those before it; a refused one changes nothing, and its answer says why."""
        ingress = (command.client, command.key)
        before = self.recorded_events.get(ingress) or self.known.recorded_events.get(ingress)
        source = command.source if command.source in self.known.clients[command.client].sources else ALL
        try:
            if before is not None:
                return self._again(command, before)
            recorded, reminders, check_in = self._decided(command)
        except Refused as refusal:
            self._note_turned_away(command, refusal)
            return EventAnswer(command.key, refusal=beside(refusal, command.warnings), source=source)
        self.recorded_events[ingress] = recorded
        return EventAnswer(command.key, recorded, recorded.result, None, reminders, check_in, source)

    def _decided(self, command: BookAppointment) -> tuple[RecordedEvent, int | None, CheckIn | None]:
        appointment_id, odd = self._which(command)
        held = self.changed.get(appointment_id) or self.known.held.get(appointment_id)
        command, client = as_known(held, command), self.known.clients[command.client]
        clinic_id, unknown = clinic_of(command, held, client, self.known)
        check_zone(command, clinic_id or (held and held.clinic_id), self.known.clinics)
        patients, doctors = command.names_of_patient, command.names_of_provider
        patient, is_odd = self.patients.meant(patients, patients[:1])
        odd += (Warned(IDENTITY_CONFLICT, "appointment.patient"),) if is_odd else ()
        provider, is_odd = self.doctors.meant(doctors, doctors[:1])
        odd += (Warned(IDENTITY_CONFLICT, "appointment.provider"),) if is_odd else ()
        command, in_future = believed(command, self.now)
        kept_as = command if provider is None else command._replace(provider=provider[1])
        restarted_at = self.known.restarts.get(command.source)
        rules = StepRules(command.source in self.known.enforced, client.may_correct)
        decision = decide(held, kept_as, clinic_id, patient, self.now, self.known.clinics, restarted_at, rules)
        state = decision.state
        check_in = self._checked(command, appointment_id, held, decision)
        self.visits.give(command.names, appointment_id)
        warnings = command.warnings + odd + in_future + unknown + decision.warnings
        warnings += check_in.verdict.warnings if check_in else ()
        if decision.result in {Result.APPLIED, Result.REPEAT}:
            if patient is not None and patient == state.patient:
                self.patients.give(patients, patient)
            if provider is not None:
                self.doctors.give(doctors, provider)
            warnings += self._introduce(kept_as, state, client)
            self._note_whether_held(appointment_id, command, decision)
            if state.status in SENDABLE:
                warnings += self._strange(patient, provider)
        if decision.result is Result.APPLIED:
            self._apply(appointment_id, state, warnings, check_in)
        if state is not held:
            self.changed[appointment_id] = state
        recorded = RecordedEvent(
            command.body_sha256, decision.result, appointment_id, state.version, warnings, command.read_sha256
        )
        if held is None or decision.result is not Result.APPLIED:
            return recorded, None, check_in
        clinic, barred = self.known.clinics.get(held.clinic_id or ""), self.known.barred.get(held.patient)
        return recorded, reminders_cancelled(held, state, clinic, barred, self.now), check_in

    def _checked(
        self, command: BookAppointment, appointment_id: UUID, held: AppointmentState | None, decision: Decision
    ) -> CheckIn | None:
        """Return what was checked for a check-in that is taken, and at our own door for one that repeats one (R34)."""
        state = decision.state
        before = held.status if held is not None and held.patient == state.patient else None
        is_one = decision.result is Result.APPLIED and lets_in(before, state.status)
        if command.check_in is None and not (is_one and command.mode is IngestMode.LIVE):
            return None
        standing = self.known.terms.standing(appointment_id, state, self.now)
        verdict = judge(standing, command.check_in) if is_one else Verdict()
        said = (command.client, command.key, command.check_in, command.reason)
        return CheckIn(appointment_id, state.version, state.status, standing, verdict, *said)

    def _note_turned_away(self, command: BookAppointment, refusal: Refused) -> None:
        """Note a check-in at our own door that the state of its visit refused."""
        key = self.known.ids[command.names[0]]
        held = self.changed.get(key) or self.known.held.get(key)
        if command.check_in is None or held is None or refusal.code not in KEPT_REFUSALS:
            return
        standing = self.known.terms.standing(key, held, self.now)
        who = (command.client, command.key, command.check_in.by)
        self.turned_away.append(TurnedAway(key, held.version, held.status, standing, refusal.code, *who))

    def _apply(
        self, appointment_id: UUID, state: AppointmentState, warnings: tuple[Warned, ...], check_in: CheckIn | None
    ) -> None:
        """Note a new version, what staff should look at of it, and a check-in that anything was required for."""
        self.versions.append((appointment_id, state))
        if state.mode is IngestMode.LIVE:
            self.flags += flags_of(appointment_id, state.version, warnings)
        if check_in is None:
            return
        if check_in.asked or check_in.standing.checked:
            self.check_ins.append(check_in)
        if check_in.verdict.is_flagged:
            self.flags.append(Flag(appointment_id, NOT_CLEARED, state.version))

    def _note_whether_held(self, appointment_id: UUID, command: BookAppointment, decision: Decision) -> None:
        """Note that nothing is sent of a visit for now, whether or not that is a change; or that something is again."""
        if HELD_BACK in {warned.code for warned in command.warnings}:
            self.agreed.discard(appointment_id)
            self.flags.append(Flag(appointment_id, HELD_BACK, decision.state.version))
        elif command.agrees or (command.is_ours and decision.result is Result.APPLIED):
            self.agreed.add(appointment_id)

    def _which(self, command: BookAppointment) -> tuple[UUID, tuple[Warned, ...]]:
        """Return the one appointment that all names of the message name, or a new one's id."""
        names = command.names
        found = self.visits.find(names, partial(self._may_be_of, command) if command.follows else None)
        if len(found.owners) > 1:
            raise Refused(IDENTITY_CONFLICT, _TWO_VISITS, "appointment.id")
        odd = (Warned(IDENTITY_CONFLICT, "appointment.id"),) if found.passed else ()
        return found.owners[0] if found.owners else self.known.ids[names[0]], odd

    def _may_be_of(self, command: BookAppointment, appointment_id: UUID) -> bool:
        """Say whether a visit is not of another patient than the one whom the command names."""
        held = self.changed.get(appointment_id) or self.known.held.get(appointment_id)
        names = command.names_of_patient
        patient, _ = self.patients.meant(names, names[:1])
        return held is None or None in {held.patient, patient} or held.patient == patient

    def _introduce(self, command: BookAppointment, state: AppointmentState, client: Client) -> tuple[Warned, ...]:
        """Keep whom the message describes, for registration, and return what of him cannot be kept.

        So does one that changes nothing of the visit: it may say of the patient alone that he has another number.
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
        cause = Cause(client.client_id, f"{command.client}/{command.key}")
        details = Details()
        self.described.add(state.patient)
        self.persons.append(Described(state.patient, read_by(command.person, country, details), cause))
        return tuple(details.warnings)

    def _strange(self, patient: PatientKey | None, provider: Identity | None) -> tuple[Warned, ...]:
        """Return warnings of those whom an event names, whom nobody made known, nor this batch does."""
        is_introduced = provider in self.providers
        asked = (None if patient in self.described else patient, None if is_introduced else provider)
        return self.known.acquaintances.strange(*asked)

    def _again(self, command: BookAppointment, before: RecordedEvent) -> EventAnswer:
        if not before.is_of(command):
            message = "this id was used for another body; give each event its own"
            raise Refused("EVENT_ID_CONFLICT", message, "event_id")
        if before.warnings:
            patients, doctors = command.names_of_patient, command.names_of_provider
            patient, provider = self.patients.meant(patients, patients[:1]), self.doctors.meant(doctors, doctors[:1])
            before = replace(before, warnings=still_so(before.warnings, self._strange(patient[0], provider[0])))
        return EventAnswer(command.key, before, Result.REPEAT)

    def further_names(self) -> dict[Identity, UUID]:
        """Return the names that came beside an appointment's first one, which are made, but as others'."""
        return {name: key for name, key in self.visits.given.items() if self.known.ids[name] != key}

    def further_patient_names(self) -> dict[Identity, PatientKey]:
        """Return the names that are to be added to patients, beside the first ones of new patients."""
        return {name: key for name, key in self.patients.given.items() if name != key}

    def unused(self) -> list[Identity]:
        """Return the names made for this batch whose commands were all refused."""
        return sorted(name for name in self.known.made if name not in self.visits.given)


_TWO_VISITS = (
    "the names of this message belong to two appointments: cancel the one that is an error under its own name, "
    "and send the other with its own names only"
)
