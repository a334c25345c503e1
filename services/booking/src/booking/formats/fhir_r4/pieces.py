"""A FHIR resource piece by piece: what is not valid R4 and not essential is left out of it, and noted (0038)."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.door.bodies import Path
from booking.values.refusals import Refused
from booking.values.warned import Details, dropped

KINDS_READ = frozenset(
    {"MessageHeader", "Appointment", "Patient", "Practitioner", "PractitionerRole", "Organization"}
    | {"Slot", "Schedule", "HealthcareService", "Location"}
)
"""Resources of a message that mean something here; others are passed over, whatever is in them."""

_NAMED_BY = frozenset({"resourceType", "id", "identifier"})

_ESSENTIAL = {
    "Bundle": frozenset({"resourceType", "type"}),
    "MessageHeader": frozenset({"resourceType", "id", "eventCoding", "focus"}),
    "Appointment": _NAMED_BY | {"status"},
}
"""Fields by kind of resource; of another those that name it."""

_PARTS = {
    "identifier": frozenset({"system", "value", "use"}),
    "eventCoding": frozenset({"code"}),
    "focus": frozenset({"reference"}),
}
"""What is essential in such a field; the rest of it is detail."""

_WHO = frozenset({"reference", "identifier", "type"})
"""What says who a participant is."""

_FILLED: dict[tuple[str, str], Any] = {
    ("participant", "status"): "needs-action",
    ("MessageHeader", "source"): {"endpoint": "urn:unknown"},
    ("source", "endpoint"): "urn:unknown",
}
"""What R4 requires and nothing here hangs on, by where it is missing: read as if it were so."""

_BY_THEMSELVES = frozenset({"Bundle", "MessageHeader", "Appointment"})
"""Resources without which there is no event: they are valid as such, or refused."""

MOST_PIECES = 20
"""Pieces left out of one body; what has more is no R4 in any sense."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")


def parsed[R: BaseModel](model: type[R], value: dict[str, Any], details: Details) -> R:
    """Return the resource, which loses in place what is not valid and not essential; a valid one is parsed once.

    Raises:
        Refused: INVALID_FHIR: something essential is not valid, or very much is not.
    """
    root = str(value["resourceType"])
    for _ in range(MOST_PIECES):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        except (ValueError, TypeError, KeyError, AttributeError):  # the library's own checks leak these
            break
        refusal = Refused("INVALID_FHIR", f"not valid R4: {first['type']}", place_of(root, first["loc"]))
        if not _left_out(value, first["loc"], is_missing=str(first["type"]).endswith("missing")):
            raise refusal
        details.warnings.append(dropped(refusal))
    raise Refused("INVALID_FHIR", "not valid R4", root)


def place_of(root: str, path: Path) -> str:
    """Return the place in FHIRPath's words; a name that looks like no name is not repeated."""
    names = (p if isinstance(p, int) or _NAME.fullmatch(p) else "?" for p in path)
    return root + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in names)


def _left_out(value: dict[str, Any], path: Path, *, is_missing: bool) -> bool:
    """Leave the piece at the path out; say False if it is essential."""
    nodes = _along(value, path)
    start = max(n for n, node in enumerate(nodes) if isinstance(node, dict) and "resourceType" in node)
    resource, within = nodes[start], path[start : len(nodes) - 1]
    names = [part for part in within if isinstance(part, str)]
    kind = str(resource["resourceType"])
    if (
        is_missing
        and isinstance(nodes[-1], dict)
        and (filled := _FILLED.get((names[-1] if names else kind, str(path[-1])))) is not None
    ):
        nodes[-1][path[-1]] = filled
        return True
    if not names:
        return _reduced(kind, resource)
    if _is_essential(kind, resource, names):
        return False
    nodes[-2].pop(within[-1])
    return True


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


def _is_essential(kind: str, resource: dict[str, Any], names: Sequence[str]) -> bool:
    head, *rest = names
    if kind == "Appointment" and head == "start":
        return str(resource.get("status")) not in NEEDS_NO_START
    if kind == "Appointment" and names[:2] == ["participant", "actor"]:
        return len(names) == len(["participant", "actor"]) or names[2] in _WHO
    if kind == "Bundle" and head == "entry":
        return rest == ["fullUrl"]
    return head in _ESSENTIAL.get(kind, _NAMED_BY) and (not rest or rest[0] in _PARTS.get(head, rest))


def _reduced(kind: str, resource: dict[str, Any]) -> bool:
    """Leave nothing of a resource but what names it: its fields do not go together."""
    kept = {name: one for name, one in resource.items() if name in _NAMED_BY}
    if kind in _BY_THEMSELVES or kept.keys() == resource.keys():
        return False
    resource.clear()
    resource.update(kept)
    return True
