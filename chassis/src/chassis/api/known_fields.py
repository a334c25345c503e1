"""Fields of a body that its route does not have: named by their places, with the one that may be meant (0047)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAliasType, get_args

from pydantic import BaseModel

from chassis.api.nearest import did_you_mean, shown

UNKNOWN_FIELD = "UNKNOWN_FIELD"
EXTRA = "extra_forbidden"
"""Pydantic's word for such a field."""

MOST_NAMED = 5
"""Unknown names that one answer names."""


def unknown_fields(route: Any, errors: Sequence[Mapping[str, Any]]) -> tuple[str, list[dict[str, str]]] | None:
    """Return what is said of a body that is wrong by nothing but such fields, and each place; None: by more.

    Args:
        errors: As pydantic lists them.
    """
    if not errors or any(error["type"] != EXTRA for error in errors):
        return None
    *path, name = errors[0]["loc"]
    known = sorted(_fields_at(route, path[1:]))
    there = f" It takes: {', '.join(known)}." if known else ""
    detail = f"The body has no field {shown(str(name))}{did_you_mean(str(name), known) or '.'}{there}"
    first, *others = unread_fields(route, errors)
    return detail, [{"place": first["place"], "code": first["code"]}, *others]


def unread_fields(route: Any, errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the place of each such field and what may be meant, at most `MOST_NAMED`; other errors are passed over."""
    paths = [error["loc"] for error in errors if error["type"] == EXTRA]
    return [_unread_field(route, path) for path in paths[:MOST_NAMED]]


def _unread_field(route: Any, path: Sequence[Any]) -> dict[str, str]:
    *above, name = map(str, path)
    near = did_you_mean(name, sorted(_fields_at(route, path[1:-1]))) or "."
    return {"place": ".".join([*above, shown(name)]), "code": UNKNOWN_FIELD, "detail": f"There is no such field{near}"}


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
