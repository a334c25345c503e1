"""A field that FHIR does not have: it is named with the one that may be meant, as in an event of ours (0047)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from booking.door.bodies import Path
from booking.values.warned import UNKNOWN_FIELD, Warned
from chassis.api.nearest import did_you_mean


def unread_field(model: type[BaseModel], nodes: Sequence[Any], path: Path, place: str, release: str) -> Warned:
    """Return what is said of a field that the element above it does not have.

    Args:
        model: The whole resource's.
        nodes: The values on the way to the field, the whole resource first.
        place: Where the field stands, in FHIRPath's words.
    """
    models: list[type[BaseModel]] = [model]
    for part, node in zip(path[:-1], nodes[1:], strict=False):
        if isinstance(part, str):
            fields = [one.model_fields[part] for one in models if part in one.model_fields]
            models = [found for field in fields for found in _models_in(field.annotation)]
        if isinstance(node, dict) and isinstance(kind := node.get("resourceType"), str):
            models = _of_kind(kind)
    near = did_you_mean(str(path[-1]), sorted(_names(models)))
    return Warned(UNKNOWN_FIELD, place, f"{release} has no such field, so it was not read{near}")


def _of_kind(kind: str) -> list[type[BaseModel]]:
    try:
        return [get_fhir_model_class(kind)]
    except LookupError:
        return []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of the elements that may stand there: the library wraps each in a type of its own."""
    if hasattr(annotation, "get_model_klass"):
        yield annotation.get_model_klass()
    for part in get_args(annotation):
        yield from _models_in(part)


def _names(models: Iterable[type[BaseModel]]) -> set[str]:
    return {field.alias or name for model in models for name, field in model.model_fields.items()}
