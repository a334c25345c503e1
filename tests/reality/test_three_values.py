"""Absent, taken away and given are three values: what is not said, or cannot be, takes no known time away."""

from datetime import timedelta
from typing import Any

from tests.reality.test_order import resource
from tests.support.reality import Case, Post, Seen, fhir

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it


def event(number: int, status: str = "booked", **appointment: Any) -> dict[str, Any]:
    """Return one of our events in its place in the order."""
    visit = {"id": "v-{mark}", "status": status, "patient": {"id": "{patient}"}, "clinic": "{clinic}"}
    return {"event_id": f"e-{{mark}}-{number}", "sequence": number, "appointment": {**visit, **appointment}}


def changed(status: str, without: tuple[str, ...], **members: Any) -> dict[str, Any]:
    """Return a FHIR Appointment five minutes on, without some members."""
    whole = resource("{NOW+2m}", status, **members)
    return {name: value for name, value in whole.items() if name not in without}


def described(**patient: Any) -> dict[str, Any]:
    """Return the members of a FHIR Appointment that describe its patient."""
    person = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "{patient}"}], **patient}
    actors = [{"reference": "#p"}, {"reference": "Location/{clinic}"}]
    return {"contained": [person], "participant": [{"actor": actor, "status": "accepted"} for actor in actors]}


OLD_EMAIL = {"system": "email", "value": "{email}", "use": "old"}
FIRST = Post(event(1, start="{S}", end="{E}"), {"result": "applied"})
FHIR_FIRST = fhir(resource("{NOW}"), {"Attend-Result": "applied"}, status=201)
TOLD = [("email", "booked"), ("email", "cancelled")]
APPLIED = {"Attend-Result": "applied"}

CASES = (
    Case(
        "cancelled, and no word of a time",
        [FIRST, Post(event(2, "cancelled"), {"result": "applied"})],
        held={"status": "cancelled", "starts_at": "{S}", "ends_at": "{E}"},
        told=TOLD,
    ),
    Case(
        "cancelled with start null",
        [FIRST, Post(event(2, "cancelled", start=None), {"result": "applied"})],
        held={"status": "cancelled", "starts_at": "{S}", "ends_at": "{E}"},
        told=TOLD,
    ),
    Case(
        "cancelled with start and end null",
        [FIRST, Post(event(2, "cancelled", start=None, end=None), {"result": "applied"})],
        held={"status": "cancelled", "starts_at": "{S}", "ends_at": "{E}"},
        told=TOLD,
    ),
    Case(
        "FHIR: cancelled without start and end, as R4 allows",
        [FHIR_FIRST, fhir(changed("cancelled", ("start", "end")), APPLIED)],
        held={"status": "cancelled", "starts_at": "{S}", "ends_at": "{E}"},
        told=TOLD,
    ),
    Case(
        "FHIR: entered in error without start and end",
        [FHIR_FIRST, fhir(changed("entered-in-error", ("start", "end")), warnings=None, status=200)],
        told=TOLD,
    ),
    Case(
        "entered in error with start null",
        [FIRST, Post(event(2, "entered-in-error", start=None), {"result": "applied"})],
        told=TOLD,
    ),
    Case(
        "a noshow with start null is one of the time that was known",
        [FIRST, Post(event(2, "noshow", start=None), {"result": "applied"}, warnings=None)],
        held={"status": "noshow", "starts_at": "{S}", "ends_at": "{E}"},
    ),
    Case(
        "on the waiting list with start null: it has no time any more",
        [FIRST, Post(event(2, "waitlist", start=None, end=None), {"result": "applied"})],
        held={"status": "waitlist", "starts_at": None, "ends_at": None},
        told=TOLD,
    ),
    Case(
        "booked with start null is refused, and nothing is lost",
        [FIRST, Post(event(2, start=None), {"code": "START_REQUIRED"}, status=422)],
        held={"status": "booked", "starts_at": "{S}", "ends_at": "{E}"},
        told=TOLD[:1],
    ),
    Case(
        "FHIR: his address turned old, so the cancellation goes to his number",
        [FHIR_FIRST, fhir(changed("cancelled", (), **described(telecom=[OLD_EMAIL])), APPLIED)],
        told=[("email", "booked"), ("sms", "cancelled")],
    ),
    Case(
        "FHIR: an empty array takes no address away",
        [FHIR_FIRST, fhir(changed("cancelled", (), **described(telecom=[], name=[])), APPLIED)],
        told=TOLD,
    ),
    Case(
        "FHIR: dead, and then not",
        [
            fhir(resource("{NOW}", **described(deceasedBoolean=True)), APPLIED, status=201),
            fhir(changed("booked", (), **described(deceasedBoolean=False)), {"Attend-Result": "repeat"}),
            fhir(resource("{NOW+3m}", "cancelled"), APPLIED),
        ],
        held={"status": "cancelled", "barred": None},
    ),
    Case(
        "confirmed null is no word of it",
        [Post(event(1, start="{S}", confirmed=True)), Post(event(2, confirmed=None, service_type="Eyes"))],
        held={"status": "booked", "confirmed": True, "service_type": "Eyes"},
    ),
    Case(
        "moved, and no word of its end: it keeps its length",
        [FIRST, Post(event(2, start="{S+1d}"), {"result": "applied"})],
        held={"status": "booked", "starts_at": "{S+1d}", "ends_at": "{E+1d}"},
    ),
)


def test_absent_taken_away_and_given_are_three_values(seen: Seen) -> None:
    seen.judge()
