"""Which visit and which patient a sender means, of whom he says several names; pure."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from booking.formats.clearances.told import ToldClearance
from booking.values.identity import Identity
from booking.values.refusals import IDENTITY_CONFLICT, UNKNOWN_APPOINTMENT, Refused


def visits_named(told: Iterable[ToldClearance]) -> set[Identity]:
    """Return every name under which the visits may be kept."""
    return {(one.source, each) for one in told for name in one.visits for each in _spelt(name, "Appointment")}


def patients_named(told: Iterable[ToldClearance]) -> set[Identity]:
    """Return every name under which the patients may be kept."""
    return {(one.source, each) for one in told for name in one.patients for each in _spelt(name, "Patient")}


def meant(told: ToldClearance, visits: Mapping[Identity, UUID], patients: Mapping[Identity, UUID]) -> ToldClearance:
    """Return the same of the visit and the patient by our own ids; of a patient whom nobody knows by the first name.

    Args:
        visits: Of the names that `visits_named` asks for, those that are known.
        patients: Of those that `patients_named` asks for, of merged ones who is kept.

    Raises:
        Refused: UNKNOWN_APPOINTMENT, IDENTITY_CONFLICT.
    """
    found = list(dict.fromkeys(_known(told.source, told.visits, "Appointment", visits)))
    if not found:
        raise Refused(
            UNKNOWN_APPOINTMENT, "nobody booked this visit yet: send it again when it is there", "appointment"
        )
    if len(found) > 1:
        raise Refused(IDENTITY_CONFLICT, "these are the names of two visits", "appointment")
    whose = list(dict.fromkeys(_known(told.source, told.patients, "Patient", patients)))
    if len(whose) > 1:
        raise Refused(IDENTITY_CONFLICT, "these are the names of two patients", "patient")
    return told.of(found[0], str(whose[0]) if whose else told.command.patient)


def _known(source: str, names: Iterable[str], kind: str, known: Mapping[Identity, UUID]) -> Iterator[UUID]:
    for name in names:
        found = next((known[source, each] for each in _spelt(name, kind) if (source, each) in known), None)
        if found is not None:
            yield found


def _spelt(name: str, kind: str) -> tuple[str, ...]:
    """Return how a name may be kept, as it is first: an id is one with its type before it, and without."""
    bare = name.removeprefix(f"{kind}/")
    return (name, bare) if bare != name else (name, f"{kind}/{name}")
