"""A FHIR resource piece by piece: what is not valid and not essential is left out of it, and noted (0038)."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.door.bodies import Path
from booking.formats.fhir_r4.unread import unread_field
from booking.values.refusals import Refused
from booking.values.warned import DETAIL_DROPPED, Details, Warned, dropped

KINDS_READ = frozenset(
    {"MessageHeader", "Appointment", "Patient", "Practitioner", "PractitionerRole", "Organization"}
    | {"Slot", "Schedule", "HealthcareService", "Location"}
)
"""Resources of a message that mean something here; others are passed over, whatever is in them."""

_NAMED_BY = frozenset({"resourceType", "id", "identifier"})
_KEPT = _NAMED_BY | {"deceasedBoolean", "deceasedDateTime"}
"""What is left of a resource whose fields do not go together: nobody may come to life by it."""

_ESSENTIAL = {
    "Bundle": frozenset({"resourceType", "type"}),
    "MessageHeader": frozenset({"resourceType", "id", "eventCoding", "focus"}),
    "Appointment": frozenset({"resourceType", "status"}),
    "Consent": frozenset({"resourceType", "status", "decision", "period", "provision", "scope", "category"}),
    "CoverageEligibilityResponse": frozenset({"resourceType", "status", "outcome", "insurance"}),
}
"""Fields by kind of resource; names are essential only together: one that is valid is enough."""

_PARTS = {
    "eventCoding": frozenset({"code"}),
    "focus": frozenset({"reference"}),
    "provision": frozenset(
        {"type", "period", "provision", "action", "actor", "code", "purpose"}
        | {"securityLabel", "documentType", "resourceType", "expression"}
    ),
    "scope": frozenset({"coding"}),
    "category": frozenset({"coding"}),
    "insurance": frozenset({"inforce", "benefitPeriod"}),
}
"""What is essential in such a field; the rest of it is detail."""

_MUST_BE_NAMED = frozenset({"Appointment", "Patient"})

_FILLED: dict[tuple[str, str], Any] = {
    ("participant", "status"): "needs-action",
    ("MessageHeader", "source"): {"endpoint": "urn:unknown"},
    ("source", "endpoint"): "urn:unknown",
    ("Consent", "scope"): {"text": "unknown"},
    ("Consent", "category"): [{"text": "unknown"}],
    ("CoverageEligibilityResponse", "created"): "1900",
    ("CoverageEligibilityResponse", "insurer"): {"display": "unknown"},
    ("CoverageEligibilityResponse", "purpose"): ["unknown"],
    ("CoverageEligibilityResponse", "request"): {"display": "unknown"},
    ("insurance", "coverage"): {"display": "unknown"},
}
"""What FHIR requires and nothing here hangs on, by where it is missing: read as if it were so."""

_BY_THEMSELVES = frozenset({"Bundle", "MessageHeader", "Appointment", "Consent", "CoverageEligibilityResponse"})
"""Resources without which there is no event: they are valid as such, or refused."""

MOST_NAMED = 20
"""Pieces left out of one body that are named; of the others it is said how many they are."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")


class _Piece(NamedTuple):
    """A piece that is not valid: where it stands, in which resource, and by which names within it.

    Attributes:
        unread: What is said of it if it is a field that FHIR does not have.
    """

    path: Path
    nodes: list[Any]
    resource: dict[str, Any]
    names: tuple[str, ...]
    refusal: Refused
    unread: Warned | None = None

    @property
    def kind(self) -> str:
        return str(self.resource["resourceType"])

    @property
    def is_essential(self) -> bool:
        if not self.names:
            return False
        head, *rest = self.names
        if self.kind == "Appointment" and head == "start":
            return str(self.resource.get("status")) not in NEEDS_NO_START
        return head in _ESSENTIAL.get(self.kind, ()) and (not rest or rest[0] in _PARTS.get(head, rest))

    @property
    def may_say_whose(self) -> bool:
        """Whether the patient may have been named by it: it counts if nobody else turns out to be."""
        return self.names[:1] == ("participant",) or self.names == ("entry", "fullUrl")


def parsed[R: BaseModel](model: type[R], value: dict[str, Any], details: Details, release: str = "R4") -> R:
    """Return the resource, which loses in place what is not valid and not essential; a valid one is parsed once.

    An id with characters that FHIR does not know stays as it is, because others refer to it.

    Args:
        release: FHIR's, as it is told.

    Raises:
        Refused: INVALID_FHIR: something essential is not valid.
    """
    root = str(value["resourceType"])
    _drop_unknown_kinds(value)
    left_out: list[_Piece] = []
    odd_ids: dict[int, str] = {}
    try:
        found = _valid(model, value, left_out, odd_ids, release)
        _check_names(left_out)
    finally:
        details.warnings += _said(left_out, root, release)
    details.doubted = next((piece.refusal for piece in left_out if piece.may_say_whose), None)
    _give_back(found, value, odd_ids)
    return found


def _valid[R: BaseModel](
    model: type[R], value: dict[str, Any], left_out: list[_Piece], odd_ids: dict[int, str], release: str
) -> R:
    """Return what is left of the resource when all that is not valid is left out, which is added to `left_out`."""
    root = str(value["resourceType"])
    while True:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)
        except (ValueError, TypeError, KeyError, AttributeError):  # the library's own checks leak these
            raise Refused("INVALID_FHIR", f"not valid {release}", root) from None
        found_wrong = (_piece(value, model, one["loc"], str(one["type"]), release) for one in wrong)
        pieces = {piece.path: piece for piece in found_wrong}
        left_out += pieces.values()
        for path in sorted(pieces, key=lambda path: [(isinstance(p, int), p) for p in path], reverse=True):
            _leave_out(pieces[path], odd_ids)


def place_of(root: str, path: Path) -> str:
    """Return the place in FHIRPath's words; a name that looks like no name is not repeated."""
    names = (p if isinstance(p, int) or _NAME.fullmatch(p) else "?" for p in path)
    return root + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in names)


def _piece(value: dict[str, Any], model: type[BaseModel], path: Path, wrong: str, release: str) -> _Piece:
    """Return what has to go for the sake of a path: half an identifier would be another one."""
    nodes = _along(value, path)
    end = len(nodes) - 1
    start = max(n for n, node in enumerate(nodes) if isinstance(node, dict) and "resourceType" in node)
    if wrong.endswith("missing") and end < len(path) and isinstance(nodes[-1], dict):
        names = [part for part in path[start:end] if isinstance(part, str)]
        kind = str(nodes[start]["resourceType"])
        end += (names[-1] if names else kind, str(path[-1])) in _FILLED
    elif end > start and path[end - 1] in {"system", "value"}:
        owner = next((n for n in range(end - 2, start - 1, -1) if isinstance(path[n], str)), start)
        end = end - 1 if path[owner] == "identifier" else end
    names = [part for part in path[start:end] if isinstance(part, str)]
    place = place_of(str(value["resourceType"]), path)
    unread = unread_field(model, nodes, path, place, release) if wrong == "extra_forbidden" else None
    refusal = Refused("INVALID_FHIR", unread.detail if unread else f"not valid {release}: {wrong}", place)
    return _Piece(path[:end], nodes[: end + 1], nodes[start], tuple(names), refusal, unread)


def _along(value: Any, path: Path) -> list[Any]:
    """Return the values on the way, as far as there are any."""
    nodes = [value]
    for part in path:
        inside = nodes[-1]
        is_there = (isinstance(inside, dict) and part in inside) or (
            isinstance(inside, list) and isinstance(part, int) and part < len(inside)
        )
        if not is_there:
            break
        nodes.append(inside[part])
    return nodes


def _leave_out(piece: _Piece, odd_ids: dict[int, str]) -> None:
    """Leave the piece out, or what R4 requires in its place; raise its refusal if it is essential."""
    path, nodes, resource, names = piece.path, piece.nodes, piece.resource, piece.names
    is_odd_id = names == ("id",) and _is_text(resource["id"])
    is_missing = len(nodes) == len(path)
    if piece.is_essential and not is_odd_id and not is_missing:
        raise piece.refusal
    if is_missing:
        nodes[-1][path[-1]] = _FILLED[(names[-2] if len(names) > 1 else piece.kind, names[-1])]
    elif "deceasedDateTime" in resource and names in {(), ("deceasedDateTime",)}:
        if _is_said(resource.pop("deceasedDateTime")):
            resource["deceasedBoolean"] = True
    elif not names:
        _reduce(piece)
    elif isinstance(nodes[-1], list) and None in nodes[-1]:
        nodes[-1][:] = [one for one in nodes[-1] if one is not None]
    else:
        if is_odd_id:
            odd_ids[id(resource)] = resource["id"]
        nodes[-2].pop(path[-1])


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_said(value: Any) -> bool:
    """Say whether something stands there: who died at a time that nobody can read is dead."""
    return _is_text(value) or (not isinstance(value, str) and bool(value))


def _reduce(piece: _Piece) -> None:
    """Leave nothing of a resource but what names it: its fields do not go together."""
    kept = {name: one for name, one in piece.resource.items() if name in _KEPT}
    if piece.kind in _BY_THEMSELVES or kept.keys() == piece.resource.keys():
        raise piece.refusal
    piece.resource.clear()
    piece.resource.update(kept)


def _drop_unknown_kinds(value: dict[str, Any]) -> None:
    """Leave out of a resource and those in it what is contained and means nothing here."""
    entries = value.get("entry")
    inside = (
        (entry.get("resource") for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    )
    for resource in (value, *inside):
        contained = resource.get("contained") if isinstance(resource, dict) else None
        if isinstance(contained, list):
            contained[:] = [one for one in contained if isinstance(one, dict) and _kind_read(one)]


def _kind_read(resource: dict[str, Any]) -> bool:
    return str(resource.get("resourceType")) in KINDS_READ


def _check_names(left_out: list[_Piece]) -> None:
    """Refuse for the sake of an appointment or a patient who lost names and has none that is valid."""
    for piece in left_out:
        if piece.kind in _MUST_BE_NAMED and piece.names[:1] in {("id",), ("identifier",)}:
            identifiers = piece.resource.get("identifier") or ()
            is_odd = piece.names == ("id",) and _is_text(piece.nodes[-1])
            if not (is_odd or piece.resource.get("id") or any(one.get("value") for one in identifiers)):
                raise piece.refusal


def _said(left_out: list[_Piece], root: str, release: str) -> Iterator[Warned]:
    yield from (piece.unread or dropped(piece.refusal) for piece in left_out[:MOST_NAMED])
    if (more := len(left_out) - MOST_NAMED) > 0:
        yield Warned(DETAIL_DROPPED, root, f"{more} more pieces that are not valid {release}; the rest was taken")


def _give_back(found: Any, value: dict[str, Any], odd_ids: dict[int, str]) -> None:
    """Give the resources their own ids back, by which they are referred to."""
    if not odd_ids:
        return
    if id(value) in odd_ids:
        vars(found)["id"] = odd_ids[id(value)]  # an assignment would be checked again
    inside = [entry.resource for entry in getattr(found, "entry", None) or []] + (
        getattr(found, "contained", None) or []
    )
    theirs = [entry.get("resource") for entry in value.get("entry") or []] + (value.get("contained") or [])
    for resource, one in zip(inside, theirs, strict=True):
        if resource is not None:
            _give_back(resource, one, odd_ids)
