"""What an API says of itself in OpenAPI: who makes a client from it finds each answer typed, refusals too.

FastAPI describes what its routes return. Here is added what it cannot know: one `Problem` for every refusal, the
codes as an enumeration, an example of each, and what the door and the server refuse before a route is asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from chassis.api.codes import COMMON, Codes
from chassis.api.problems import PROBLEM_JSON, Dialect, Dialects, Problem, dialect_of

type Described = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_CODES = "x-codes"
_OWN = "x-own"
REFUSED_FIELD = (
    "A field that is not described is refused with all others of the body, and named with the one that may be meant: "
    "`UNKNOWN_FIELD`."
)
"""What becomes of an unknown field of a body that orders something (0047)."""

_KEY_CODES = ("NO_KEY", "WRONG_KEY", "UNREADABLE_KEY")
_EVERYWHERE: Mapping[int, Sequence[str]] = {
    408: ("TOO_SLOW",),
    413: ("BODY_TOO_LARGE",),
    431: ("HEADERS_TOO_LARGE",),
    500: ("INTERNAL_ERROR",),
    503: ("BUSY", "DATABASE_UNAVAILABLE"),
}
_MOSTLY_THE_SAME = {*_EVERYWHERE, 400, 401}
"""What is described once, and where it is the same referred to."""
_BY_THE_SERVER = (408, 431, 503)
"""What may be refused before the path is known: always a problem."""


class ProblemPlace(BaseModel):
    """One place that is wrong."""

    place: str = Field(description="Where, as a path such as `body.appointment.start` or `query.limit`.")
    code: str
    detail: str | None = Field(default=None, description="What is wrong there, where `detail` above does not say it.")


class ProblemView(BaseModel):
    """A refusal (RFC 9457). Programs go by `code`, people by `detail`; neither ever holds what was sent."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Always `about:blank`: `code` says which kind it is.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status.")
    code: str
    detail: str = Field(description="What is wrong, and the way out.")
    errors: list[ProblemPlace] = Field(default=[], description="Each place that is wrong; left out where none is.")


def refuses(codes: Mapping[int, Sequence[str]]) -> dict[int | str, dict[str, Any]]:
    """Return what a route, or a router, declares as its `responses`: by HTTP status the codes that are its own.

    What any route may answer (a key, a size, a database that is away, a request of another shape) need not be said.
    """
    return {status: {"description": ", ".join(found), _CODES: list(found)} for status, found in codes.items()}


def answers(model: Any, media_type: str = "application/json", *also: str, status: int = 200) -> dict[int | str, Any]:
    """Return what a route declares as its `responses` that writes its answer by hand, for speed or of another type.

    Args:
        model: Pydantic's model of the answer, a union of them, or a schema of OpenAPI.
        also: Further media types, of which the description says no more.
    """
    others = {name: {"schema": {"type": "string"}} for name in also}
    if isinstance(model, dict):
        return {status: {"content": {media_type: {"schema": model}, **others}, _OWN: True}}
    return {status: {"model": model, "content": others, _OWN: True}}


class DescribedApi(FastAPI):
    """An API whose description has every refusal.

    Args:
        codes: By which its routes refuse, beside `codes.COMMON`.
        dialects: Paths whose refusals are no problems.
    """

    def __init__(self, codes: Codes, dialects: Dialects, **kwargs: Any) -> None:
        super().__init__(generate_unique_id_function=_method_name, **kwargs)
        self._codes, self._dialects = {**COMMON, **codes}, dialects

    def openapi(self) -> Described:
        """Return the description; it is made once."""
        if self.openapi_schema is None:
            self.openapi_schema = self._with_refusals(super().openapi())
        return self.openapi_schema

    def _with_refusals(self, found: Described) -> Described:
        schemes = found.get("components", {}).get("securitySchemes", {})
        keys = {name for name, scheme in schemes.items() if scheme["type"] == "http"}
        shared: Described = {}
        examples = found.setdefault("components", {}).setdefault("examples", {})
        for path, operations in found.get("paths", {}).items():
            dialect = dialect_of(path, self._dialects)
            for operation in operations.values():
                _with_own_answers(operation)
                self._refusals_of(operation, dialect, keys, shared, examples)
        found["components"]["responses"] = dict(sorted(shared.items()))
        found["components"]["examples"] = dict(sorted(examples.items()))
        schemas = found["components"].setdefault("schemas", {})
        for name, schema in _hoisted(found):
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two schemas are called {name}")
        _with_the_fate_of_unknown_fields(found["paths"], schemas)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas |= problem_schemas(self._codes)
        schemas |= {one.name: one.schema for one in self._dialects.values()}
        found["components"]["schemas"] = dict(sorted(schemas.items()))
        return found

    def _refusals_of(
        self, operation: Described, dialect: Dialect | None, keys: Set[str], shared: Described, examples: Described
    ) -> None:
        """Describe the refusals of an operation; what others say too is described once, in `shared` and `examples`."""
        responses = operation["responses"]
        declared = {
            int(status): responses.pop(status).get(_CODES, ()) for status in list(responses) if status[0] in "45"
        }
        for status, codes in _general(operation, 422 in declared, keys):
            declared[status] = [*declared.get(status, ()), *codes]
        for status, codes in sorted(declared.items()):
            response = self._response(status, dict.fromkeys(codes), dialect, examples)
            name = f"{dialect.name if dialect else ''}{HTTPStatus(status).phrase.title().replace(' ', '')}"
            if status in _MOSTLY_THE_SAME and shared.setdefault(name, response) == response:
                response = {"$ref": f"#/components/responses/{name}"}
            responses[str(status)] = response

    def _response(self, status: int, codes: Iterable[str], dialect: Dialect | None, examples: Described) -> Described:
        problems = [Problem(status, code, self._codes[code]) for code in codes]
        shown = _shown("Problem", problems, Problem.body, examples)
        content = {PROBLEM_JSON: {"schema": {"$ref": f"{_SCHEMAS}Problem"}, "examples": shown}}
        if dialect is not None:
            said = _shown(dialect.name, problems, dialect.body, examples)
            own = {dialect.media_type: {"schema": {"$ref": f"{_SCHEMAS}{dialect.name}"}, "examples": said}}
            content = {**own, **content} if status in _BY_THE_SERVER else own
        meanings = "\n".join(f"- `{one.code}`: {one.detail}" for one in problems)
        return {"description": meanings or "Refused.", "content": content, **_headers(status)}


def _shown(
    name: str, problems: Sequence[Problem], body: Callable[[Problem], dict[str, object]], examples: Described
) -> Described:
    """Return the examples of an answer by code: each stands once in the description, in `examples`, by name."""
    named = {one.code: f"{name}.{one.status}.{one.code}" for one in problems}
    examples |= {named[one.code]: {"value": body(one)} for one in problems}
    return {code: {"$ref": f"#/components/examples/{found}"} for code, found in named.items()}


def _with_own_answers(operation: Described) -> None:
    """Keep of an answer that a route declares itself nothing that FastAPI guesses."""
    for answer in operation["responses"].values():
        if answer.pop(_OWN, False):
            kept = {}
            for name, media in answer["content"].items():
                schema = media.get("schema") or {}
                if "$ref" in schema:
                    media["schema"] = {name: schema[name] for name in ("$ref", "$defs") if name in schema}
                elif one_of := schema.get("anyOf"):
                    media["schema"] = {"anyOf": [one for nth, one in enumerate(one_of) if one not in one_of[:nth]]}
                if schema:
                    kept[name] = media
            answer["content"] = kept


def _with_the_fate_of_unknown_fields(paths: Described, schemas: Described) -> None:
    """Say of each body whose models forbid what they do not know what becomes of it."""
    bodies = [
        one["requestBody"] for operations in paths.values() for one in operations.values() if "requestBody" in one
    ]
    for body in bodies:
        named = [media["schema"].get("$ref", "").removeprefix(_SCHEMAS) for media in body["content"].values()]
        if any(schemas.get(name, {}).get("additionalProperties") is False for name in named):
            body["description"] = f"{body.get('description', '')} {REFUSED_FIELD}".strip()


def _hoisted(found: Described) -> Iterator[tuple[str, Described]]:
    """Take the models out of the bodies and answers that routes describe themselves, and yield them by name."""
    for operations in found["paths"].values():
        for operation in operations.values():
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media in part.get("content", {}).values():
                    yield from media.get("schema", {}).pop("$defs", {}).items()


def problem_schemas(codes: Codes) -> dict[str, Described]:
    """Return the schemas of a problem, by name; its code is one of these."""
    whole = ProblemView.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
    place = whole.pop("$defs")["ProblemPlace"]
    code = {"$ref": f"{_SCHEMAS}ProblemCode"}
    for schema in (whole, place):
        schema["properties"]["code"] = code
    meanings = "\n".join(f"- `{name}`: {meaning}" for name, meaning in sorted(codes.items()))
    return {
        "Problem": whole,
        "ProblemPlace": place,
        "ProblemCode": {"type": "string", "title": "ProblemCode", "enum": sorted(codes), "description": meanings},
    }


def _general(operation: Described, refuses_422: bool, keys: Set[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield what this operation may answer like all of its kind, by status."""
    yield from _EVERYWHERE.items()
    if "requestBody" in operation:
        yield 400, ("REQUEST_REFUSED", "BODY_CUT_OFF")
    shape = ("INVALID_REQUEST",) if refuses_422 else ()  # FastAPI says so where it reads parameters or a body
    if any(keys & one.keys() for one in operation.get("security", ())):
        yield 401, _KEY_CODES
        shape = (*shape, "UNKNOWN_PARAMETER", "REPEATED_PARAMETER", "CONTROL_CHARACTER")
    if shape:
        yield 422, shape


def _headers(status: int) -> Described:
    told = {
        401: ("WWW-Authenticate", "Always `Bearer`.", "string"),
        503: ("Retry-After", "Seconds after which the same request may be sent again.", "integer"),
    }
    if status not in told:
        return {}
    name, text, type_ = told[status]
    return {"headers": {name: {"description": text, "schema": {"type": type_}}}}


def _method_name(route: APIRoute) -> str:
    """Return the id of an operation: its function's name, which a generated client has as the name of its own."""
    return route.name
