"""Bodies that the door reads itself: their parts, their description, and what is answered when one is refused."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StrictStr, StringConstraints, TypeAdapter, ValidationError

from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import Problem
from chassis.api.codes import SHAPES, shape_code

Id = Annotated[StrictStr, StringConstraints(min_length=1, max_length=texts.LONGEST_ID)]
Text = Annotated[StrictStr, StringConstraints(max_length=texts.LONGEST_NAME)]

Source = Annotated[str | None, Query(description="Left out: the client's only source.")]
"""The source in the query of a request."""


BAD_BODY = ("EMPTY_BODY", "NOT_JSON", "TRUNCATED_JSON", "TRAILING_CONTENT", "DUPLICATE_KEY", "NOT_UTF8", "TOO_DEEP")
"""The commonest codes, 400 each, of a body that the door reads itself."""

BAD_FIELD = ("MISSING_FIELD", "WRONG_TYPE", "FIELD_TOO_LONG", "EMPTY_TEXT", "CONTROL_CHARACTER", "SOURCE_REQUIRED")
"""The commonest codes, 422 each, of a field of such a body."""


class Body(BaseModel):
    """Part of a body. Fields that it does not have are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WarningView(BaseModel):
    """What is said of something that was taken all the same."""

    code: str = Field(description="UPPER_SNAKE, stable.", examples=["DETAIL_DROPPED"])
    place: str = Field(description="Where in the input, as a path; empty for the whole.")
    detail: str = Field(description="What was done and the way out, in words.")


class RefusedView(BaseModel):
    """Why something is refused; `code` is one of those of a problem."""

    code: str = Field(examples=["UNKNOWN_CLINIC"])
    detail: str = Field(description="What is wrong and the way out.")
    place: str = Field(description="Where in the input, as a path; empty for the whole.")


def body_schema(model: Any, examples: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the OpenAPI of a JSON body that the door reads itself; `text` says what it is."""
    content = {"application/json": described(model, examples)}
    return {"requestBody": {"required": True, "description": text, "content": content}}


def described(model: Any, examples: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI media type object of such a body: its schema, whose `$defs` are its models, and examples."""
    listed = TypeAdapter(list[model]).json_schema(ref_template="#/components/schemas/{model}")
    schema = {**listed["items"], "$defs": listed["$defs"]}
    return {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}


def problem(refusal: Refused) -> Problem:
    """Return the refusal as an answer of RFC 9457."""
    errors = [{"place": one.place, "code": one.code} for one in (refusal, *refusal.also) if one.place]
    return Problem(refusal.status, refusal.code, refusal.message, errors or None)


def refusal_of(error: ValidationError) -> Refused:
    """Return the refusal of a body that has not the shape: the first place and what is wrong, not the value."""
    return next(refusals_of(error))[1]


type Path = tuple[int | str, ...]
"""The names and numbers that lead to a place in a JSON value."""


def refusals_of(error: ValidationError) -> Iterator[tuple[Path, Refused]]:
    """Yield each place of a body that has not the shape, and its refusal."""
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        yield one["loc"], _refusal(".".join(map(str, one["loc"])), str(one["type"]))


def _refusal(place: str, kind: str) -> Refused:
    if kind == "enum":
        code = "UNKNOWN_STATUS" if place.endswith("status") else "UNKNOWN_MODE"
        return Refused(code, "not one of the values listed in the API's description", place)
    code = shape_code(kind)
    return Refused(code, SHAPES[code], place)
