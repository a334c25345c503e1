"""What a request's query may hold: the parameters of its route, each once (0047), and texts that can be looked for.

One that a route does not have was passed over before: a misspelt filter showed everything.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAliasType, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path

from chassis.api.known_fields import MOST_NAMED
from chassis.api.nearest import did_you_mean, shown
from chassis.api.problems import Problem

_SEVERAL = (list, tuple, set, frozenset)


class KnownParameters:
    """A dependency of every route: refuses a parameter that the route does not have, or one twice, or one with a NUL.

    Args:
        exempt: Paths, each with all below it, to which senders add what they like.
    """

    def __init__(self, exempt: Sequence[str] = ()) -> None:
        self._exempt = tuple(f"{path}/" for path in exempt)

    async def __call__(self, request: Request) -> None:
        """Look at the request's query.

        Raises:
            Problem: 422 UNKNOWN_PARAMETER, REPEATED_PARAMETER or, of a text that PostgreSQL cannot hold,
                CONTROL_CHARACTER, with the place of each.
        """
        if not request.scope["query_string"] or f"{request.url.path}/".startswith(self._exempt):
            return
        known = _parameters(request.scope["route"])
        items = request.query_params.multi_items()
        names = [name for name, _ in items]
        given = list(dict.fromkeys(names))
        if unknown := [name for name in given if name not in known]:
            raise _refused("UNKNOWN_PARAMETER", _unknown(unknown[0], known), unknown)
        if twice := [name for name in given if not known[name] and names.count(name) > 1]:
            raise _refused("REPEATED_PARAMETER", f"The parameter {twice[0]} is given once.", twice)
        if broken := [name for name, value in items if "\0" in value]:
            raise _refused("CONTROL_CHARACTER", f"The parameter {broken[0]} holds a control character.", broken)


def _parameters(route: Any) -> Mapping[str, bool]:
    """Return the names of a route's parameters, those of its dependencies too, and whether each may come again."""
    fields = get_flat_params(route.dependant)  # where the whole query is a model, the fields of the model
    found = [field for field in fields if not isinstance(field.field_info, Path | Header | Cookie)]
    return {field.alias: _takes_several(field.field_info.annotation) for field in found}


def _takes_several(annotation: Any) -> bool:
    if isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    return get_origin(annotation) in _SEVERAL or any(_takes_several(part) for part in get_args(annotation))


def _unknown(name: str, known: Mapping[str, bool]) -> str:
    there = f"It takes: {', '.join(sorted(known))}." if known else "It takes none."
    return f"This route has no parameter {shown(name)}{did_you_mean(name, known) or '.'} {there}"


def _refused(code: str, detail: str, names: Sequence[str]) -> Problem:
    return Problem(422, code, detail, [{"place": f"query.{shown(name)}", "code": code} for name in names[:MOST_NAMED]])
