"""Two files of one person: one is kept, the other linked to it, and the visits ahead go with the one kept (D44)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from booking.appointments.domain.state import AppointmentState
from booking.appointments.ports import VersionStore
from booking.door.domain import Client
from booking.patients.domain.patient import PatientState, flag_changes, safer
from booking.safety.domain import Cause, FlagChange
from booking.values.identity import Identity
from booking.values.refusals import NOT_REGISTERED, Refused
from chassis.process.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Merge:
    """What is to be merged.

    Attributes:
        identity: (source, source's id) of the patient who is merged away.
        into: The same of the one who is kept.
        client: Who asks for it; allowed to speak for both sources.
    """

    identity: Identity
    into: Identity
    client: Client
    reason: str | None

    @property
    def cause(self) -> Cause:
        """Why visits and flags change."""
        return Cause(self.client.client_id, f"{self.client.client_id}/merge/{self.identity[1]}")


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it."""

    patient: PatientState
    kept: PatientState
    appointments: int
    repeat: bool


class MergeStore(VersionStore, Protocol):
    """Booking's records as one transaction sees them."""

    async def patients(self, identities: Collection[Identity]) -> Mapping[Identity, UUID]:
        """Return the ids of patients mentioned before."""

    async def merged_away(self, identity: Identity, into: UUID) -> UUID | None:
        """Return who was merged into this patient under this identity before."""

    async def ahead_of(self, patient_id: UUID, now: datetime) -> Sequence[UUID]:
        """Return the patient's visits that are ahead or have no time yet, and are not called off, by their ids."""

    async def lock_patients(self, patient_ids: Collection[UUID]) -> Mapping[UUID, PatientState]:
        """Lock the patients' rows and return them."""

    async def visited(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
        """Return the clinics of their visits, and of those of the files merged into theirs; errors do not count."""

    async def write_patients(
        self, patients: Sequence[PatientState], flags: Sequence[FlagChange], now: datetime
    ) -> None:
        """Write registered patients, keep which of their flags changed, and put them into the outbox."""

    async def move_aliases(self, patient_id: UUID, into: UUID) -> None:
        """Let every identity of the one name the other."""

    async def link(self, patient: PatientState, merge: Merge, now: datetime) -> None:
        """Write the merge down, and the patient with his link; publish him if he was ever registered.

        What commits meanwhile under the name of the one, and does not say what bars messages to the other, is found
        when it has (D44, `reissues`).
        """


async def merge_patients(store: MergeStore, merge: Merge, now: datetime) -> Merged:
    """Merge; the same again is a repeat, which takes visits along that were booked meanwhile.

    Locks are taken in booking's order: appointments, then patients. What is not taken along, or commits while this
    runs, is the kept one's at the send gate, and in its next version. The one who is kept has the safer value of
    each flag of both.

    Raises:
        Refused: FOREIGN_PATIENT, UNKNOWN_PATIENT, SAME_PATIENT, NOT_REGISTERED, MERGED_AWAY.
        Unavailable: KEY_RACE: something of it changed meanwhile; the same again sees it.
    """
    away, into, repeat = await _who(store, merge)
    await _check_rights(store, merge, away, into)
    ids = await store.ahead_of(away, now)
    held = await store.lock(ids)
    both = await store.lock_patients([away, into])
    if await _who(store, merge) != (away, into, repeat) or list(await store.ahead_of(away, now)) != list(ids):
        raise Unavailable("KEY_RACE", "a patient was booked or merged meanwhile")
    kept, patient = both[into], both[away]
    if not kept.is_registered:
        raise Refused(NOT_REGISTERED, "the patient to be kept was never registered: merge the other way", "into")
    if kept.merged_into is not None:
        raise Refused("MERGED_AWAY", "the patient to be kept was merged into another: name that one", "into")
    if not repeat:
        patient = replace(patient, version=patient.version + int(patient.is_registered), merged_into=into)
        await store.link(patient, merge, now)
        await store.move_aliases(away, into)
        kept = await _made_safer(store, kept, patient, merge, now)
    count = await _take_along(store, held, kept, merge, now)
    return Merged(patient, kept, count, repeat)


async def _check_rights(store: MergeStore, merge: Merge, away: UUID, into: UUID) -> None:
    if merge.client.is_limited:
        visited = await store.visited([away, into])
        for place, patient in (("id", away), ("into", into)):
            merge.client.check_may_write(visited.get(patient, ()), place)


async def _made_safer(
    store: MergeStore, kept: PatientState, away: PatientState, merge: Merge, now: datetime
) -> PatientState:
    wanted = safer(kept, away)
    if wanted == kept:
        return kept
    wanted = replace(wanted, version=kept.version + 1)
    await store.write_patients([wanted], flag_changes(kept, wanted, merge.cause), now)
    return wanted


async def _who(store: MergeStore, merge: Merge) -> tuple[UUID, UUID, bool]:
    found = await store.patients([merge.identity, merge.into])
    for place, identity in (("id", merge.identity), ("into", merge.into)):
        if identity not in found:
            raise Refused("UNKNOWN_PATIENT", "no patient of this id was ever registered or booked", place)
    away, into = found[merge.identity], found[merge.into]
    if away != into:
        return away, into, False
    before = await store.merged_away(merge.identity, into)
    if before is None:
        raise Refused("SAME_PATIENT", "both are one patient already", "into")
    return before, into, True


async def _take_along(
    store: MergeStore, held: Mapping[UUID, AppointmentState], kept: PatientState, merge: Merge, now: datetime
) -> int:
    """Give the visits their next version, with the patient that is kept; their schedule stays as it is."""
    if not held:
        return 0
    states = {
        key: state._replace(
            version=state.version + 1,
            patient=kept.patient_id,
            event_time=now,
            ingest_time=now,
            caused_by=merge.cause.event,
            reason="the patient's files were merged",
        )
        for key, state in held.items()
    }
    clinics = await store.clinics({state.clinic_id for state in states.values() if state.clinic_id})
    await store.write_appointments(states)
    await store.publish_versions(sorted(states.items()), clinics)
    return len(states)
