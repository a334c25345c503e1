"""Fields of a body that its route does not have: named by their places, with the one that may be meant (0047)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAliasType, get_args

from pydantic import BaseModel

from chassis.api.nearest import did_you_mean, shown

UNKNOWN_FIELD = "UNKNOWN_FIELD"

MOST_NAMED = 5
"""Unknown names that one answer names."""


def unknown_fields(route: Any, errors: Sequence[Mapping[str, Any]]) -> tuple[str, list[dict[str, str]]] | None:
    """Return what is said of a body that is wrong by nothing but such fields, and each place; None: by more.

    Args:
        errors: As pydantic lists them.
    """
    if not errors or any(error["type"] != "extra_forbidden" for error in errors):
        return None
    *path, name = errors[0]["loc"]
    known = sorted(_fields_at(route, path[1:]))
    there = f" It takes: {', '.join(known)}." if known else ""
    detail = f"The body has no field {shown(str(name))}{did_you_mean(str(name), known) or '.'}{there}"
    places = [".".join([*map(str, error["loc"][:-1]), shown(str(error["loc"][-1]))]) for error in errors]
    return detail, [{"place": place, "code": UNKNOWN_FIELD} for place in places[:MOST_NAMED]]


def _fields_at(route: Any, path: Sequence[Any]) -> set[str]:
    body = getattr(route, "body_field", None)
    return set() if body is None else fields_at(body.field_info.annotation, path)


def fields_at(annotation: Any, path: Sequence[Any]) -> set[str]:
    """Return the fields of the object to which a path leads in a value of this type; keys and places lead on."""
    models = models_in(annotation)
    for part in path:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        models = [found for field in fields for found in models_in(field.annotation)] if fields else models
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models of which a value of this type may be, or may hold in a list or by key."""
    if isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in models_in(part)]
