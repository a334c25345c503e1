"""Which bookings open a sub-file, and what is in it (R1-R6, D1-D6). Pure: no I/O, no clock."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from schemas.appointments import NOT_YET_BOOKED, Status
from schemas.lean_models import AppointmentReading
from schemas.subfiles import SubFileStatus
from schemas.wire import event_id, sub_file_id

LAST_ORDINAL = 99
"""NN has two digits, and never more (D2)."""

_ONLY_IF_EVER_BOOKED = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})

Pair = tuple[str, str]
"""(patient_id, clinic_id): what may have one open sub-file."""


class OrdinalOverflow(ValueError):
    """A patient has used up all ordinals at a clinic (D2)."""


class Versioned(Protocol):
    """An event that carries its entity's version."""

    @property
    def version(self) -> int:
        """1, 2, 3… of the entity."""


@dataclass(frozen=True, slots=True)
class PatientSnapshot:
    """A patient's snapshot: his main file, and nothing personal. `event_id` is the snapshot's own."""

    patient_id: str
    version: int
    main_file: str
    merged_into: str | None
    event_id: str


@dataclass(frozen=True, slots=True)
class ProviderSnapshot:
    """A provider's snapshot: he is known from now on. `event_id` is the snapshot's own."""

    provider_id: str
    version: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Erased:
    """A tombstone: the entity under this key is to be forgotten."""

    entity_id: str


@dataclass(frozen=True, slots=True)
class Folded[E]:
    """What a batch comes to when folded over the versions held.

    Attributes:
        applied: Events above the version held when their turn came, in order.
        repeat: Places of those that carried exactly the version held.
    """

    applied: Sequence[E]
    repeat: Sequence[int]
    stale: Sequence[int]


@dataclass(frozen=True, slots=True)
class SubFile:
    """A patient's file at one clinic.

    Attributes:
        provider_id: The provider assigned; None until one is known (D6).
    """

    sub_file_id: str
    version: int
    status: SubFileStatus
    number: str | None
    patient_id: str
    clinic_id: str
    ordinal: int
    provider_id: str | None
    wanted_provider_id: str | None
    appointment_id: str
    caused_by: str


def newest[E: Versioned](events: Iterable[tuple[int, str, E]]) -> dict[str, E]:
    """Return the highest version of each entity; the first of equals wins."""
    found: dict[str, E] = {}
    for _, entity, event in events:
        other = found.get(entity)
        if other is None or other.version < event.version:
            found[entity] = event
    return found


def fold[E: Versioned](events: Iterable[tuple[int, str, E]], held: Mapping[str, int]) -> Folded[E]:
    """Return which events take effect, in order, given the versions held before.

    Args:
        events: (place in the batch, entity, event) in the order of the topic.
        held: Version held of each entity; absent means none.
    """
    current = dict(held)
    applied: list[E] = []
    repeat: list[int] = []
    stale: list[int] = []
    for place, entity, event in events:
        known, version = current.get(entity, 0), event.version
        if version > known:
            current[entity] = version
            applied.append(event)
        elif version == known:
            repeat.append(place)
        else:
            stale.append(place)
    return Folded(applied, repeat, stale)


def is_opening(event: AppointmentReading) -> bool:
    """Say whether this version is of a visit that was booked (D3).

    Proposals, requests and waitlist entries are not. A cancelled or mistaken one is only if it had
    been booked before: then its booking counts, even if that version never reached us.
    """
    status = event.status
    if status is Status.BOOKED:
        return True
    if status in _ONLY_IF_EVER_BOOKED:
        return event.first_booked_at is not None
    return status not in NOT_YET_BOOKED


def openings(applied: Iterable[AppointmentReading]) -> dict[Pair, list[AppointmentReading]]:
    """Return, for each patient and clinic, the events that may open or complete its sub-file, in order."""
    found: dict[Pair, list[AppointmentReading]] = {}
    for event in applied:
        if is_opening(event):
            found.setdefault((event.patient_id, event.clinic_id), []).append(event)
    return found


def sub_file_number(main_file: str, clinic_id: str, ordinal: int) -> str:
    """Return `FILE-YYYY-NNNNNN-CLINIC-NN` (R4)."""
    if not 1 <= ordinal <= LAST_ORDINAL:
        raise OrdinalOverflow(f"ordinal {ordinal} at clinic {clinic_id} does not fit two digits")
    return f"{main_file}-{clinic_id}-{ordinal:02d}"


def settle(
    pair: Pair,
    events: Sequence[AppointmentReading],
    existing: SubFile | None,
    main_file: str | None,
    known_providers: Container[str],
    *,
    replace_closed: bool = False,
) -> SubFile | None:
    """Return the sub-file as it is after these events, or None if they change nothing.

    The first event opens it when there is none: ACTIVE with a number if the patient has a main file
    (R2, R6), else PARKED (D5). An existing one is left alone (R3) but for an empty provider (D6).
    Its version rises with what the world can see; a mere wish for a provider is not that.

    Args:
        replace_closed: Policy: a booking after the last sub-file was closed opens the next (D1).
    """
    if existing is None:
        ordinal = 1
    elif existing.status is SubFileStatus.CLOSED:
        if not replace_closed:
            return None
        ordinal = existing.ordinal + 1
    else:
        return _completed(existing, events, known_providers)
    file = open_sub_file(pair, ordinal, main_file, events[0], known_providers)
    for event in events[1:]:
        file = assign_provider(file, event, known_providers)
    return file


def open_sub_file(
    pair: Pair, ordinal: int, main_file: str | None, event: AppointmentReading, known_providers: Container[str]
) -> SubFile:
    """Return a new sub-file for this event, parked if there is no main file (D5)."""
    patient_id, clinic_id = pair
    number = sub_file_number(main_file or "", clinic_id, ordinal)
    provider = event.provider_id
    return SubFile(
        sub_file_id=str(sub_file_id(patient_id, clinic_id, ordinal)),
        version=1,
        status=SubFileStatus.ACTIVE if main_file else SubFileStatus.PARKED,
        number=number if main_file else None,
        patient_id=patient_id,
        clinic_id=clinic_id,
        ordinal=ordinal,
        provider_id=provider if provider in known_providers else None,
        wanted_provider_id=provider,
        appointment_id=event.appointment_id,
        caused_by=cause(event),
    )


def assign_provider(file: SubFile, event: AppointmentReading, known_providers: Container[str]) -> SubFile:
    """Return the sub-file with this event's provider if its place is empty (R5, D6).

    A provider of whom nothing is known yet is only wanted. The wish of the appointment that opened
    the file may change until it is met; another appointment's counts only while there is none.
    """
    provider = event.provider_id
    if provider is None or file.provider_id is not None:
        return file
    if provider in known_providers:
        return replace(file, provider_id=provider, wanted_provider_id=provider, caused_by=cause(event))
    if file.wanted_provider_id is None or file.appointment_id == event.appointment_id:
        return replace(file, wanted_provider_id=provider)
    return file


def _completed(held: SubFile, events: Sequence[AppointmentReading], known: Container[str]) -> SubFile | None:
    """Return the held sub-file with what these events add to it, or None if that is nothing."""
    file = held
    for event in events:
        file = assign_provider(file, event, known)
    if file.provider_id != held.provider_id:
        return replace(file, version=held.version + 1)
    return None if file == held else file


def complete(file: SubFile, main_file: str, caused_by: str) -> SubFile:
    """Return a parked sub-file completed with the patient's main file (D5)."""
    return replace(
        file,
        version=file.version + 1,
        status=SubFileStatus.ACTIVE,
        number=sub_file_number(main_file, file.clinic_id, file.ordinal),
        caused_by=caused_by,
    )


def fill_provider(file: SubFile, caused_by: str) -> SubFile:
    """Return a sub-file whose wanted provider has become known (D6)."""
    return replace(file, version=file.version + 1, provider_id=file.wanted_provider_id, caused_by=caused_by)


def cause(event: AppointmentReading) -> str:
    """Return the id of the event that carried this version."""
    return str(event_id(event.appointment_id, event.version))
