"""What people are told: by what is so, not by what happened (D58)."""

from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen

LATER = timedelta(minutes=10)
BOOKED, MOVED, CANCELLED = "New Appointment Booked", "Appointment Moved", "Appointment Cancelled"
NEXT_WEEK: dict[str, Any] = {"start": "{S+7d}", "end": "{E+7d}"}


def visit(number: int, status: str = "booked", **appointment: Any) -> Post:
    """Return the n-th event of a visit."""
    body = {
        "id": "v-{mark}", "status": status, "patient": {"id": "{patient}"}, "clinic": "{clinic}", "start": "{S}",
        "end": "{E}", "provider": {"id": "{provider}"}, **appointment,
    }  # fmt: skip
    return Post({"event_id": f"e-{{mark}}-{number}", "appointment": body}, warnings=None)


def imported(number: int, status: str = "booked", **appointment: Any) -> Post:
    """Return the same as history."""
    post = visit(number, status, **appointment)
    return Post({**post.body, "mode": "backfill"}, warnings=None)


def refused_for_now(address: str) -> Post:
    """Return the order that the next mail to an address is refused, once."""
    fault = {"channel": "email", "fault": "451", "match": address, "times": 1}
    return Post(fault, path="/faults", service="sinks", status=201, warnings=None)


def registered(**fields: Any) -> Post:
    """Return the registration of the other patient."""
    body = {
        "given_name": "Ben", "mobile": "{other_mobile}", "email": "{other_email}", "consent": True, "deceased": False,
        "do_not_contact": False, **fields,
    }  # fmt: skip
    return Post(body, warnings=None, path="/v1/patients/{other}?source=local", method="PUT")


OTHER: dict[str, Any] = {"patient": {"id": "{other}"}}
CONFIRMED, HAS_MOVED, IS_CANCELLED = ("email", "is booked"), ("email", "has moved"), ("email", "is cancelled")
CASES = (
    Case(
        "given to another patient",
        [registered(), visit(1), visit(2, **OTHER)],
        told=[CONFIRMED, IS_CANCELLED],
        told_other=[CONFIRMED],
        noticed=([BOOKED], []),
    ),
    Case(
        "given to another patient at another time",
        [registered(), visit(1), visit(2, **OTHER, **NEXT_WEEK)],
        told=[CONFIRMED, IS_CANCELLED],
        told_other=[CONFIRMED],
        noticed=([BOOKED, MOVED], []),
    ),
    Case(
        "given to another patient and back",
        [registered(), visit(1), visit(2, **OTHER), visit(3)],
        told=[CONFIRMED],
        told_other=[CONFIRMED, IS_CANCELLED],
    ),
    Case(
        "arrived, then booked for next week",
        [visit(1), visit(2, "arrived"), visit(3, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
        noticed=([BOOKED, "Patient Arrived", MOVED], []),
    ),
    Case(
        "fulfilled, then another day",
        [visit(1), visit(2, "fulfilled"), visit(3, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
    ),
    Case(
        "arrived, then cancelled",
        [visit(1), visit(2, "arrived"), visit(3, "cancelled")],
        told=[CONFIRMED, IS_CANCELLED],
    ),
    Case("arrived, and that is all", [visit(1), visit(2, "arrived"), visit(3, "fulfilled")], told=[CONFIRMED]),
    Case(
        "on the waiting list again",
        [visit(1), visit(2, "waitlist")],
        told=[CONFIRMED, IS_CANCELLED],
        noticed=([BOOKED, CANCELLED], []),
    ),
    Case("pending again", [visit(1), visit(2, "pending")], told=[CONFIRMED, IS_CANCELLED]),
    Case("entered in error", [visit(1), visit(2, "entered-in-error")], told=[CONFIRMED, IS_CANCELLED]),
    Case("never more than pending", [visit(1, "pending"), visit(2, "cancelled")], told=[], noticed=([], [])),
    Case(
        "booked before its patient is registered",
        [visit(1, **OTHER), registered()],
        told_other=[CONFIRMED],
        noticed=([BOOKED], []),
    ),
    Case(
        "registered without an address, which comes later",
        [registered(mobile=None, email=None), visit(1, **OTHER), registered()],
        told_other=[CONFIRMED],
    ),
    Case(
        "booked, then cancelled before its patient is registered",
        [visit(1, **OTHER), visit(2, "cancelled", **OTHER), registered()],
        told_other=[],
    ),
    Case(
        "no consent, which is given later",
        [registered(consent=False), visit(1, **OTHER), registered()],
        told_other=[CONFIRMED],
        noticed=([BOOKED], []),
    ),
    Case(
        "not to be contacted, moved, and to be contacted again",
        [registered(do_not_contact=True), visit(1, **OTHER), visit(2, **OTHER, **NEXT_WEEK), registered()],
        told_other=[CONFIRMED],
    ),
    Case(
        "said to be dead by mistake",
        [registered(), visit(1, **OTHER), registered(deceased=True), visit(2, **OTHER, **NEXT_WEEK), registered()],
        told_other=[CONFIRMED, HAS_MOVED],
    ),
    Case(
        "no consent, cancelled meanwhile",
        [registered(consent=False), visit(1, **OTHER), visit(2, "cancelled", **OTHER), registered()],
        told_other=[],
    ),
    Case(
        "told, barred, cancelled, and no longer barred",
        [
            registered(),
            visit(1, **OTHER),
            registered(do_not_contact=True),
            visit(2, "cancelled", **OTHER),
            registered(),
        ],
        told_other=[CONFIRMED, IS_CANCELLED],
    ),
    Case(
        "no consent, given to one who gave it",
        [registered(consent=False), visit(1, **OTHER), visit(2), registered()],
        told=[CONFIRMED],
        told_other=[],
    ),
    Case(
        "moved, and another provider right after it",
        [visit(1), visit(2, **NEXT_WEEK), visit(3, provider={"id": "{provider2}"}, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
        noticed=([BOOKED, MOVED, CANCELLED], [BOOKED]),
    ),
    Case(
        "entered in error, and booked again for another day",
        [visit(1), visit(2, "entered-in-error"), visit(3, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
    ),
    Case(
        "booked before its provider is registered",
        [
            visit(1, provider={"id": "new-{mark}"}),
            Post({"name": "Dr New"}, warnings=None, path="/v1/providers/new-{mark}?source=local", method="PUT"),
        ],
        told=[CONFIRMED],
    ),
    Case(
        "another provider, then cancelled",
        [visit(1), visit(2, provider={"id": "{provider2}"}), visit(3, "cancelled", provider={"id": "{provider2}"})],
        told=[CONFIRMED, IS_CANCELLED],
        noticed=([BOOKED, CANCELLED], [BOOKED, CANCELLED]),
    ),
    Case(
        "another provider at another time",
        [visit(1), visit(2, provider={"id": "{provider2}"}, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
        noticed=([BOOKED, CANCELLED], [BOOKED]),
    ),
    Case(
        "no provider any more, and one again",
        [visit(1), visit(2, provider=None), visit(3)],
        told=[CONFIRMED],
        noticed=([BOOKED, CANCELLED, BOOKED], []),
    ),
    Case(
        "imported, then cancelled", [imported(1), visit(2, "cancelled")], told=[IS_CANCELLED], noticed=([CANCELLED], [])
    ),
    Case("imported, then moved", [imported(1), visit(2, **NEXT_WEEK)], told=[HAS_MOVED], noticed=([MOVED], [])),
    Case("imported, then cancelled as history", [imported(1), imported(2, "cancelled")], told=[], noticed=([], [])),
    Case(
        "moved to and fro",
        [visit(1), visit(2, **NEXT_WEEK), visit(3), visit(4, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED, HAS_MOVED, HAS_MOVED],
        noticed=([BOOKED, MOVED, MOVED, MOVED], []),
    ),
    Case("cancelled and booked again at once", [visit(1), visit(2, "cancelled"), visit(3)], told=[CONFIRMED]),
    Case(
        "cancelled, moved and booked again at once",
        [visit(1), visit(2, "cancelled"), visit(3, **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
    ),
    Case(
        "cancelled, and another booked in its place",
        [visit(1), visit(2, "cancelled"), visit(3, id="w-{mark}", **NEXT_WEEK)],
        told=[CONFIRMED, HAS_MOVED],
    ),
    Case(
        "refused for now, given away, and his again",
        [registered(), refused_for_now("{other_email}"), visit(1, **OTHER), visit(2), visit(3, **OTHER)],
        told=[CONFIRMED, IS_CANCELLED],
        told_other=[CONFIRMED],
    ),
    Case(
        "cancelled, another booked in its place, and the first booked again",
        [visit(1), visit(2, "cancelled"), visit(3, id="w-{mark}", **NEXT_WEEK), visit(4)],
        told=[CONFIRMED, HAS_MOVED, CONFIRMED],
    ),
    Case(
        "cancelled, and another booked at the same time",
        [visit(1), visit(2, "cancelled"), visit(3, id="w-{mark}")],
        told=[CONFIRMED, CONFIRMED],
    ),
    Case(
        "imported and cancelled as history, then booked",
        [imported(1), imported(2, "cancelled"), visit(3)],
        told=[CONFIRMED],
    ),
    Case(
        "another room, the service, confirmed",
        [visit(1), visit(2, confirmed=True)],
        told=[CONFIRMED],
        noticed=([BOOKED], []),
    ),
)


def test_d58_each_recipient_is_told_what_is_so_and_he_does_not_know(seen: Seen) -> None:
    seen.judge()
