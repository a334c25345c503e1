"""What clients tell of patients, whole, folded in the order given: who each is then, or why not (D4, D5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from booking.door.domain import Client
from booking.patients.domain.patient import PATIENT_FLAGS, PatientState, flag_changes
from booking.safety.domain import Cause, FlagChange
from booking.values.identity import Identity
from booking.values.refusals import Refused, check_version
from booking.values.warned import NO_CONTACT, NO_NAME, UNKNOWN_PATIENT, Warned


class Registration(NamedTuple):
    """What is told of one patient; he keeps the id that bookings gave him.

    Attributes:
        identity: (source, source's id).
        told: Everything of him but his flags, under no id; `main_file` only if upstream issued one.
        flags: Those that are named (D51); a patient who is not known yet has the others by default.
        fields: Those of `told` that are told, the others stay as they are; None: all.
        version: On which it was decided; None: whatever is held may be changed.
        warnings: What is said of the body.
        only_known: Somebody who is not registered stays so.
        only_new: Somebody who is registered stays as he is.
        language_otherwise: That of one whose language nobody ever told.
    """

    identity: Identity
    told: PatientState
    flags: Mapping[str, bool]
    client: Client
    fields: frozenset[str] | None = None
    version: int | None = None
    warnings: tuple[Warned, ...] = ()
    only_known: bool = False
    only_new: bool = False
    language_otherwise: str | None = None

    def onto(self, held: PatientState) -> PatientState:
        """Return the patient as he is told, and as he is held where nothing is told."""
        fields = {name: getattr(self.told, name) for name in self.fields or ()}
        told = self.told if self.fields is None else replace(held, **fields)
        if told.language is None and self.language_otherwise is not None:
            told = replace(told, language=self.language_otherwise)
        return told if told.mobile or told.email else replace(told, contact_of=None)

    @property
    def cause(self) -> Cause:
        """Why something of the patient changes."""
        return Cause(self.client.client_id, f"{self.client.client_id}/registration")


class Registered(NamedTuple):
    """A patient as he is now.

    Attributes:
        before: His version before: the same if nothing changed, 0 if he was never registered.
        reminders_cancelled: How many reminders of his visits ahead this takes back, by a flag by which no message may
            go to him from now on; None where the transaction's visits are too many to be counted in passing.
    """

    patient: PatientState
    before: int
    reminders_cancelled: int | None = 0

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What he lacks for messages to reach him and to greet him."""
        patient, said = self.patient, list[str]()
        if not (patient.given_name or patient.family_name):
            said.append(NO_NAME)
        if not (patient.mobile or patient.email) and patient.barred is None:
            said.append(NO_CONTACT)
        return tuple(map(Warned, said))

    @property
    def changed(self) -> bool:
        """Whether he is in another version now."""
        return self.patient.version != self.before


type Outcome = Registered | Refused


@dataclass(slots=True)
class Registrations:
    """Folds registrations on top of what is held.

    Attributes:
        held: Patient → as he is, under his lock.
        taken: Main files, of those that the batch brings along, which somebody has.
        visited: Patient → the clinics of his visits, for those whom a client of few clinics tells of.
        claimed: Main files that patients of this batch brought along and have now.
    """

    ids: Mapping[Identity, UUID]
    held: Mapping[UUID, PatientState]
    taken: Collection[str]
    visited: Mapping[UUID, Collection[str]]
    people: dict[UUID, PatientState] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)
    flags: list[FlagChange] = field(default_factory=list)

    def take(self, registration: Registration) -> UUID | Refused:
        """Take what is told of one patient; return him, or why it is not taken."""
        try:
            return self._taken(registration)
        except Refused as refusal:
            return refusal

    def _taken(self, registration: Registration) -> UUID:
        key = self.ids[registration.identity]
        person = self.people.get(key, self.held[key])
        if registration.only_known and not person.is_registered and key not in self.people:
            raise Refused(UNKNOWN_PATIENT, "nobody of this name is registered", "id")
        if registration.only_new and person.is_registered:
            return key
        told = registration.onto(person)
        registration.client.check_may_write(self.visited.get(key, ()), "id")
        check_version(registration.version, person.version + (person != self.held[key]))
        if registration.fields and "main_file" in registration.fields and told.main_file is None and person.main_file:
            raise Refused("MAIN_FILE_FIXED", "a patient keeps his main file", "main_file")
        if told.main_file not in {None, person.main_file}:
            if person.main_file is not None:
                raise Refused("MAIN_FILE_FIXED", "this patient has another main file", "main_file")
            if told.main_file in self.taken or told.main_file in self.claimed:
                raise Refused("MAIN_FILE_TAKEN", "another patient has this main file", "main_file")
            self.claimed.add(told.main_file or "")
        number = told.main_file or person.main_file
        flags = {flag: registration.flags.get(flag, getattr(person, flag)) for flag in PATIENT_FLAGS}
        self.people[key] = replace(told, patient_id=key, main_file=number, version=person.version, **flags)
        self.flags += flag_changes(person, self.people[key], registration.cause)
        return key

    @property
    def without_number(self) -> Sequence[UUID]:
        """Those who are to have the next numbers, in this order."""
        return [key for key, person in self.people.items() if person.main_file is None]

    def number(self, numbers: Sequence[str]) -> None:
        """Give the next numbers out; whoever is left without one is not registered."""
        without = self.without_number
        for key, number in zip(without, numbers, strict=False):
            self.people[key] = replace(self.people[key], main_file=number)
        for key in without[len(numbers) :]:
            del self.people[key]
        self.flags = [change for change in self.flags if UUID(change.subject) in self.people]

    def changed(self) -> dict[UUID, PatientState]:
        """Return those who are to be written, in their next version."""
        return {
            key: replace(person, version=person.version + 1)
            for key, person in sorted(self.people.items())
            if person != self.held[key]
        }
