"""What FHIR R4 references name: within the message, contained in its Appointment, or elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_CONTAINED = "#"
_OF_THE_MESSAGE = "urn:uuid:"
_VERSION = "/_history/"


@dataclass(frozen=True, slots=True)
class Message:
    """The resources around an Appointment, by how references name them.

    Attributes:
        by_reference: fullUrl, `Type/id`, and `#id` of what the Appointment contains → resource.
        focus: The reference by which the header names the Appointment.
    """

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
        segments = unversioned(reference).split("/")
        return reference.type or (segments[-2] if len(segments) > 1 else None)

    def names_of(self, reference: Any) -> list[str]:
        """Return the names of what a Reference names: identifiers, then id, then the reference without its version.

        An id of something contained says nothing beyond its message, and one that is left blank says nothing at all.
        """
        resource, text = self.resolve(reference), unversioned(reference)
        found = [] if resource is None else identifiers(resource)
        if reference.identifier is not None and reference.identifier.value:
            found.append(_written(reference.identifier))
        if not text.startswith(_CONTAINED) and not text.endswith("/"):
            found += [] if resource is None else names_by_id(resource, found)
            found += [text] if text and not (found and text.startswith(_OF_THE_MESSAGE)) else []
        return list(dict.fromkeys(found))


def unversioned(reference: Any) -> str:
    """Return the text of a Reference without the version of the resource; empty if it has none."""
    return str(reference.reference or "").partition(_VERSION)[0]


def identifiers(resource: Any) -> list[str]:
    """Return every identifier that has a value, as `system|value`: the official ones, then the others, as listed."""
    found = [i for i in getattr(resource, "identifier", None) or [] if i.value]
    return [_written(i) for i in sorted(found, key=lambda i: i.use != "official")]


def names_by_id(resource: Any, beside: Sequence[str]) -> list[str]:
    """Return the names that a resource's id gives: the id, and `Type/id`.

    Beside an identifier without a system the id alone is none: of two numbers nobody knows which count they are of.
    """
    if not resource.id:
        return []
    typed = f"{resource.get_resource_type()}/{resource.id}"
    return [typed] if any("|" not in name for name in beside) else [str(resource.id), typed]


def _written(identifier: Any) -> str:
    return f"{identifier.system}|{identifier.value}" if identifier.system else str(identifier.value)
