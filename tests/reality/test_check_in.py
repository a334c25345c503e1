"""A patient stands at the desk, or upstream says that he is in: what the clinic requires decides what becomes of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.reality.test_order import resource
from tests.reality.test_three_values import event
from tests.reality.test_two_writers import FIRST, told
from tests.support.reality import Case, Post, Seen, Warned, fhir

LATER = timedelta(minutes=5)

NOT_CLEARED: Warned = ("NOT_CLEARED", "")
KEPT: Warned = ("KEPT_DESK_CHANGE", "appointment.status")
LACKS = {"lacking.0.kind": "consent", "lacking.0.code": "MISSING"}
REFUSED = {"code": "NOT_CLEARED", "errors.0.place": "clearances.consent", "errors.0.code": "MISSING"}
FHIR_FIRST = fhir(resource("{NOW}"), {"Attend-Result": "applied"}, status=201)
BOOKED, ARRIVED, UNCLEARED = "New Appointment Booked", "Patient Arrived", "Checked In Without Clearance"


def requires(mode: str, *kinds: str) -> Post:
    """Return the clinic's word that these are needed before check-in."""
    body = {"mode": mode, "requires": [{"kind": kind} for kind in kinds]}
    path = "/v1/clinics/{clinic}/clearance-policy"
    return Post(body, {}, None, method="PUT", path=path, by_operator=True)


def check_in(
    answer: Mapping[str, Any] | None = None, warnings: Sequence[Warned] = (), status: int = 200, **body: Any
) -> Post:
    """Return the request of a desk to let the patient in."""
    whole = {"event_id": "in-{mark}", "by": "the desk", **body}
    expected = {"result": "applied", **(answer or {})} if status == 200 else dict(answer or {})
    return Post(whole, expected, warnings, status, path="/v1/appointments/check-in?source=local&id=v-{mark}")


ENFORCED, OBSERVED = requires("enforce", "consent"), requires("observe", "consent")
OVERRIDE: dict[str, Any] = {"override": True, "reason": "the doctor asks him herself"}
IN, OUT = {"status": "checked-in", "version": 2}, {"status": "booked", "version": 1}

CASES = (
    Case("nothing is required", [FIRST, check_in({"checked": [], "lacking": [], "mode": "observe"})], held=IN,
         noticed=([BOOKED, ARRIVED], [])),
    Case("it lacks, and the clinic observes", [FIRST, OBSERVED, check_in(LACKS, [NOT_CLEARED])], held=IN,
         noticed=([BOOKED, ARRIVED], [])),
    Case("it lacks, and the clinic enforces", [FIRST, ENFORCED, check_in(REFUSED, status=409)], held=OUT,
         noticed=([BOOKED], [])),
    Case("two lack", [FIRST, requires("enforce", "identity", "financial"),
                      check_in({"errors.0.place": "clearances.identity", "errors.1.place": "clearances.financial"},
                               status=409)], held=OUT),
    Case("refused, and the same again after the clinic requires it no more",
         [FIRST, ENFORCED, check_in(REFUSED, status=409), requires("enforce"), check_in()], held=IN),
    Case("overridden by right", [FIRST, ENFORCED, check_in({"overridden": True, **LACKS}, [NOT_CLEARED], **OVERRIDE)],
         held={**IN, "reason": OVERRIDE["reason"]}, noticed=([BOOKED, ARRIVED], [])),
    Case("overridden without a reason",
         [FIRST, ENFORCED, check_in({"errors.0.place": "reason"}, status=422, override=True)], held=OUT),
    Case("only tried", [FIRST, ENFORCED, check_in(REFUSED, status=409, dry_run=True),
                        check_in({"dry_run": True, "overridden": True}, [NOT_CLEARED], dry_run=True, **OVERRIDE)],
         held=OUT),
    Case("asked twice with one key",
         [FIRST, check_in(), check_in({"result": "repeat", "original_result": "applied"})], held=IN),
    Case("asked twice with a key each", [FIRST, check_in(), check_in({"result": "repeat"}, event_id="in2-{mark}")],
         held=IN, noticed=([BOOKED, ARRIVED], [])),
    Case("a visit that nobody knows", [check_in({"code": "UNKNOWN_APPOINTMENT"}, status=404)]),
    Case("a visit that is cancelled",
         [FIRST, told(2, status="cancelled"), check_in({"code": "ALREADY_CANCELLED"}, status=409)],
         held={"status": "cancelled"}),
    Case("upstream says checked in, and the clinic enforces",
         [FIRST, ENFORCED, told(2, [NOT_CLEARED], status="checked-in")],
         held={**IN, "flags.0": "NOT_CLEARED"}, noticed=([BOOKED, ARRIVED, UNCLEARED], [])),
    Case("upstream says fulfilled, and the clinic enforces",
         [FIRST, ENFORCED, told(2, [NOT_CLEARED], status="fulfilled")],
         held={"status": "fulfilled", "flags.0": "NOT_CLEARED"}),
    Case("upstream says checked in, and the clinic observes",
         [FIRST, OBSERVED, told(2, [NOT_CLEARED], status="checked-in")], held={**IN, "flags": None},
         noticed=([BOOKED, ARRIVED], [])),
    Case("upstream says arrived, and the clinic enforces", [FIRST, ENFORCED, told(2, status="arrived")],
         held={"status": "arrived", "flags": None}),
    Case("FHIR says checked-in, and the clinic enforces",
         [FHIR_FIRST, ENFORCED, fhir(resource("{NOW+1m}", "checked-in"), {"Attend-Result": "applied"},
                                     warnings=[NOT_CLEARED])],
         held={**IN, "flags.0": "NOT_CLEARED"}),
    Case("history says checked-in, and the clinic enforces",
         [FIRST, ENFORCED,
          Post({**event(2, "checked-in", start="{S}", end="{E}"), "mode": "backfill"}, {"result": "applied"})],
         held={**IN, "flags": None}),
    Case("checked in, and upstream only repeats that it is booked",
         [FIRST, check_in(), told(2, [KEPT], provider={"id": "{provider2}"})], held={"status": "checked-in"}),
    Case("checked in, and upstream only now says arrived",
         [FIRST, check_in(), told(2, [KEPT], status="arrived", service_type="Scan")],
         held={"status": "checked-in", "service_type": "Scan"}),
    Case("checked in, and upstream goes on to fulfilled", [FIRST, ENFORCED,
         check_in({}, [NOT_CLEARED], **OVERRIDE), told(2, status="fulfilled")],
         held={"status": "fulfilled", "flags": None}),
)  # fmt: skip


def test_r34_who_is_let_in_is_what_the_clinic_requires_and_a_fact_is_taken(seen: Seen) -> None:
    seen.judge()
