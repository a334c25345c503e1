"""The codes by which every API refuses, each with what it means, and the words for a request of another shape.

A service adds its own: `create_api` is given them, and its description lists all as one enumeration. A test goes red
when a code is raised that is in no list, or listed and never raised.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException

type Codes = Mapping[str, str]
"""Code, UPPER_SNAKE and stable → what it means and the way out, as a sentence."""

SHAPES: Codes = {
    "MISSING_FIELD": "Something is missing that must be there.",
    "UNKNOWN_FIELD": "There is no field of this name here.",
    "WRONG_TYPE": "Not of the type that the description says.",
    "FIELD_TOO_LONG": "Longer than the description says, or with more items.",
    "EMPTY_TEXT": "Empty, or shorter than the description says.",
    "NUMBER_OUT_OF_RANGE": "A number beyond the bounds that the description says.",
    "TIME_OUT_OF_RANGE": "An instant before 1900, or too far ahead to be kept.",
    "NAIVE_TIME": "A time without its offset: write it as 2027-03-12T10:00:00+00:00.",
    "BAD_TIME": "No date and time of ISO 8601.",
    "UNKNOWN_VALUE": "Not one of the values that the description lists.",
    "WRONG_PATTERN": "Not written as the description's pattern says.",
    "NOT_JSON": "The body is not JSON.",
}
"""What may be wrong at one place of a request."""

COMMON: Codes = {
    **SHAPES,
    "NO_KEY": "Send `Authorization: Bearer KEY` with a key that opens this.",
    "WRONG_KEY": "The key that was sent does not open this.",
    "UNREADABLE_KEY": "The header `Authorization` is there and holds not one key.",
    "UNKNOWN_ROUTE": "There is nothing at this path: `/openapi.json` at the port of operations lists what there is.",
    "METHOD_NOT_ALLOWED": "This path does not take this method; the header `Allow` lists those that it takes.",
    "REQUEST_REFUSED": "The request could not be read as HTTP says.",
    "BODY_CUT_OFF": "The connection ended before the body.",
    "TOO_SLOW": "The request was not sent whole in time.",
    "BODY_TOO_LARGE": "The body is larger than this API takes.",
    "HEADERS_TOO_LARGE": "Path, query and headers are larger than this API takes.",
    "INVALID_REQUEST": "The request is not of this shape; `errors` names each place and what is wrong there.",
    "UNKNOWN_PARAMETER": "The route has no parameter of this name; `detail` says which it takes.",
    "REPEATED_PARAMETER": "A parameter is there twice where one is meant.",
    "CONTROL_CHARACTER": "A text holds a control character.",
    "BAD_VERSION": 'If-Match holds a version, such as "3".',
    "VERSION_CHANGED": "Another version is in force than the one named: read it and decide again.",
    "BAD_CURSOR": "`after` must be the `next_after` of the page before; leave it out to begin.",
    "EVENT_TOO_LARGE": "What would be told to others of this is larger than they take.",
    "INTERNAL_ERROR": "A fault of ours. It was logged; whether anything was done is not known.",
    "ONE_VISIT": "Name the visit once: by our id, or by `id`, what its source calls it, with `source`.",
    "NO_BOOKING_URL": "This service was not told where booking answers: ask by our ids.",
    "BOOKING_UNAVAILABLE": "Booking, which says what a key may see, is not there now. Send the same request again.",
    "REFUSED_BY_BOOKING": "Booking refuses this, and not in words known here.",
    "BUSY": "Too much is under way. Send the same request again.",
    "CLOCKS_DIFFER": "The clocks of this service and its database differ: nothing is decided by time until they agree.",
    "DATABASE_UNAVAILABLE": "The database is not there now. Send the same request again.",
}
"""What any service may say."""

_SHAPE_OF = {
    "missing": "MISSING_FIELD",
    "extra_forbidden": "UNKNOWN_FIELD",
    "string_too_long": "FIELD_TOO_LONG",
    "too_long": "FIELD_TOO_LONG",
    "bytes_too_long": "FIELD_TOO_LONG",
    "string_too_short": "EMPTY_TEXT",
    "too_short": "EMPTY_TEXT",
    "int_parsing_size": "NUMBER_OUT_OF_RANGE",
    "finite_number": "NUMBER_OUT_OF_RANGE",
    "timezone_aware": "NAIVE_TIME",
    "datetime_parsing": "BAD_TIME",
    "datetime_from_date_parsing": "BAD_TIME",
    "datetime_object_invalid": "BAD_TIME",
    "date_parsing": "BAD_TIME",
    "date_from_datetime_parsing": "BAD_TIME",
    "date_from_datetime_inexact": "BAD_TIME",
    "time_parsing": "BAD_TIME",
    "enum": "UNKNOWN_VALUE",
    "literal_error": "UNKNOWN_VALUE",
    "string_pattern_mismatch": "WRONG_PATTERN",
    "json_invalid": "NOT_JSON",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
_OF_STATUS = {404: "UNKNOWN_ROUTE", 405: "METHOD_NOT_ALLOWED"}


def shape_code(kind: str, context: Mapping[str, Any] | None = None) -> str:
    """Return our word for what pydantic found wrong at a place, one of `SHAPES`.

    Args:
        kind: Pydantic's word, such as `string_too_long`.
        context: What pydantic says beside it, as of a bound that was passed.
    """
    if kind in _BOUNDS:
        bound = (context or {}).get(_BOUNDS[kind])
        return "TIME_OUT_OF_RANGE" if isinstance(bound, datetime) else "NUMBER_OUT_OF_RANGE"
    return _SHAPE_OF.get(kind, "WRONG_TYPE")


def code_of(error: HTTPException) -> str:
    """Return the code of a refusal by the framework, before any route of ours was asked."""
    return _OF_STATUS.get(error.status_code, "REQUEST_REFUSED")
