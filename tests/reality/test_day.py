"""A clinic's desk cancels or moves a day on a running system: what upstream then says, and what the patient hears."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.reality.test_three_values import event
from tests.reality.test_two_writers import ANOTHER, FIRST, told
from tests.support.reality import Answer, Case, Post, Seen, Warned

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it

STATUS: Warned = ("KEPT_DESK_CHANGE", "appointment.status")
START: Warned = ("KEPT_DESK_CHANGE", "appointment.start")
LATER_THAT_DAY = "{S+45m}"
BOOKED, CANCELLED, MOVED = ("email", "is booked"), ("email", "is cancelled"), ("email", "has moved")
TEXTED, TEXTED_CANCELLED, TEXTED_MOVED = ("sms", "is booked"), ("sms", "cancelled"), ("sms", "moved")
"""To whoever answers by SMS."""


def desk(act: str = "cancel", answer: Mapping[str, Any] | None = None, key: str = "d-{mark}", **body: Any) -> Post:
    """Return the order of a desk for the whole day of the clinic, by which its one visit is changed."""
    day = {"clinic": "{clinic}", "day": "{S%Y-%m-%d}", "event_id": key, "reason": "Dr Who is ill", "by": "the desk"}
    expected = {"visits": 1, "results.0.result": "applied", **(answer or {})}
    return Post({**day, **body}, expected, None, path=f"/v1/appointments/{act}")


TO_NEXT_DAY = desk("move", {"results.0.new_starts_at": "{S+1d}"}, to_day="{S+1d%Y-%m-%d}")
LEFT = {"results.0.result": None, "results.0.status": 409}

CASES = (
    Case(
        "a day is cancelled",
        [FIRST, desk(answer={"totals.reminders_cancelled": 2, "totals.patients_told": 1, "totals.providers_told": 1})],
        held={"status": "cancelled", "reason": "Dr Who is ill", "version": 2},
        told=[BOOKED, CANCELLED],
        noticed=(["New Appointment Booked", "Appointment Cancelled"], []),
    ),
    Case(
        "cancelled by two requests with one key",
        [FIRST, desk(), desk(answer={"results.0.result": "repeat", "results.0.original_result": "applied"})],
        held={"status": "cancelled", "version": 2},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled by two requests with a key each",
        [FIRST, desk(), desk(answer={"visits": 0, "results.0.result": None}, key="d2-{mark}")],
        held={"status": "cancelled", "version": 2},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "only tried",
        [FIRST, desk(answer={"dry_run": True, "totals.patients_told": 1}, dry_run=True)],
        held={"status": "booked", "version": 1},
        told=[BOOKED],
    ),
    Case(
        "cancelled, and upstream goes on with another provider",
        [FIRST, desk(), told(2, [STATUS], **ANOTHER)],
        held={"status": "cancelled", "version": 3},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled, and upstream only repeats itself",
        [FIRST, desk(), Post(event(2, start="{S}"), {"result": "repeat"}, [STATUS])],
        held={"status": "cancelled", "version": 2},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled, and upstream gives another start: that is its own word",
        [FIRST, desk(), told(2, start="{S+2d}", end="{E+2d}")],
        held={"status": "booked", "starts_at": "{S+2d}"},
        told=[BOOKED, MOVED],
    ),
    Case(
        "cancelled, and taken back with a reason alone",
        [FIRST, desk(), Post({**told(2).body, "reason": "she can do it after all"}, {"result": "applied"}, ())],
        held={"status": "booked", "starts_at": "{S}"},
        told=[BOOKED],  # what is taken back before it was told is not told
    ),
    Case(
        "moved to the next day, and upstream goes on with its old start and another provider",
        [FIRST, TO_NEXT_DAY, told(2, [START], **ANOTHER)],
        held={"status": "booked", "starts_at": "{S+1d}", "version": 3},
        told=[BOOKED, MOVED],
    ),
    Case(
        "moved to the next day, and upstream cancels naming its old start",
        [FIRST, TO_NEXT_DAY, told(2, [START], status="cancelled")],
        held={"status": "cancelled", "starts_at": "{S+1d}"},
        told=[BOOKED, MOVED, CANCELLED],
    ),
    Case(
        "moved by minutes, and upstream is told and agrees",
        [FIRST, desk("move", by_minutes=45), Post(event(2, start=LATER_THAT_DAY), {"result": "repeat"}, ())],
        held={"status": "booked", "starts_at": LATER_THAT_DAY, "version": 2},
        told=[BOOKED, MOVED],
    ),
    Case(
        "cancelled by the patient before the desk",
        [FIRST, Answer("X"), desk(answer={"visits": 0, "results.0.result": None})],
        held={"status": "cancelled", "reason": "cancelled by the patient's reply", "version": 2},
        told=[TEXTED, TEXTED_CANCELLED],
    ),
    Case(
        "cancelled by the patient, and the desk names him",
        [FIRST, Answer("X"), desk(answer={**LEFT, "results.0.code": "ALREADY_CANCELLED"}, status=["cancelled"])],
        held={"status": "cancelled", "reason": "cancelled by the patient's reply", "version": 2},
        told=[TEXTED, TEXTED_CANCELLED],
    ),
    Case(
        "moved, and the patient confirms the new time",
        [FIRST, TO_NEXT_DAY, Answer("C"), told(2, [START], **ANOTHER)],
        held={"status": "booked", "starts_at": "{S+1d}", "confirmed": True},
        told=[TEXTED, TEXTED_MOVED],
    ),
    Case(
        "who has arrived is not called off",
        [FIRST, told(2, status="arrived"), desk(answer={**LEFT, "results.0.code": "ALREADY_BEGUN"})],
        held={"status": "arrived", "version": 2},
        told=[BOOKED],
    ),
)


def test_what_the_desk_did_stays_until_upstreams_own_word_changes(seen: Seen) -> None:
    seen.judge()
