"""Steps of a visit by mode of its source: what the state table lacks is taken with a warning, or refused (R33)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.reality.test_order import resource
from tests.reality.test_three_values import event
from tests.support.reality import Answer, Case, Post, Seen, Warned, fhir

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it

PATH = "/v1/sources/local/transitions"
WARNED = [("ILLEGAL_TRANSITION", "")]
FACT = [("FACT_BEFORE_BOOKING", "")]
APPLIED = {"result": "applied"}
FIRST = Post(event(1, start="{S}", end="{E}"), APPLIED)
FHIR_FIRST = fhir(resource("{NOW}"), {"Attend-Result": "applied"}, status=201)
CAME = "the patient came to this visit; send another one under an id of its own"
NO_REASON = "without a reason: it is a correction, by a client that may correct"

ENFORCED, OBSERVED = (), (None,) * 5
"""Turns that a case waits: the first case enforces the source in the first turn, and lets it be in the sixth."""


def bare(number: int, status: str, **appointment: Any) -> dict[str, Any]:
    """Return an event that says nothing of its place in the order."""
    return {name: value for name, value in event(number, status, **appointment).items() if name != "sequence"}


def mode(mode: str, *, changed: bool) -> Post:
    """Return how the source is judged from now on."""
    body = {"mode": mode, "reason": "to be seen"}
    return Post(body, {"mode": mode, "changed": changed}, path=PATH, method="PUT")


def told(number: int, status: str, warnings: Sequence[Warned] = (), **given: Any) -> Post:
    """Return an event of ours that is applied."""
    return Post({**event(number, status), **given}, APPLIED, warnings)


def refused(number: int, status: str, way: str, **given: Any) -> Post:
    """Return an event of ours that is refused, and how the answer says so."""
    answer = {"code": "ILLEGAL_TRANSITION", "detail": f"no step from {way}", "errors.0.place": "appointment.status"}
    return Post({**event(number, status), **given}, answer, status=409)


def changed(minute: int, status: str, warnings: Sequence[Warned] = ()) -> Post:
    """Return a FHIR Appointment that is changed so many minutes on, and is applied."""
    return fhir(resource(f"{{NOW+{minute}m}}", status), {"Attend-Result": "applied"}, warnings=warnings)


def refused_as_fhir(minute: int, status: str) -> Post:
    """Return a FHIR Appointment that is refused."""
    place = "issue.0.details.coding.0.code"
    return fhir(
        resource(f"{{NOW+{minute}m}}", status), {place: "ILLEGAL_TRANSITION", "issue.0.code": "conflict"}, status=409
    )


CASES = (
    Case(
        "the source is enforced, again without effect, and observed again",
        [
            mode("enforce", changed=True),
            mode("enforce", changed=False),
            None,
            None,
            None,
            mode("observe", changed=True),
        ],
    ),
    Case(
        "enforce: the way of a visit",
        [*ENFORCED, FIRST, told(2, "arrived"), told(3, "checked-in"), told(4, "fulfilled")],
        held={"status": "fulfilled", "version": 4},
    ),
    Case(
        "enforce: a request after the patient came",
        [*ENFORCED, FIRST, told(2, "fulfilled"), refused(3, "proposed", f"fulfilled to proposed: {CAME}")],
        held={"status": "fulfilled", "version": 2},
    ),
    Case(
        "enforce: an arrival taken back, with a reason by a client without the right, then with the lawful step",
        [
            *ENFORCED,
            FIRST,
            told(2, "arrived"),
            refused(
                3,
                "booked",
                "arrived to booked by this client: it is a correction, and the client may not correct (--may-correct)",
                reason="it was another visit",
            ),
            told(3, "checked-in"),
        ],
        held={"status": "checked-in", "version": 3},
    ),
    Case(
        "enforce: a no-show booked again, twice without a reason",
        [*ENFORCED, FIRST, told(2, "noshow"), *[refused(3, "booked", f"noshow to booked {NO_REASON}")] * 2],
        held={"status": "noshow", "version": 2},
    ),
    Case(
        "enforce: somebody came all the same to a visit that upstream cancelled",
        [*ENFORCED, FIRST, told(2, "cancelled"), refused(3, "arrived", f"cancelled to arrived {NO_REASON}")],
        held={"status": "cancelled", "version": 2},
        told=[("email", "booked"), ("email", "cancelled")],
    ),
    Case(
        "enforce: cancelled by reply, and he came all the same: upstream's own step",
        [*ENFORCED, FIRST, Answer("X"), told(2, "arrived", WARNED)],
        held={"status": "arrived", "version": 3},
    ),
    Case(
        "enforce: arrived before its booking reached us, which is late then",
        [
            *ENFORCED,
            Post(event(2, "arrived", start="{S}", end="{E}"), APPLIED, FACT),
            Post(event(1, start="{S}", end="{E}"), {"result": "stale"}, [("STALE", "sequence")]),
        ],
        held={"status": "arrived", "version": 1},
    ),
    Case(
        "enforce: arrived before its booking reached us, without a sequence or a time",
        [
            *ENFORCED,
            Post(bare(2, "arrived", start="{S}"), APPLIED, FACT),
            Post(bare(1, "booked", start="{S}", end="{E}"), APPLIED, [("STALE", "appointment.status")]),
        ],
        held={"status": "arrived", "version": 2},
    ),
    Case(
        "enforce: asked for, arrived, let in, and only then its booking reaches us",
        [
            *ENFORCED,
            Post(bare(1, "pending", start="{S}"), APPLIED),
            Post(bare(2, "arrived", start="{S}"), APPLIED, FACT),
            Post(bare(3, "checked-in", start="{S}"), APPLIED),
            Post(bare(4, "booked", start="{S}", end="{E}"), APPLIED, [("STALE", "appointment.status")]),
        ],
        held={"status": "checked-in", "version": 4},
    ),
    Case(
        "enforce: arrived at a visit that was cancelled and never booked, without a sequence or a time",
        [
            *ENFORCED,
            Post(bare(1, "cancelled"), {"result": "tombstone"}),
            Post(bare(2, "arrived", start="{S}"), APPLIED, FACT),
        ],
        held={"status": "arrived", "version": 1},
    ),
    Case(
        "enforce: arrived at a visit that was cancelled and never booked",
        [
            *ENFORCED,
            Post(event(1, "cancelled"), {"result": "tombstone"}),
            Post(event(2, "arrived", start="{S}", end="{E}"), APPLIED, FACT),
        ],
        held={"status": "arrived", "version": 1},
    ),
    Case(
        "enforce: nobody came to what was only asked for",
        [*ENFORCED, Post(event(1, "pending", start="{S}"), APPLIED), told(2, "noshow", FACT)],
        held={"status": "noshow"},
        told=[],
    ),
    Case(
        "enforce: after an error",
        [
            *ENFORCED,
            FIRST,
            told(2, "entered-in-error"),
            refused(
                3,
                "booked",
                "entered-in-error to booked: an error is final; send the visit under an id of its own",
                reason="it was none",
            ),
        ],
        held={"status": "entered-in-error"},
    ),
    Case(
        "enforce: cancelled and booked again",
        [*ENFORCED, FIRST, told(2, "cancelled"), told(3, "booked")],
        held={"status": "booked", "version": 3},
    ),
    Case(
        "enforce: one batch, each step for itself",
        [
            *ENFORCED,
            Post(
                [event(1, "arrived", start="{S}"), event(2, "waitlist"), event(3, "fulfilled"), event(4, "arrived")],
                {
                    "results.0.result": "applied",
                    "results.1.code": "ILLEGAL_TRANSITION",
                    "results.1.status": 409,
                    "results.2.result": "applied",
                    "results.3.code": "ILLEGAL_TRANSITION",
                },
            ),
        ],
        held={"status": "fulfilled", "version": 2},
    ),
    Case(
        "enforce: FHIR, a request after the patient came",
        [*ENFORCED, FHIR_FIRST, changed(2, "fulfilled"), refused_as_fhir(3, "pending")],
        held={"status": "fulfilled"},
    ),
    Case(
        "enforce: FHIR, fulfilled and never booked, then booked",
        [*ENFORCED, fhir(resource("{NOW}", "fulfilled"), warnings=FACT, status=201), refused_as_fhir(2, "booked")],
        held={"status": "fulfilled", "version": 1},
    ),
    Case(
        "observe: a request after the patient came",
        [*OBSERVED, FIRST, told(2, "fulfilled"), told(3, "proposed", WARNED)],
        held={"status": "proposed", "version": 3},
    ),
    Case(
        "observe: an arrival taken back with a reason",
        [*OBSERVED, FIRST, told(2, "arrived"), told(3, "booked", reason="it was another visit")],
        held={"status": "booked", "version": 3},
    ),
    Case(
        "observe: after an error",
        [*OBSERVED, FIRST, told(2, "entered-in-error"), told(3, "booked", WARNED)],
        held={"status": "booked"},
    ),
    Case(
        "observe: arrived, and never booked",
        [*OBSERVED, Post(event(1, "arrived", start="{S}"), APPLIED, FACT)],
        held={"status": "arrived"},
    ),
    Case(
        "observe: FHIR, a request after the patient came",
        [*OBSERVED, FHIR_FIRST, changed(2, "fulfilled"), changed(3, "pending", WARNED)],
        held={"status": "pending"},
    ),
    Case(
        "observe: FHIR, checked in, and never booked",
        [*OBSERVED, fhir(resource("{NOW}", "checked-in"), warnings=FACT, status=201)],
        held={"status": "checked-in"},
    ),
)


def test_what_the_state_table_lacks_is_judged_by_the_mode_of_its_source(seen: Seen) -> None:
    seen.judge()
