"""Whoever may be written to again hears what was kept back from him, and nothing else (D36, D58)."""

from datetime import timedelta
from typing import Any

from tests.reality.test_told import CONFIRMED, IS_CANCELLED, NEXT_WEEK, OTHER, registered, visit
from tests.support.reality import Case, Post, Seen, answered

LATER = timedelta(minutes=45)
BOOKED, MOVED, CANCELLED = ("sms", "is booked"), ("sms", "has moved"), ("sms", "is cancelled")


def patient(**fields: Any) -> Post:
    """Return the registration of the patient."""
    body = {"given_name": "Ada", "mobile": "{mobile}", "email": None, "consent": True, "language": "en", **fields}
    return Post(body, warnings=None, path="/v1/patients/{patient}?source=local", method="PUT")


def refused(code: int = 21610, match: str = "{mobile}") -> Post:
    """Return the next answer of the carrier of text messages to this number."""
    body = {"channel": "sms", "fault": "400", "carrier_code": code, "times": 1, "match": match}
    return Post(body, path="/faults", service="sinks", status=201, warnings=None)


SMS = patient()
CASES = (
    Case(
        "stopped, given to another, and started again",
        [SMS, registered(), visit(1), answered("STOP"), visit(2, **OTHER), answered("START")],
        told=[BOOKED, CANCELLED],
        told_other=[CONFIRMED],
    ),
    Case(
        "stopped, given to another and back, and started again",
        [SMS, registered(), visit(1), answered("STOP"), visit(2, **OTHER), visit(3), answered("START")],
        told=[BOOKED],
        told_other=[CONFIRMED, IS_CANCELLED],
    ),
    Case(
        "stopped before it was his, then not his any more, and started again",
        [SMS, registered(), answered("STOP"), visit(1), visit(2, **OTHER), answered("START")],
        told=[],
        told_other=[CONFIRMED],
    ),
    Case(
        "stopped before the first visit, and started again",
        [SMS, answered("STOP"), visit(1), answered("START")],
        told=[BOOKED],
    ),
    Case(
        "whose visit it is now starts again, and whose it was does not",
        [
            SMS, registered(email=None), visit(1), answered("STOP"), answered("STOP", "{other_mobile}"),
            visit(2, **OTHER), answered("START", "{other_mobile}"),
        ],
        told=[BOOKED],
        told_other=[BOOKED],
    ),
    Case(
        "the notice of a move is refused because of a stop, and he starts again",
        [SMS, visit(1), refused(), visit(2, **NEXT_WEEK), answered("START")],
        told=[BOOKED, MOVED],
    ),
    Case(
        "the confirmation is refused because of a stop, and he starts again",
        [SMS, refused(), visit(1), answered("START")],
        told=[BOOKED],
    ),
    Case(
        "refused because of a stop, started again, and cancelled",
        [SMS, visit(1), refused(), visit(2, **NEXT_WEEK), answered("START"), visit(3, "cancelled", **NEXT_WEEK)],
        told=[BOOKED, MOVED, CANCELLED],
    ),
    Case("refused because of a stop, and he does not start again", [SMS, refused(), visit(1)], told=[]),
    Case("refused as there is no such number, and START", [SMS, refused(21211), visit(1), answered("START")], told=[]),
    Case("START of somebody who never stopped", [SMS, visit(1), answered("START")], told=[BOOKED]),
)  # fmt: skip


def test_he_hears_what_was_kept_back(seen: Seen) -> None:
    seen.judge()
