"""What FHIR's resources about clearances have in common: which visit, whose, which times, and their reading."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from fhir.resources.R4B.identifier import Identifier
from fhir.resources.R4B.reference import Reference
from pydantic import BaseModel, ValidationError

from booking.clearances.domain.clearance import GiveClearance
from booking.door.strict_json import canonical_hash, event_json
from booking.formats.clearances.told import ToldClearance
from booking.formats.fhir_r4.lists import with_whole_lists
from booking.formats.fhir_r4.periods import begins, ends
from booking.formats.fhir_r4.pieces import parsed
from booking.formats.fhir_r4.references import Message
from booking.formats.port import Hints
from booking.values import texts
from booking.values.kept_names import kept_names
from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR
from booking.values.warned import Details, dropped

type Models = Mapping[str, type[BaseModel]]
"""By the release of FHIR: `R4`, `R5`."""


EARLIEST_ZONE = timedelta(hours=14)
"""How long before UTC a day begins where it begins first."""


class Inside(NamedTuple):
    """A resource that another one contains, as far as it names something."""

    kind: str
    id: str
    identifier: list[Identifier]
    raw: dict[str, Any]

    def get_resource_type(self) -> str:
        """Return its kind, as the resources of the library do."""
        return self.kind


@dataclass(frozen=True, slots=True)
class Read:
    """A resource that was read.

    Attributes:
        found: The library's resource, of the release's model.
        message: What it contains, by how references name it.
        details: What was dropped of it; further details are read through it.
        body_sha256: Of the body as it came.
    """

    kind: str
    release: str
    found: Any
    message: Message
    details: Details
    body_sha256: bytes
    hints: Hints


def read(
    body: bytes,
    kind: str,
    release: str,
    models: Models,
    hints: Hints,
    of_another: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> Read:
    """Return the resource in a body, without the details that are not valid, which are noted.

    Args:
        of_another: By release: which element tells that a resource is of another one, and how that is refused.

    Raises:
        Refused: WRONG_RESOURCE, FHIR_R4, FHIR_R5, INVALID_FHIR, UNKNOWN_MODIFIER.
    """
    value = event_json(body)
    digest, details = canonical_hash(value), Details()
    if not isinstance(value, dict) or value.get("resourceType") != kind:
        raise Refused("WRONG_RESOURCE", f"the body is no {kind} resource", "resourceType")
    modifier = next(_modifiers(value, kind), None)
    if modifier is not None:
        message = "an extension that may turn the meaning round, and is not known here: say it without"
        raise Refused("UNKNOWN_MODIFIER", message, modifier)
    element, code = of_another.get(release, ("", ""))
    if value.get(element) is not None:
        other = code.removeprefix("FHIR_")
        raise Refused(code, f"this is FHIR {other}: send it to /fhir/{other}/{kind}", f"{kind}.{element}")
    inside = {f"#{one.id}": one for one in _contained(value.pop("contained", None), kind, details)}
    with_whole_lists(value)
    with details.beside_refusals():
        found = parsed(models[release], value, details, release)
    return Read(kind, release, found, Message(hints.now, inside), details, digest, hints)


def _modifiers(value: Any, place: str) -> Iterator[str]:
    """Yield the places of modifier extensions in a resource, the outer ones first."""
    waiting = [(place, value)]
    for where, one in waiting:
        if isinstance(one, dict):
            if one.get("modifierExtension"):
                yield f"{where}.modifierExtension"
            waiting += [(f"{where}.{name}", inner) for name, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(f"{where}[{number}]", inner) for number, inner in enumerate(one)]


def _contained(listed: Any, kind: str, details: Details) -> Iterator[Inside]:
    for place, one in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(one, dict) and isinstance(one.get("id"), str) and isinstance(one.get("resourceType"), str):
            identifiers = one.get("identifier")
            named = _all(Identifier, identifiers, f"{kind}.contained[{place}].identifier", details)
            yield Inside(one["resourceType"], one["id"], named, one)


def _all[M: BaseModel](model: type[M], listed: Any, place: str, details: Details) -> list[M]:
    """Return those of a JSON list that are valid; the others are noted."""
    found: list[M] = []
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        try:
            found.append(model.model_validate(one))
        except ValidationError:
            details.warnings.append(dropped(Refused("INVALID_FHIR", "not valid", f"{place}[{number}]")))
    return found


def told(
    read: Read, patient: tuple[str, Any], references: Iterable[Any], places: Mapping[str, str], **said: Any
) -> ToldClearance:
    """Return what a resource says of its visit's clearance.

    Args:
        patient: The element that says whose it is, and its value.
        references: Which may name the visit, beside the resource's extensions.
        places: Where in the resource a field of the command stands.
        said: The command's own fields.

    Raises:
        Refused: NO_PATIENT, NO_APPOINTMENT, SEVERAL_APPOINTMENTS, SOURCE_REQUIRED, FOREIGN_SOURCE.
    """
    kind, details, hints = read.kind, read.details, read.hints
    visits, patients = _visit(read, references), _patient(read, *patient)
    source = hints.client.source(hints.source)
    meta = read.found.meta.lastUpdated if read.found.meta else None
    said_at = None if meta is None else details.read(None, moment, meta, f"{kind}.meta.lastUpdated")
    command = GiveClearance(
        client=hints.client.client_id,
        key=texts.identifier(hints.key or f"sha256:{read.body_sha256.hex()}", "header.idempotency-key"),
        body_sha256=read.body_sha256,
        visit=(source, visits[0]),
        patient=patients[0],
        said_at=said_at,
        **said,
    )._replace(warnings=tuple(details.warnings))
    where = {"patient": patient[0], "appointment": "extension", "said_at": "meta.lastUpdated", **places}
    return ToldClearance(
        command, source, visits, patients, lambda name: f"{kind}.{where[name]}" if name in where else kind
    )


def _visit(read: Read, references: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of the one Appointment that the resource names: by any extension, or by these references."""
    extended = [one.valueReference for one in read.found.extension or []]
    several: list[list[str]] = []
    for reference in (*extended, *references):
        if reference is None or read.message.kind(reference) != "Appointment":
            continue
        names = read.message.names_of(reference)
        same = next((one for one in several if not set(one).isdisjoint(names)), None)
        if same is not None:
            same += names
        elif names:
            several.append(names)
    place = f"{read.kind}.extension"
    if len(several) > 1:
        raise Refused("SEVERAL_APPOINTMENTS", "a clearance is one visit's: send one for each", place)
    kept = kept_names(list(dict.fromkeys(several[0])), read.details, place) if several else ()
    if not kept:
        message = "nothing in it names an Appointment: give an extension whose valueReference does"
        raise Refused("NO_APPOINTMENT", message, place)
    return kept


def _patient(read: Read, name: str, reference: Any) -> tuple[str, ...]:
    place = f"{read.kind}.{name}"
    is_whose = reference is not None and read.message.kind(reference) in {"Patient", None}
    listed = read.message.names_of(reference) if is_whose else []
    kept = kept_names(listed, read.details, place)
    if not kept:
        raise Refused("NO_PATIENT", "it does not name the patient whose it is", place)
    return kept


def extended(resource: Inside) -> Iterator[Reference]:
    """Yield what the extensions of a contained resource refer to."""
    listed = resource.raw.get("extension")
    for one in listed if isinstance(listed, list) else ():
        reference = one.get("valueReference") if isinstance(one, dict) else None
        if isinstance(reference, dict):
            yield from _all(Reference, [reference], "", Details())


def moment(at: Any, place: str) -> datetime:
    """Return the first instant of a FHIR dateTime.

    Raises:
        Refused: TIME_OUT_OF_RANGE.
    """
    return _in_range(begins(at), place)


def until(period: Any, place: str) -> datetime | None:
    """Return the first instant after a Period; None: it has no end, or one in 9999.

    Raises:
        Refused: TIME_OUT_OF_RANGE: it ends before there was anything.
    """
    if period is None or not period.end:
        return None
    end = ends(period.end)
    return None if end.year > LAST_YEAR else _in_range(end, place)


def begins_later(period: Any, now: datetime) -> bool:
    """Say whether a Period has not begun; a day that has begun somewhere on earth has."""
    if period is None or not period.start:
        return False
    ahead = timedelta() if isinstance(period.start, datetime) else EARLIEST_ZONE
    return begins(period.start) > now + ahead


def _in_range(at: datetime, place: str) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)
    return at.astimezone(UTC)


def codes(concepts: Iterable[Any]) -> Iterator[str]:
    """Yield the codes of CodeableConcepts."""
    codings = (coding for concept in concepts if concept is not None for coding in concept.coding or [])
    yield from (coding.code for coding in codings if coding.code)


def codes_in(concept: Any) -> Iterator[str]:
    """Yield the codes of a CodeableConcept of something contained, which is JSON as it came."""
    listed = concept.get("coding") if isinstance(concept, dict) else None
    for coding in listed if isinstance(listed, list) else ():
        code = coding.get("code") if isinstance(coding, dict) else None
        if isinstance(code, str) and code:
            yield code
