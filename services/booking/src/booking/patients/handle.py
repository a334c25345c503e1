"""Who patients are: registered by a client, or described by a booking; each story runs inside one transaction.

Locks are taken in booking's order: patient identities, patients, the counters of main files; each sorted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from booking.patients.domain import main_files
from booking.patients.domain.details import KeptDetails
from booking.patients.domain.patient import PatientState, completed, flag_changes
from booking.patients.domain.registrations import Outcome, Registered, Registration, Registrations
from booking.safety.domain import Cause, FlagChange
from booking.values.identity import Identity, PatientKey
from booking.values.refusals import Refused
from chassis.postgres.after_commit import after_commit
from chassis.process.errors import Unavailable
from schemas.appointments import Appointment
from schemas.planning import plan


def still_to_come(version: Appointment, now: datetime) -> int:
    """Return how many reminders of a visit leave after `now` if nothing changes."""
    return sum(reminder.reason is None and reminder.due > now for reminder in plan(version))


log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rules:
    """The installation's choices.

    Attributes:
        organisation_zone: Where the year of a main-file number begins (D4).
        register_on_booking: Whether a booking registers an unknown patient (D5).
    """

    organisation_zone: str = "UTC"
    register_on_booking: bool = False


class PatientStore(Protocol):
    """Patients as one transaction sees them. Every method is set-based and sorted by key."""

    async def mint_patients(
        self, identities: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        """Return the patients' ids, made if missing, and which were made."""

    async def name_patients(
        self, strangers: Collection[Identity], further: Mapping[Identity, PatientKey]
    ) -> Mapping[Identity, UUID]:
        """Make patients of these first names, give further names to them and to known ones; return the new ids.

        Raises:
            Unavailable: IDENTITY_RACE: another batch made one of these names meanwhile; the same again sees it.
        """

    async def forget_patients(self, identities: Collection[Identity]) -> None:
        """Remove patients made in this transaction for registrations that were refused."""

    async def lock_patients(self, patient_ids: Collection[UUID]) -> Mapping[UUID, PatientState]:
        """Lock the patients' rows and return them."""

    async def lock_counters(self, years: Collection[int]) -> None:
        """Lock the counters of main files of these years; the earliest first."""

    async def numbers_taken(self, numbers: Collection[str]) -> Collection[str]:
        """Return which of these main-file numbers belong to somebody, under their counters' lock."""

    async def free_numbers(self, year: int, count: int, claimed: Collection[str] = ()) -> Sequence[str]:
        """Issue the next main-file numbers of the year, none of those claimed, under the counter's lock.

        Fewer than `count` if the year has no more.
        """

    async def visited(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
        """Return the clinics of their visits, and of those of the files merged into theirs; errors do not count."""

    async def reminded(
        self, patient_ids: Collection[UUID], now: datetime
    ) -> Mapping[UUID, Sequence[Appointment]] | None:
        """Return the versions of visits ahead by which patients are reminded, those of files merged into theirs too.

        None if they are more than are counted in passing.
        """

    async def write_patients(
        self, patients: Sequence[PatientState], flags: Sequence[FlagChange], now: datetime
    ) -> None:
        """Write registered patients, keep which of their flags changed, and put them into the outbox."""


async def register_people(
    store: PatientStore, registrations: Sequence[Registration], now: datetime, rules: Rules
) -> list[Outcome]:
    """Register patients, or change them, to be as told; answer each, in order.

    Of one who is told of several times the last word counts, and all of them are one version. What is refused
    leaves nothing; the same again changes nothing.

    Args:
        registrations: What is told, each already allowed to speak for its source.

    Returns:
        For each the patient, or a refusal: FOREIGN_PATIENT, MAIN_FILE_TAKEN, MAIN_FILE_FIXED, MAIN_FILE_EXHAUSTED.

    Raises:
        Unavailable: KEY_RACE: a patient was merged meanwhile; the same again sees it.
    """
    ids, made = await store.mint_patients({registration.identity for registration in registrations})
    held = await _locked(store, set(ids.values()))
    year = main_files.year_of(now, rules.organisation_zone)
    new = [r for r in registrations if not held[ids[r.identity]].is_registered]
    brought = {r.told.main_file for r in new if r.told.main_file is not None}
    if new:
        await store.lock_counters({year} | {main_files.year_in(number) for number in brought})
    limited = {ids[r.identity] for r in registrations if r.client.is_limited}
    people = Registrations(
        ids,
        held,
        taken=await store.numbers_taken(brought) if brought else (),
        visited=await store.visited(limited) if limited else {},
    )
    taken = [people.take(registration) for registration in registrations]
    if without := len(people.without_number):
        people.number(await store.free_numbers(year, without, people.claimed))
    changed = people.changed()
    if changed:
        await store.write_patients(list(changed.values()), people.flags, now)
    if unused := [identity for identity in made if ids[identity] not in people.people]:
        await store.forget_patients(sorted(unused))
    final = people.people | changed
    ended = await _reminders_ended(store, held, changed, now)
    return [_outcome(one, final, held, ended) for one in taken]


async def _reminders_ended(
    store: PatientStore, held: Mapping[UUID, PatientState], changed: Mapping[UUID, PatientState], now: datetime
) -> Mapping[UUID, int | None]:
    """Return how many reminders each loses to whom no message may go from now on (D44, R14); None: very many."""
    barred = [key for key, person in changed.items() if person.barred is not None and held[key].barred is None]
    found = await store.reminded(barred, now) if barred else {}
    if found is None:
        return dict.fromkeys(barred)
    return {key: sum(still_to_come(version, now) for version in found.get(key, ())) for key in barred}


def _outcome(
    taken: UUID | Refused,
    final: Mapping[UUID, PatientState],
    held: Mapping[UUID, PatientState],
    ended: Mapping[UUID, int | None],
) -> Outcome:
    if isinstance(taken, Refused):
        return taken
    if taken not in final:
        return main_files.exhausted()
    return Registered(final[taken], held[taken].version, ended.get(taken, 0))


async def name_people(
    store: PatientStore, strangers: Collection[Identity], further: Mapping[Identity, PatientKey], met: Collection[UUID]
) -> Mapping[Identity, UUID]:
    """Make patients and give names to them and to known ones; return the ids of the new ones by their first names.

    Known ones are locked, with `met`, whom the batch may lock later: who is merged meanwhile takes no name.

    Raises:
        Unavailable: KEY_RACE, IDENTITY_RACE: somebody was merged or named meanwhile; the same again sees it.
    """
    made = await store.name_patients(strangers, further)
    await _locked(store, {owner for owner in further.values() if isinstance(owner, UUID)}.union(met))
    return made


async def complete_people(
    store: PatientStore,
    described: Sequence[tuple[UUID, KeptDetails, Cause]],
    mentioned: Collection[UUID],
    now: datetime,
    rules: Rules,
) -> None:
    """Register or complete patients by what bookings say of them; what they do not say stays (D5, D51).

    When the year's numbers are all issued, those who have none stay unregistered and the bookings go on (R7).

    Args:
        mentioned: Further patients to be registered, of whom nothing is said.
    """
    held = await _locked(store, {patient for patient, _, _ in described}.union(mentioned))
    told, flags = dict(held), list[FlagChange]()
    for key, details, cause in described:
        before, told[key] = told[key], completed(told[key], details)
        flags += flag_changes(before, told[key], cause)
    if new := sorted(key for key in told if not held[key].is_registered):
        year = main_files.year_of(now, rules.organisation_zone)
        numbers = await store.free_numbers(year, len(new))
        told |= {key: replace(told[key], main_file=number) for key, number in zip(new, numbers, strict=False)}
        if left := new[len(numbers) :]:
            told = {key: person for key, person in told.items() if key not in left}
            after_commit(log.warning, "patients.main_file_exhausted", year=year, unregistered=len(left))
    changed = [replace(p, version=p.version + 1) for key, p in sorted(told.items()) if p != held[key]]
    if changed:
        await store.write_patients(changed, [change for change in flags if UUID(change.subject) in told], now)
        created = sum(patient.version == 1 for patient in changed)
        after_commit(log.info, "patients.registered", count=created, changed=len(changed))


async def _locked(store: PatientStore, patient_ids: Collection[UUID]) -> Mapping[UUID, PatientState]:
    held = await store.lock_patients(patient_ids)
    if any(patient.merged_into is not None for patient in held.values()):
        raise Unavailable("KEY_RACE", "a patient was merged into another meanwhile")
    return held
