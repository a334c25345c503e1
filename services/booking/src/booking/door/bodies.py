"""Bodies that the door reads itself: their parts, their description, and what is answered when one is refused."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, get_args, get_origin

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictStr, StringConstraints, TypeAdapter, ValidationError

from booking.values import texts
from booking.values.refusals import Refused
from booking.values.warned import UNKNOWN_FIELD, WARNINGS, Warned, beside
from chassis.api.app import Problem
from chassis.api.codes import SHAPES, shape_code
from chassis.api.known_fields import MOST_NAMED, fields_at, models_in
from chassis.api.nearest import did_you_mean, shown

Id = Annotated[StrictStr, StringConstraints(min_length=1, max_length=texts.LONGEST_ID)]
Text = Annotated[StrictStr, StringConstraints(max_length=texts.LONGEST_NAME)]

Source = Annotated[str | None, Query(description="Left out: the client's only source.")]
"""The source in the query of a request."""


BAD_BODY = ("EMPTY_BODY", "NOT_JSON", "TRUNCATED_JSON", "TRAILING_CONTENT", "DUPLICATE_KEY", "NOT_UTF8", "TOO_DEEP")
"""The commonest codes, 400 each, of a body that the door reads itself."""

BAD_FIELD = ("MISSING_FIELD", "WRONG_TYPE", "FIELD_TOO_LONG", "EMPTY_TEXT", "CONTROL_CHARACTER", "SOURCE_REQUIRED")
"""The commonest codes, 422 each, of a field of such a body."""


class Body(BaseModel):
    """Part of a body that tells of somebody. Fields that it does not have are passed over, and warned of (0047)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


PASSED_OVER = (
    "A field that is not described is not read, and named with the one that may be meant: `UNKNOWN_FIELD` among the "
    "answer's `warnings`, or among the `errors` of a refusal."
)
"""What becomes of an unknown field of a body that tells of somebody (0047)."""


class Order(BaseModel):
    """Part of a body that orders something. One with fields that it does not have is refused (0047)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(BaseModel):
    """What a source calls somebody."""

    source: str
    id: str = Field(description="The source's own.")


_WARNING_CODES: dict[str, JsonValue] = {"enum": [*sorted(WARNINGS)]}


class WarningView(BaseModel):
    """What is said of something that was taken all the same."""

    code: str = Field(description="UPPER_SNAKE, stable.", examples=["DETAIL_DROPPED"], json_schema_extra=_WARNING_CODES)
    place: str = Field(description="Where in the input, as a path; empty for the whole.")
    detail: str = Field(description="What was done and the way out, in words.")


class RefusedView(BaseModel):
    """Why something is refused; `code` is one of those of a problem."""

    code: str = Field(examples=["UNKNOWN_CLINIC"])
    detail: str = Field(description="What is wrong and the way out.")
    place: str = Field(description="Where in the input, as a path; empty for the whole.")


class AlsoRefused(BaseModel):
    """What else is wrong with something that is refused."""

    place: str = Field(description="Where in the input, as a path; empty for the whole.")
    code: str = Field(examples=["UNKNOWN_FIELD"])
    detail: str = Field(description="What is wrong there and the way out.")


class RefusedItem(RefusedView):
    """One of several that is refused, with the status that it would have had alone."""

    status: int = Field(ge=400)
    errors: list[AlsoRefused] = Field(default=[], description="What else is wrong with it; left out where nothing is.")


def views(said: Iterable[Warned]) -> list[WarningView]:
    """Return warnings as they are answered."""
    return [WarningView.model_validate(warned.members) for warned in said]


def body_schema(model: Any, examples: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the OpenAPI of a JSON body that the door reads itself; `text` says what it is."""
    content = {"application/json": described(model, examples)}
    return {"requestBody": {"required": True, "description": with_fate(model, text), "content": content}}


def with_fate(model: Any, text: str) -> str:
    """Return the description of a body, which says what becomes of a field that the model passes over."""
    passes_over = any(one.model_config.get("extra") != "forbid" for one in models_in(model))
    return f"{text} {PASSED_OVER}" if passes_over else text


def described(model: Any, examples: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI media type object of such a body: its schema, whose `$defs` are its models, and examples."""
    listed = TypeAdapter(list[model]).json_schema(ref_template="#/components/schemas/{model}")
    schema = {**listed["items"], "$defs": listed["$defs"]}
    return {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}


def problem(refusal: Refused) -> Problem:
    """Return the refusal as an answer of RFC 9457."""
    errors = [{"place": refusal.place, "code": refusal.code}] if refusal.place else []
    return Problem(refusal.status, refusal.code, refusal.message, errors + further(refusal) or None)


def read[B: BaseModel](model: type[B], value: Any) -> B:
    """Return the body in a JSON value.

    Raises:
        Refused: Its first place that has not the shape, by one of `SHAPES` or UNKNOWN_STATUS and the like; `also` names
            the fields that the model has not.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refusal_of(error, model, value) from None


@contextmanager
def naming_unread(model: type[BaseModel], value: Any) -> Iterator[None]:
    """Name in a refusal also the fields of a body that its model has not (0047)."""
    try:
        yield
    except Refused as refusal:
        raise beside(refusal, unknown_fields(model, value)) from None


def refused_members(refusal: Refused) -> dict[str, Any]:
    """Return the members of the answer to one of several, as a `RefusedItem` has them."""
    also = further(refusal)
    said = {"status": refusal.status, "code": refusal.code, "detail": refusal.message, "place": refusal.place}
    return {**said, **({"errors": also} if also else {})}


def further(refusal: Refused) -> list[dict[str, str]]:
    """Return what else is wrong, as it is answered."""
    return [{"place": one.place, "code": one.code, "detail": one.message} for one in refusal.also]


def refusal_of(error: ValidationError, model: type[BaseModel], value: Any) -> Refused:
    """Return the refusal of a body that has not the shape: the first place and what is wrong, never what stands there.

    Args:
        model: The body's, which says what an unknown field may mean.
        value: The body's JSON.
    """
    path, refusal = next(refusals_of(error))
    if refusal.code == UNKNOWN_FIELD:
        unread = unknown_field(path[:-1], str(path[-1]), fields_at(model, path[:-1]))
        refusal = Refused(unread.code, unread.detail, unread.place)
    return beside(refusal, unknown_fields(model, value))


type Path = tuple[int | str, ...]
"""The names and numbers that lead to a place in a JSON value."""


def refusals_of(error: ValidationError) -> Iterator[tuple[Path, Refused]]:
    """Yield each place of a body that has not the shape, and its refusal."""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield one["loc"], _refusal(".".join(map(str, one["loc"])), str(one["type"]))


_ENUMERATED = {
    "status": "UNKNOWN_STATUS",
    "state": "UNKNOWN_STATE",
    "shape": "UNKNOWN_SHAPE",
    "signed_by": "UNKNOWN_SIGNER",
}


def _refusal(place: str, kind: str) -> Refused:
    if kind == "enum":
        code = next((code for name, code in _ENUMERATED.items() if name in place.split(".")), "UNKNOWN_MODE")
        return Refused(code, "not one of the values listed in the API's description", place)
    code = shape_code(kind)
    return Refused(code, SHAPES[code], place)


def unknown_fields(model: type[BaseModel], value: Any, path: Path = ()) -> Iterator[Warned]:
    """Yield a warning of each field that a body has and its model has not; of one object at most `MOST_NAMED`."""
    if not isinstance(value, dict):
        return
    known = model.model_fields
    yield from (unknown_field(path, name, known) for name in sorted(value.keys() - known.keys())[:MOST_NAMED])
    for name in value.keys() & known.keys():
        annotation = known[name].annotation
        for inner in models_in(annotation):
            for below, part in _objects(value[name], (*path, name), by_key=_is_by_key(annotation)):
                yield from unknown_fields(inner, part, below)


def _objects(value: Any, path: Path, *, by_key: bool) -> Iterator[tuple[Path, Any]]:
    """Yield what is there: the value itself, or what is in its list or under its keys."""
    if isinstance(value, list):
        yield from (((*path, number), one) for number, one in enumerate(value))
    elif isinstance(value, dict) and by_key:
        yield from (((*path, shown(key)), one) for key, one in value.items())
    else:
        yield path, value


def _is_by_key(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(map(_is_by_key, get_args(annotation)))


def unknown_field(path: Path, name: str, known: Collection[str]) -> Warned:
    """Return the warning of a field; a name that looks like no name is not repeated."""
    place = ".".join([*map(str, path), shown(name)])
    return Warned(UNKNOWN_FIELD, place, f"there is no such field, so it was not read{did_you_mean(name, known)}")
