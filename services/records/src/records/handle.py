"""What becomes of each topic's events: one story a topic, a batch at a time, safe to repeat.

Every story runs inside the batch's transaction and takes its locks in one order (appointments,
patients, providers, sub-files; each sorted), so that two batches never wait for each other in a ring.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from chassis.delivery.consumer import Applied
from chassis.postgres.after_commit import after_commit
from chassis.process.errors import RejectedEvent
from records.domain import (
    Erased,
    OrdinalOverflow,
    Pair,
    PatientSnapshot,
    ProviderSnapshot,
    SubFile,
    complete,
    fill_provider,
    fold,
    newest,
    openings,
    settle,
)
from schemas.lean_models import AppointmentReading
from schemas.subfiles import SubFileStatus

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_WARNING = 20
"""Enough to start looking with; the rest is in the read API."""


class Store(Protocol):
    """The records as one transaction sees them. Every method is set-based and sorted by key."""

    async def keep_appointments(self, events: Collection[AppointmentReading]) -> Mapping[str, int]:
        """Keep each version that is above the one held; return the versions held before."""

    async def unsettled(self, pairs: Collection[Pair], *, closed_too: bool) -> Collection[Pair]:
        """Return the pairs that have no sub-file, or one that bookings may still change."""

    async def lock_patients(self, patient_ids: Collection[str]) -> Mapping[str, str]:
        """Lock the patients' rows, made if missing; return the main files of those who have one."""

    async def lock_providers(self, provider_ids: Collection[str]) -> Collection[str]:
        """Return the known ones; the others' rows, made if missing, are locked against becoming known."""

    async def sub_files(self, pairs: Collection[Pair]) -> Mapping[Pair, SubFile]:
        """Return each pair's newest sub-file, locked."""

    async def parked(self, patient_ids: Collection[str]) -> Sequence[SubFile]:
        """Return the patients' parked sub-files, locked."""

    async def wanting(self, provider_ids: Collection[str]) -> Sequence[SubFile]:
        """Return the sub-files that wait for these providers, locked."""

    async def keep_patients(self, events: Collection[PatientSnapshot]) -> Mapping[str, int]:
        """Keep each version that is above the one held; return the versions held before."""

    async def keep_providers(self, events: Collection[ProviderSnapshot]) -> Mapping[str, int]:
        """Keep each version that is above the one held; return the versions held before."""

    async def erase_patients(self, patient_ids: Collection[str]) -> None:
        """Forget these patients' main files."""

    async def insert(self, files: Sequence[SubFile], now: datetime) -> None:
        """Insert new sub-files, created `now` (domain time)."""

    async def update(self, files: Sequence[SubFile]) -> None:
        """Write what may change in existing sub-files."""

    async def publish(self, files: Sequence[SubFile], now: datetime) -> None:
        """Put these versions into the outbox, as changed `now` (domain time)."""


async def on_appointments(
    store: Store, events: Sequence[AppointmentReading], now: datetime, *, replace_closed: bool = False
) -> Applied:
    """Open a sub-file for each patient and clinic that is booked for the first time (R1-R8).

    Raises:
        RejectedEvent: SUB_FILE_ORDINAL_OVERFLOW: the number would not fit (D2).
    """
    keyed = [(place, event.appointment_id, event) for place, event in enumerate(events)]
    folded = fold(keyed, await store.keep_appointments(newest(keyed).values()))
    asked = openings(folded.applied)
    if asked:
        waiting = await store.unsettled(asked, closed_too=replace_closed)
        if waiting:
            await _settle_all(store, {pair: asked[pair] for pair in waiting}, now, replace_closed=replace_closed)
    return Applied(folded.repeat, folded.stale)


async def on_patients(store: Store, events: Sequence[PatientSnapshot | Erased], now: datetime) -> Applied:
    """Complete the parked sub-files of every patient whose main file has come (D5); link merges (D44)."""
    keyed = [
        (place, event.patient_id, event) for place, event in enumerate(events) if isinstance(event, PatientSnapshot)
    ]
    last = {_patient(event): event for event in events}
    erased = {patient for patient, event in last.items() if isinstance(event, Erased)}
    folded = fold(keyed, await store.keep_patients(newest(keyed).values()))
    await store.erase_patients(erased)
    arrived = {event.patient_id: event for event in folded.applied if event.patient_id not in erased}
    if arrived:
        completed = [
            complete(file, arrived[file.patient_id].main_file, arrived[file.patient_id].event_id)
            for file in await store.parked(arrived)
        ]
        await _change(store, completed, "sub_files.completed", now)
    return Applied(folded.repeat, folded.stale)


async def on_providers(store: Store, events: Sequence[ProviderSnapshot | Erased], now: datetime) -> Applied:
    """Assign every provider who has become known to the sub-files that wait for him (D6).

    A tombstone changes nothing: a file keeps the provider it was given.
    """
    keyed = [
        (place, event.provider_id, event) for place, event in enumerate(events) if isinstance(event, ProviderSnapshot)
    ]
    folded = fold(keyed, await store.keep_providers(newest(keyed).values()))
    arrived = {event.provider_id: event for event in folded.applied}
    if arrived:
        filled = [
            fill_provider(file, arrived[file.wanted_provider_id].event_id)
            for file in await store.wanting(arrived)
            if file.wanted_provider_id is not None
        ]
        await _change(store, filled, "sub_files.provider_assigned", now)
    return Applied(folded.repeat, folded.stale)


async def _settle_all(
    store: Store,
    asked: Mapping[Pair, Sequence[AppointmentReading]],
    now: datetime,
    *,
    replace_closed: bool,
) -> None:
    """Open or complete the pairs' sub-files, under the locks that make the decision safe."""
    main_files = await store.lock_patients({patient for patient, _ in asked})
    known = await store.lock_providers(
        {event.provider_id for events in asked.values() for event in events if event.provider_id is not None}
    )
    existing = await store.sub_files(asked)
    opened: list[SubFile] = []
    changed: list[SubFile] = []
    for pair, events in asked.items():
        held = existing.get(pair)
        try:
            file = settle(pair, events, held, main_files.get(pair[0]), known, replace_closed=replace_closed)
        except OrdinalOverflow as overflow:
            raise RejectedEvent("SUB_FILE_ORDINAL_OVERFLOW", str(overflow)) from overflow
        if file is not None:
            new = held is None or held.sub_file_id != file.sub_file_id
            (opened if new else changed).append(file)
    if opened:
        await store.insert(opened, now)
        await store.publish(opened, now)
        _log_opened(opened)
    visible = [file for file in changed if file.version != existing[file.patient_id, file.clinic_id].version]
    if changed:
        await store.update(changed)
        await store.publish(visible, now)


async def _change(store: Store, files: Sequence[SubFile], what: str, now: datetime) -> None:
    if not files:
        return
    await store.update(files)
    await store.publish(files, now)
    after_commit(log.info, what, count=len(files), sub_file_ids=_some_ids(files))


def _log_opened(opened: Sequence[SubFile]) -> None:
    """Log what a batch opened, and warn of those without a main file (R7, R9)."""
    parked = [file for file in opened if file.status is SubFileStatus.PARKED]
    after_commit(log.info, "sub_files.opened", count=len(opened), parked=len(parked))
    if parked:
        after_commit(
            log.warning,
            "sub_files.parked",
            count=len(parked),
            sub_file_ids=_some_ids(parked),
            appointment_ids=[file.appointment_id for file in parked[:IDS_PER_WARNING]],
            hint="no main file yet; completed as soon as the patient is registered",
        )


def _some_ids(files: Iterable[SubFile]) -> list[str]:
    return [file.sub_file_id for file, _ in zip(files, range(IDS_PER_WARNING), strict=False)]


def _patient(event: PatientSnapshot | Erased) -> str:
    return event.patient_id if isinstance(event, PatientSnapshot) else event.entity_id
