"""OperationOutcomes: refusals and warnings in FHIR's words; our code stands in `details`."""

from collections.abc import Iterable
from typing import Any

from fastapi import Response
from starlette.responses import JSONResponse

from booking.appointments.domain.batch import EventAnswer
from booking.formats.fhir_r4.format import FHIR_JSON
from booking.values.refusals import Refused
from booking.values.warned import Warned
from chassis.api.problems import Dialect, Problem

_ISSUES = {
    400: "structure", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 408: "timeout",
    409: "conflict", 413: "too-long", 422: "business-rule", 431: "too-long", 500: "exception", 503: "transient",
}  # fmt: skip
_INVALID = {
    "INVALID_FHIR": "structure", "FHIR_INVARIANT": "invariant", "FHIR_R5": "not-supported",
    "FHIR_R4": "not-supported",
    "UNKNOWN_PARAMETER": "not-supported", "REPEATED_PARAMETER": "invalid", "UNKNOWN_MODIFIER": "extension",
}  # fmt: skip


def outcome(refusal: Refused) -> Response:
    """Return the refusal of an event: an issue for it, and one for each further thing that is wrong."""
    issues = [_error(refusal.status, one.code, one.message, one.place) for one in (refusal, *refusal.also)]
    return JSONResponse(_outcome(*issues), refusal.status, media_type=FHIR_JSON)


def outcome_of(problem: Problem) -> dict[str, Any]:
    """Return what the door or the API refuse before a route is asked, such as a path that is none."""
    place = problem.errors[0]["place"] if problem.errors else ""
    return _outcome(_error(problem.status, problem.code, str(problem.detail), place))


def warnings(answer: EventAnswer) -> dict[str, Any]:
    """Return what is said of an event that was taken."""
    return _outcome(*(_warning(warned) for warned in answer.warnings))


def taken(result: str, warned: Iterable[Warned]) -> dict[str, Any]:
    """Return what became of something that was taken and is no resource of ours, and what is said of it."""
    coding = [{"system": "urn:attend:result", "code": result}]
    said = {"severity": "information", "code": "informational", "details": {"coding": coding, "text": _RESULTS[result]}}
    return _outcome(said, *map(_warning, warned))


_RESULTS = {
    "applied": "It was taken, and holds from now on.",
    "repeat": "It was taken before, or says nothing new.",
    "stale": "Something newer was taken before; it is kept, and changes nothing.",
}


def _warning(warned: Warned) -> dict[str, Any]:
    said = warned.members
    coding = [{"system": "urn:attend:warning", "code": warned.code}]
    place = {"expression": [warned.place]} if warned.place else {}
    details = {"coding": coding, "text": said["detail"]}
    return {"severity": "warning", "code": "informational", "details": details, **place}


def _error(status: int, code: str, text: str, place: str) -> dict[str, Any]:
    details = {"coding": [{"system": "urn:attend:refusal", "code": code}], "text": text}
    kind = _INVALID.get(code, _ISSUES.get(status, "processing"))
    return {"severity": "error", "code": kind, "details": details, **({"expression": [place]} if place else {})}


def _outcome(*issues: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


OUTCOME: dict[str, object] = {
    "title": "OperationOutcome",
    "description": "FHIR's answer to what is refused, and its note of what was taken with a warning.",
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome", "type": "string"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "details"],
                "properties": {
                    "severity": {"type": "string", "enum": ["error", "warning"]},
                    "code": {"type": "string", "description": "Of FHIR's value set issue-type."},
                    "details": {"type": "object", "description": "`coding` holds our code, `text` says it in words."},
                    "expression": {"type": "array", "items": {"type": "string"}, "description": "The place."},
                },
            },
        },
    },
}

FHIR_OUTCOMES = Dialect(FHIR_JSON, outcome_of, "OperationOutcome", OUTCOME)
"""How everything below `/fhir` is refused."""
