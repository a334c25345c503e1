"""Order is believed within bounds: clocks that run ahead, events without a time, counts that went back."""

from datetime import timedelta
from typing import Any

from tests.support.reality import Answer, Case, Post, Seen, fhir

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it


def event(number: int, *, at: str | None = None, sequence: int | None = None, **appointment: Any) -> dict[str, Any]:
    """Return a booking of ours, or what is given of its appointment, said at a time and under a count."""
    visit = {"id": "v-{mark}", "status": "booked", "patient": {"id": "{patient}"}, "clinic": "{clinic}"}
    order = {"occurred_at": at, "sequence": sequence}
    given = {name: value for name, value in order.items() if value is not None}
    return {"event_id": f"e-{{mark}}-{number}", "appointment": {**visit, "start": "{S}", **appointment}, **given}


def resource(at: str, status: str = "booked", **members: Any) -> dict[str, Any]:
    """Return an Appointment of FHIR, changed at a time."""
    actors = [{"type": "Patient", "identifier": {"value": "{patient}"}}, {"reference": "Location/{clinic}"}]
    return {
        "resourceType": "Appointment",
        "id": "v-{mark}",
        "meta": {"lastUpdated": at},
        "status": status,
        "start": "{S}",
        "end": "{E}",
        "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
        **members,
    }


FUTURE = [("FUTURE_TIME", "occurred_at")]
CANCELLED = [("email", "booked"), ("email", "cancelled")]

CASES = (
    Case(
        "a booking stamped with local time as Z, and the true cancellation",
        [
            Post(event(1, at="{NOW+330m}"), {"result": "applied"}, FUTURE),
            Post(event(2, at="{NOW}", status="cancelled"), {"result": "applied"}),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "FHIR: the same by lastUpdated",
        [
            fhir(resource("{NOW+330m}"), warnings=FUTURE, status=201),
            fhir(resource("{NOW}", "cancelled"), {"Attend-Result": "applied"}),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "both stamped ahead: arrival decides",
        [
            Post(event(1, at="{NOW+120m}"), {"result": "applied"}, FUTURE),
            Post(event(2, at="{NOW+60m}", status="cancelled"), {"result": "applied"}, FUTURE),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "a clock four minutes ahead is believed, and a cancellation without a time counts",
        [
            Post(event(1, at="{NOW+4m}"), {"result": "applied"}),
            Post(event(2, status="cancelled"), {"result": "applied"}),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "a move without a time, and a word of 2020 that comes after it",
        [
            Post(event(1, at="2020-01-01T00:00:00Z"), {"result": "applied"}),
            Post(event(2, start="{S+1d}"), {"result": "applied"}),
            Post(event(3, at="2020-01-02T00:00:00Z"), {"result": "stale"}, [("STALE", "occurred_at")]),
        ],
        held={"starts_at": "{S+1d}"},
        told=[("email", "booked"), ("email", "")],
    ),
    Case(
        "FHIR after plain JSON: an older lastUpdated does not undo a cancellation without a time",
        [
            Post(event(1), {"result": "applied"}),
            Post(event(2, status="cancelled"), {"result": "applied"}),
            fhir(resource("{NOW-1h}"), {"Attend-Result": "stale"}, warnings=[("STALE", "occurred_at")]),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "a count that went back while the times go on",
        [
            Post(event(1, at="{NOW-2h}", sequence=500), {"result": "applied"}),
            Post(
                event(2, at="{NOW-1h}", sequence=1, status="cancelled"),
                {"result": "stale"},
                [("STALE", "sequence"), ("SEQUENCE_WENT_BACK", "sequence")],
            ),
        ],
        held={"status": "booked"},
        told=[("email", "booked")],
    ),
    Case(
        "a booking without a time, confirmed, and a cancellation said a minute before it arrived",
        [
            Post(event(1), {"result": "applied"}),
            Answer("C"),
            Post(event(2, at="{NOW-1m}", status="cancelled"), {"result": "applied"}),
        ],
        held={"status": "cancelled"},
    ),
    Case(
        "a booking that its cancellation overtook",
        [
            Post(event(1, status="cancelled"), {"result": "tombstone"}),
            Post(event(2), {"result": "stale"}, [("STALE", "")]),
        ],
        told=[],
    ),
)


def test_d52_order_is_believed_within_bounds(seen: Seen) -> None:
    seen.judge()
