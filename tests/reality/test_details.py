"""Essentials and details: a detail that cannot be read or kept is dropped and named, and never refuses the event."""

from typing import Any

from tests.support.reality import Case, Post, Seen, fhir


def event(number: int = 1, appointment: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return a booking of ours."""
    visit = {"id": "v-{mark}", "status": "booked", "patient": {"id": "{patient}"}, "clinic": "{clinic}"}
    times = {"start": "{S}", "end": "{E}"}
    return {"event_id": f"e-{{mark}}-{number}", "appointment": {**visit, **times, **(appointment or {})}, **members}


def resource(**members: Any) -> dict[str, Any]:
    """Return a booking as a FHIR Appointment."""
    patient = {"type": "Patient", "identifier": {"value": "{patient}"}}
    actors = [patient, {"reference": "Location/{clinic}"}]
    return {
        "resourceType": "Appointment",
        "id": "v-{mark}",
        "status": "booked",
        "start": "{S}",
        "end": "{E}",
        "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
        **members,
    }


CASES = (
    Case(
        "a plain booking",
        [Post(event(), {"result": "applied", "version": 1})],
        held={"status": "booked", "starts_at": "{S}"},
        told=[("email", "")],
    ),
    Case(
        "an Appointment of FHIR",
        [fhir(resource(), {"Attend-Result": "applied"}, status=201)],
        held={"status": "booked"},
        told=[("email", "")],
    ),
)


def test_a_detail_never_refuses_the_event(seen: Seen) -> None:
    seen.judge()
