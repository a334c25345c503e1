"""One builder for each thing that records reads, and a store in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from records.domain import Pair, PatientSnapshot, ProviderSnapshot, SubFile
from schemas.appointments import Status
from schemas.lean_models import AppointmentReading
from schemas.subfiles import SubFileStatus

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_NAMES = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


def id_of(name: str) -> str:
    """Return the id that stands for a name in these tests."""
    return str(uuid5(_NAMES, name))


def seen(
    appointment: str = "visit",
    version: int = 1,
    status: Status = Status.BOOKED,
    *,
    patient: str = "ann",
    clinic: str = "EYE",
    provider: str | None = "dr who",
    ever_booked: bool = True,
) -> AppointmentReading:
    """Build one version of an appointment."""
    return AppointmentReading(
        appointment_id=id_of(appointment),
        version=version,
        status=status,
        patient_id=id_of(patient),
        clinic_id=clinic,
        provider_id=id_of(provider) if provider else None,
        first_booked_at="2026-11-24T09:00:00Z" if ever_booked else None,
    )


def registered(patient: str = "ann", version: int = 1, main_file: str = "FILE-2026-000007") -> PatientSnapshot:
    """Build a patient's snapshot."""
    return PatientSnapshot(id_of(patient), version, main_file, None, id_of(f"{patient} v{version}"))


def known(provider: str = "dr who", version: int = 1) -> ProviderSnapshot:
    """Build a provider's snapshot."""
    return ProviderSnapshot(id_of(provider), version, id_of(f"{provider} v{version}"))


@dataclass
class MemoryStore:
    """`handle.Store` in memory: the same promises, no locks."""

    appointments: dict[str, AppointmentReading] = field(default_factory=dict)
    patients: dict[str, PatientSnapshot] = field(default_factory=dict)
    providers: dict[str, ProviderSnapshot] = field(default_factory=dict)
    files: dict[str, SubFile] = field(default_factory=dict)
    published: list[SubFile] = field(default_factory=list)

    def only(self) -> SubFile:
        """Return the one sub-file there is."""
        (file,) = self.files.values()
        return file

    async def keep_appointments(self, events: Collection[AppointmentReading]) -> Mapping[str, int]:
        return _keep(self.appointments, [(event.appointment_id, event) for event in events])

    async def keep_patients(self, events: Collection[PatientSnapshot]) -> Mapping[str, int]:
        return _keep(self.patients, [(event.patient_id, event) for event in events])

    async def keep_providers(self, events: Collection[ProviderSnapshot]) -> Mapping[str, int]:
        return _keep(self.providers, [(event.provider_id, event) for event in events])

    async def erase_patients(self, patient_ids: Collection[str]) -> None:
        for patient in patient_ids:
            self.patients.pop(patient, None)

    async def unsettled(self, pairs: Collection[Pair], *, closed_too: bool) -> Collection[Pair]:
        held = await self.sub_files(pairs)
        return [pair for pair in pairs if _may_change(held.get(pair), closed_too)]

    async def lock_patients(self, patient_ids: Collection[str]) -> Mapping[str, str]:
        return {patient: self.patients[patient].main_file for patient in patient_ids if patient in self.patients}

    async def lock_providers(self, provider_ids: Collection[str]) -> Collection[str]:
        return {provider for provider in provider_ids if provider in self.providers}

    async def sub_files(self, pairs: Collection[Pair]) -> Mapping[Pair, SubFile]:
        by_ordinal = sorted(self.files.values(), key=lambda file: file.ordinal)
        return {(file.patient_id, file.clinic_id): file for file in by_ordinal}

    async def parked(self, patient_ids: Collection[str]) -> Sequence[SubFile]:
        return [
            file
            for file in self.files.values()
            if file.status is SubFileStatus.PARKED and file.patient_id in patient_ids
        ]

    async def wanting(self, provider_ids: Collection[str]) -> Sequence[SubFile]:
        return [
            file for file in self.files.values() if file.provider_id is None and file.wanted_provider_id in provider_ids
        ]

    async def insert(self, files: Sequence[SubFile], now: datetime) -> None:
        for file in files:
            assert file.sub_file_id not in self.files
            self.files[file.sub_file_id] = file

    async def update(self, files: Sequence[SubFile]) -> None:
        for file in files:
            assert file.sub_file_id in self.files
            self.files[file.sub_file_id] = file

    async def publish(self, files: Sequence[SubFile], now: datetime) -> None:
        self.published.extend(files)


def _keep[E: (AppointmentReading, PatientSnapshot, ProviderSnapshot)](
    held: dict[str, E], events: Sequence[tuple[str, E]]
) -> Mapping[str, int]:
    before = {entity: held[entity].version for entity, _ in events if entity in held}
    held.update({entity: event for entity, event in events if event.version > before.get(entity, 0)})
    return before


def _may_change(file: SubFile | None, closed_too: bool) -> bool:
    if file is None or file.provider_id is None:
        return True
    return closed_too and file.status is SubFileStatus.CLOSED
