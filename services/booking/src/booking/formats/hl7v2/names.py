"""By which names a message's visit and patient are known: each with who gave it, the best first."""

import re
from collections.abc import Iterator

from booking.formats.hl7v2.segments import Message, Segment, path_of
from booking.profiles.domain import PatientKnobs
from booking.values.kept_names import kept_names
from booking.values.refusals import Refused
from booking.values.warned import Details

_GIVEN_BY = {"SCH-1": "placer", "SCH-2": "filler"}
_NHS = "NHS"
_EXTERNAL = "PID-2"
"""Where old feeds keep the national number; elsewhere the same as PID-3, or another person's count."""
_NOT_OF_PEOPLE = frozenset({"AN", "ACSN", "VN", "DL", "SS"})
"""Types of accounts and visits, and numbers that are not a patient's name wherever there is another."""


_NOBODY = re.compile(r"0(?:[\s-]*0){3,}|UNKNOWN|UNK|NONE|NULL|NIL|N/?A|TB[AD]", re.IGNORECASE)
"""What stands for a number that somebody has not: by it everybody would be the same patient."""


def visit_names(message: Message, paths: tuple[str, ...], details: Details) -> tuple[str, ...]:
    """Return the visit's names: `filler|ID`, with the assigner `filler|NS|ID`; of one of a series `…#2`.

    Raises:
        Refused: NO_SCH; SEVERAL_APPOINTMENTS; NO_APPOINTMENT_ID.
    """
    schedules = message.all("SCH")
    if not schedules:
        raise Refused("NO_SCH", "nothing says which visit is meant: send SCH with its number", "SCH")
    if len({(one.text(1), one.text(2), one.text(3), one.text(11, 4)) for one in schedules}) > 1:
        raise Refused("SEVERAL_APPOINTMENTS", "one message is of one visit at one time: send one for each", "SCH")
    occurrence = schedules[0].text(3)
    suffix = f"#{occurrence}" if re.fullmatch(r"0*[1-9]\d*", occurrence, re.ASCII) else ""
    found: list[str] = []
    for path in paths:
        for name in _entity(message, path):
            found.append(f"{name}{suffix}")
            details.took("appointment", path, "hl7v2.appointment")
    if not found:
        raise Refused("NO_APPOINTMENT_ID", "neither the filler nor the placer gives the visit a number", "SCH-2")
    kept = kept_names(found, details, "SCH-2")
    if not kept:
        raise Refused("NO_APPOINTMENT_ID", "the visit's number cannot be kept", "SCH-2")
    return kept


def _entity(message: Message, path: str) -> Iterator[str]:
    where = path_of(path)
    for segment in message.all(where.segment)[:1]:
        identifier = segment.text(where.field, where.component, where.sub)
        assigner = segment.text(where.field, 2) or segment.text(where.field, 3)
        if identifier:
            given = _GIVEN_BY.get(path, path)
            yield "|".join((given, identifier) if assigner in {"", identifier} else (given, assigner, identifier))


def patient_names(person: Segment, knobs: PatientKnobs, today: str, details: Details) -> tuple[str, ...]:
    """Return the patient's names: `authority|id`, else the bare id; none if nothing names him.

    Of PID-2 the national number counts where PID-3 has none, and any other where PID-3 names nobody.

    Args:
        today: `YYYYMMDD`: what was valid until a day before it is no name any more.
    """
    found: list[tuple[tuple[int, int], str]] = []
    places: list[str] = []
    for path in knobs.fields:
        where = path_of(path)
        if where.segment != person.name:
            continue
        for one in range(person.repetitions(where.field)):
            read = _of_patient(person, where.field, one, knobs, today)
            if read is not None and (path != _EXTERNAL or not found or _is_missing_nhs(read[1], found)):
                found.append(read)
                places.append(path if not one else f"{path}[{one + 1}]")
    order = sorted(range(len(found)), key=lambda number: found[number][0])
    best = [found[number][1] for number in order]
    for number in order:
        details.took("patient", places[number], "hl7v2.patient")
    return kept_names(list(dict.fromkeys(best)), details, f"{person.name}-3")


def _is_missing_nhs(name: str, found: list[tuple[tuple[int, int], str]]) -> bool:
    return name.startswith(f"{_NHS}|") and not any(other.startswith(f"{_NHS}|") for _, other in found)


def _of_patient(
    person: Segment, field: int, repetition: int, knobs: PatientKnobs, today: str
) -> tuple[tuple[int, int], str] | None:
    """Return how good an identifier is, less is better, and its text; None if it names nobody."""
    identifier = person.text(field, 1, 1, repetition)
    authorities = [text for sub in (1, 2) if (text := person.text(field, 4, sub, repetition))]
    kind, until = person.text(field, 5, 1, repetition), person.text(field, 8, 1, repetition)
    is_over = until[:8].isdigit() and len(until) >= 8 and until[:8] < today
    if not identifier or is_over or _NOBODY.fullmatch(identifier):
        return None
    if knobs.authorities and not (mine := [knobs.authorities.index(a) for a in authorities if a in knobs.authorities]):
        return None
    if kind in knobs.types:
        rank = knobs.types.index(kind)
    elif kind in _NOT_OF_PEOPLE:
        return None
    else:
        rank = len(knobs.types)
    by_authority = mine[0] if knobs.authorities else 0
    return (by_authority, rank), f"{authorities[0]}|{identifier}" if authorities else identifier
