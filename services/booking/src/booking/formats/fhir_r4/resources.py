"""From JSON to checked FHIR R4 resources (parsed by fhir.resources, whose R4B has R4's Appointment unchanged)."""

from typing import Any

from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.bundle import Bundle

from booking.formats.fhir_r4.pieces import KINDS_READ, parsed
from booking.values.refusals import Refused
from booking.values.warned import Details, dropped
from schemas.appointments import Status

_MAY_HAVE_CANCELATION_REASON = frozenset({"cancelled", "noshow"})


def appointment(value: Any, details: Details) -> Appointment:
    """Return the Appointment in a JSON value, without the details that are not valid, which are noted.

    Raises:
        Refused: NOT_AN_APPOINTMENT, FHIR_R5, INVALID_FHIR, FHIR_INVARIANT.
    """
    if not isinstance(value, dict) or value.get("resourceType") != "Appointment":
        raise Refused("NOT_AN_APPOINTMENT", "the body is no Appointment resource", "resourceType")
    refuse_r5(value, "Appointment")
    found = parsed(Appointment, value, details)
    check_invariants(found, "Appointment", details)
    return found


def message(value: Any, details: Details) -> Bundle:
    """Return the message Bundle in a JSON value, without the details that are not valid, which are noted.

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
        if not isinstance(resource, dict):
            continue
        if resource.get("resourceType") == "Appointment":
            refuse_r5(resource, f"Bundle.entry[{place}].resource")
        elif place and str(resource.get("resourceType")) not in KINDS_READ:
            del entry["resource"]
    return parsed(Bundle, value, details)


def refuse_r5(value: dict[str, Any], place: str) -> None:
    """Refuse an Appointment of R5 that says in R5's way whose it is; what else R4 has not is a detail of it."""
    if value.get("subject") is not None:
        raise Refused(
            "FHIR_R5", "this is FHIR R5: R4 has no subject; say in participant whose it is", f"{place}.subject"
        )


def check_invariants(found: Any, place: str, details: Details) -> None:
    """Check R4's invariants of an Appointment, which its JSON shape does not express: a start is essential."""
    if found.start is None and found.status == Status.BOOKED:
        raise _broken("app-3", "only proposed, cancelled and waitlisted ones lack start and end", f"{place}.start")
    for number, participant in enumerate(found.participant or []):
        if participant.actor is None and not participant.type:
            _note(details, "app-1", "a participant has a type or an actor", f"{place}.participant[{number}]")
    if (found.start is None) != (found.end is None):
        _note(details, "app-2", "start and end are both given or both left out", f"{place}.end")
    if found.start is None:
        found.end = None
    if found.cancelationReason is not None and found.status not in _MAY_HAVE_CANCELATION_REASON:
        _note(details, "app-4", "only cancelled and noshow ones have a cancelationReason", f"{place}.cancelationReason")
        found.cancelationReason = None


def _note(details: Details, invariant: str, rule: str, place: str) -> None:
    details.warnings.append(dropped(_broken(invariant, rule, place)))


def _broken(invariant: str, rule: str, place: str) -> Refused:
    return Refused("FHIR_INVARIANT", f"{invariant}: {rule}", place)
