"""What FHIR R4 references name: within the message, contained in its Appointment, or elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_CONTAINED = "#"
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

    def id_of(self, reference: Any) -> str | None:
        """Return the id of what a Reference names: identifier, else id, else the reference without its version.

        An id of something contained says nothing beyond its message, and one that is left blank says nothing at all.
        """
        resource = self.resolve(reference)
        if resource is not None and (found := identified(resource)) is not None:
            return found
        if reference.identifier is not None and reference.identifier.value:
            return _written(reference.identifier)
        text = unversioned(reference)
        if text.startswith(_CONTAINED) or text.endswith("/"):
            return None
        return (str(resource.id) if resource is not None and resource.id else text) or None


def unversioned(reference: Any) -> str:
    """Return the text of a Reference without the version of the resource; empty if it has none."""
    return str(reference.reference or "").partition(_VERSION)[0]


def identified(resource: Any) -> str | None:
    """Return `system|value` of the official identifier, else of the first that has a value."""
    return next(iter(identifiers(resource)), None)


def identifiers(resource: Any) -> list[str]:
    """Return every identifier that has a value, as `system|value`: the official ones, then the others, as listed."""
    found = [i for i in getattr(resource, "identifier", None) or [] if i.value]
    return [_written(i) for i in sorted(found, key=lambda i: i.use != "official")]


def _written(identifier: Any) -> str:
    return f"{identifier.system}|{identifier.value}" if identifier.system else str(identifier.value)
