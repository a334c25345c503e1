"""What clients tell of patients, whole, folded in the order given: who each is then, or why not (D4, D5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from booking.domain.batch import Identity
from booking.domain.people import PatientState
from booking.domain.refusals import Refused


class Registration(NamedTuple):
    """What is told of one patient; he keeps the id that bookings gave him.

    Attributes:
        identity: (source, source's id).
        told: Everything of him, under no id; `main_file` only if upstream issued one.
    """

    identity: Identity
    told: PatientState


class Registered(NamedTuple):
    """A patient as he is now.

    Attributes:
        patient: The patient.
        before: His version before: the same if nothing changed, 0 if he was never registered.
    """

    patient: PatientState
    before: int

    @property
    def changed(self) -> bool:
        """Whether he is in another version now."""
        return self.patient.version != self.before


type Outcome = Registered | Refused


@dataclass(slots=True)
class Registrations:
    """Folds registrations on top of what is held.

    Attributes:
        ids: Identity → patient.
        held: Patient → as he is, under his lock.
        taken: Main files, of those that the batch brings along, which somebody has.
        people: Patient → as told so far.
        claimed: Main files that patients of this batch brought along and have now.
    """

    ids: Mapping[Identity, UUID]
    held: Mapping[UUID, PatientState]
    taken: Collection[str]
    people: dict[UUID, PatientState] = field(default_factory=dict)
    claimed: set[str] = field(default_factory=set)

    def take(self, registration: Registration) -> UUID | Refused:
        """Take what is told of one patient; return him, or why it is not taken."""
        key, told = self.ids[registration.identity], registration.told
        person = self.people.get(key, self.held[key])
        if told.main_file not in {None, person.main_file}:
            if person.main_file is not None:
                return Refused("MAIN_FILE_FIXED", "this patient has another main file", "main_file")
            if told.main_file in self.taken or told.main_file in self.claimed:
                return Refused("MAIN_FILE_TAKEN", "another patient has this main file", "main_file")
            self.claimed.add(told.main_file or "")
        number = told.main_file or person.main_file
        self.people[key] = replace(told, patient_id=key, main_file=number, version=person.version)
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

    def changed(self) -> dict[UUID, PatientState]:
        """Return those who are to be written, in their next version."""
        return {
            key: replace(person, version=person.version + 1)
            for key, person in sorted(self.people.items())
            if person != self.held[key]
        }
