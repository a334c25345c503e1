"""What FHIR R4 references name: within the message, contained in its Appointment, or elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from booking.formats.fhir_r4.periods import is_current

_CONTAINED = "#"
_OF_THE_MESSAGE = "urn:uuid:"
_VERSION = "/_history/"


@dataclass(frozen=True, slots=True)
class Message:
    """The resources around an Appointment, by how references name them.

    Attributes:
        now: Domain time: an identifier whose period does not contain it is a former one.
        by_reference: fullUrl, `Type/id`, and `#id` of what the Appointment contains → resource.
        focus: The reference by which the header names the Appointment.
    """

    now: datetime
    by_reference: Mapping[str, Any] = field(default_factory=dict)
    header: Any = None
    focus: str | None = None

    def containing(self, appointment: Any) -> "Message":
        """Return the message together with what its Appointment contains."""
        inside = {f"{_CONTAINED}{one.id}": one for one in appointment.contained or [] if one.id}
        return replace(self, by_reference={**self.by_reference, **inside})

    def resolve(self, reference: Any) -> Any:
        """Return the resource that a Reference names within the message, or None."""
        return None if reference is None else self.by_reference.get(unversioned(reference))

    def resolve_as(self, reference: Any, *kinds: str) -> Any:
        """Return the resource that a Reference names, if it came along and is of these types: a sender may err."""
        resource = self.resolve(reference)
        return resource if resource is not None and resource.get_resource_type() in kinds else None

    def kind(self, reference: Any) -> str | None:
        """Return the type of what a Reference names: the resource's, what it says itself, what its text says."""
        if (resource := self.resolve(reference)) is not None:
            return str(resource.get_resource_type())
        segments = unversioned(reference).partition("?")[0].split("/")
        if _searched(unversioned(reference)) is not None:
            return reference.type or segments[-1]
        return reference.type or (segments[-2] if len(segments) > 1 else None)

    def names_of(self, reference: Any) -> list[str]:
        """Return the names of what a Reference names: identifiers, then id, then the reference without its version.

        An id of something contained, and a `urn:uuid:`, say nothing beyond their message, and one that is left blank
        says nothing at all. A former identifier names only what nothing else does: it may be another's by now.
        """
        resource, text = self.resolve(reference), unversioned(reference)
        listed = [*(getattr(resource, "identifier", None) or []), *filter(None, [reference.identifier])]
        found, former = _identifiers(listed, self.now)
        if (searched := _searched(text)) is not None:
            found.append(searched)
        elif not text.startswith(_CONTAINED) and not text.endswith("/"):
            found += [] if resource is None else _names_by_id(resource, found)
            found += [] if text.startswith(_OF_THE_MESSAGE) else _by_reference(text)
        return list(dict.fromkeys(found or former))

    def names_of_its_own(self, resource: Any) -> list[str]:
        """Return the names of a resource itself: the best identifier, its id, the other identifiers, former ones last.

        So what a message has too many of are its lesser identifiers.
        """
        found, former = _identifiers(resource.identifier or [], self.now)
        by_id = _names_by_id(resource, [*found, *former])
        return list(dict.fromkeys([*found[:1], *by_id, *found[1:], *former]))


def unversioned(reference: Any) -> str:
    """Return the text of a Reference without the version of the resource; empty if it has none."""
    return str(reference.reference or "").partition(_VERSION)[0]


def _identifiers(listed: Sequence[Any], now: datetime) -> tuple[list[str], list[str]]:
    """Return the identifiers that have a value: those that count now, official ones first; and the former ones."""
    best_first = sorted((one for one in listed if one.value), key=lambda one: one.use != "official")
    current = [one for one in best_first if one.use != "old" and is_current(one.period, now)]
    former = [one for one in best_first if one not in current]
    return [_written(one) for one in current], [_written(one) for one in former]


def _names_by_id(resource: Any, beside: Sequence[str]) -> list[str]:
    """Return the names that a resource's id gives: the id, and `Type/id`.

    Beside an identifier without a system the id alone is none: of two numbers nobody knows which count they are of.
    """
    if not resource.id:
        return []
    typed = f"{resource.get_resource_type()}/{resource.id}"
    return [typed] if any("|" not in name for name in beside) else [str(resource.id), typed]


def _by_reference(text: str) -> list[str]:
    """Return the names that a reference's text gives: of an absolute one also `Type/id`, as its own server writes."""
    if not text:
        return []
    _, is_absolute, path = text.partition("://")
    kind_and_id = path.split("/")[-2:]
    return [text, "/".join(kind_and_id)] if is_absolute and len(kind_and_id) > 1 else [text]


def _searched(text: str) -> str | None:
    """Return the identifier by which a conditional reference (`Patient?identifier=system|value`) names a resource."""
    _, _, query = text.partition("?")
    found = parse_qs(query).get("identifier", [])
    return found[0].removeprefix("|") or None if len(found) == 1 else None


def _written(identifier: Any) -> str:
    return f"{identifier.system}|{identifier.value}" if identifier.system else str(identifier.value)
