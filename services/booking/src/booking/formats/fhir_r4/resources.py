"""From JSON to checked FHIR R4 resources (parsed by fhir.resources, whose R4B has R4's Appointment unchanged)."""

from typing import Any

from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.bundle import Bundle
from pydantic import BaseModel, ValidationError

from booking.values.refusals import Refused

R5_FIELDS = frozenset(
    {"subject", "class", "previousAppointment", "originatingAppointment", "recurrenceId", "recurrenceTemplate"}
    | {"occurrenceChanged", "virtualService", "replaces", "note", "patientInstruction", "cancellationDate"}
    | {"cancellationReason", "account", "reason"}
)
"""Fields of R5's Appointment that R4's has not."""

_MAY_LACK_TIMES = frozenset({"proposed", "cancelled", "waitlist"})
_MAY_HAVE_CANCELATION_REASON = frozenset({"cancelled", "noshow"})


def appointment(value: Any) -> Appointment:
    """Return the Appointment in a JSON value.

    Raises:
        Refused: NOT_AN_APPOINTMENT, FHIR_R5, INVALID_FHIR, FHIR_INVARIANT.
    """
    if not isinstance(value, dict) or value.get("resourceType") != "Appointment":
        raise Refused("NOT_AN_APPOINTMENT", "the body is no Appointment resource", "resourceType")
    refuse_r5(value, "Appointment")
    found = _parsed(Appointment, value, "Appointment")
    check_invariants(found, "Appointment")
    return found


def message(value: Any) -> Bundle:
    """Return the message Bundle in a JSON value.

    Raises:
        Refused: NOT_A_MESSAGE, FHIR_R5, INVALID_FHIR.
    """
    if not isinstance(value, dict) or value.get("resourceType") != "Bundle":
        raise Refused("NOT_A_MESSAGE", "the body is no Bundle", "resourceType")
    if value.get("type") != "message":
        raise Refused("NOT_A_MESSAGE", "the Bundle is no message", "Bundle.type")
    entries = value.get("entry")
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Appointment":
            refuse_r5(resource, f"Bundle.entry[{place}].resource")
    return _parsed(Bundle, value, "Bundle")


def refuse_r5(value: dict[str, Any], place: str) -> None:
    """Refuse an R5 Appointment that is sent as R4."""
    newer = sorted(R5_FIELDS & value.keys())
    participants = value.get("participant")
    if isinstance(participants, list) and any(isinstance(p, dict) and p.get("required") is True for p in participants):
        newer.append("participant.required as a boolean")
    if newer:
        message_ = f"this is FHIR R5 ({', '.join(newer)}); send R4"
        raise Refused("FHIR_R5", message_, f"{place}.{newer[0].split(' ')[0]}")


def check_invariants(found: Any, place: str) -> None:
    """Check R4's invariants of an Appointment, which its JSON shape does not express."""
    for number, participant in enumerate(found.participant or []):
        if participant.actor is None and not participant.type:
            raise _broken("app-1", "a participant has a type or an actor", f"{place}.participant[{number}]")
    if (found.start is None) != (found.end is None):
        raise _broken("app-2", "start and end are both given or both left out", f"{place}.start")
    if found.start is None and found.status not in _MAY_LACK_TIMES:
        raise _broken("app-3", "only proposed, cancelled and waitlisted ones lack start and end", f"{place}.start")
    if found.cancelationReason is not None and found.status not in _MAY_HAVE_CANCELATION_REASON:
        raise _broken("app-4", "only cancelled and noshow ones have a cancelationReason", f"{place}.cancelationReason")


def _broken(invariant: str, rule: str, place: str) -> Refused:
    return Refused("FHIR_INVARIANT", f"{invariant}: {rule}", place)


def _parsed[R: BaseModel](model: type[R], value: Any, place: str) -> R:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        parts = [f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]]
        raise Refused("INVALID_FHIR", f"not valid R4: {first['type']}", place + "".join(parts)) from None
    except (ValueError, TypeError, KeyError, AttributeError):  # the library's own checks leak these
        raise Refused("INVALID_FHIR", "not valid R4", place) from None
