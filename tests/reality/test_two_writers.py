"""Two writers of one visit: what the patient answered stays until upstream's own word changes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.reality.test_order import resource
from tests.reality.test_three_values import event
from tests.support.reality import Answer, Case, Post, Seen, Warned, fhir

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it

KEPT = [("KEPT_PATIENT_REPLY", "appointment.status")]
KEPT_FLAG = [("KEPT_PATIENT_REPLY", "appointment.confirmed")]
BOOKED, CANCELLED, MOVED = ("sms", "is booked"), ("sms", "cancelled"), ("sms", "moved")


def told(number: int, warnings: Sequence[Warned] = (), **appointment: Any) -> Post:
    """Return an event of ours, booked unless it says otherwise, that is applied."""
    whole = {"start": "{S}", "end": "{E}", "provider": {"id": "{provider}"}, **appointment}
    return Post(event(number, **whole), {"result": "applied"}, warnings)


def changed(minute: int, warnings: Sequence[Warned] = (), **members: Any) -> Post:
    """Return a FHIR Appointment that is changed so many minutes on, and is applied."""
    whole = resource(f"{{NOW+{minute}m}}", **members)
    return fhir(whole, {"Attend-Result": "applied"}, warnings=warnings, status=201 if not minute else 200)


def message(number: int, appointment: dict[str, Any]) -> dict[str, Any]:
    """Return a booking message of FHIR around an Appointment."""
    header = {
        "resourceType": "MessageHeader",
        "id": f"m-{{mark}}-{number}",
        "eventCoding": {"code": "booking-request"},
        "source": {"endpoint": "urn:us"},
        "focus": [{"reference": "urn:uuid:visit"}],
    }
    return {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": f"2027-03-02T10:0{number}:00Z",
        "entry": [{"resource": header}, {"fullUrl": "urn:uuid:visit", "resource": appointment}],
    }


ANOTHER: dict[str, Any] = {"provider": {"id": "{provider2}"}}
EYES: dict[str, Any] = {"serviceType": [{"text": "Eyes"}]}
FIRST = told(1)

CASES = (
    Case(
        "cancelled by reply, then another provider with status booked",
        [FIRST, Answer("X"), told(2, warnings=KEPT, **ANOTHER)],
        held={"status": "cancelled", "reason": "cancelled by the patient's reply", "version": 3},
        told=[BOOKED, CANCELLED],
        noticed=(["New Appointment Booked", "Appointment Cancelled"], []),
    ),
    Case(
        "cancelled by reply, then another service twice, with a reason for it",
        [
            FIRST,
            Answer("X"),
            told(2, warnings=KEPT, service_type="Eyes"),
            Post({**event(3, start="{S}", service_type="Ears"), "reason": "room 2 is closed"}, warnings=KEPT),
        ],
        held={"status": "cancelled", "service_type": "Ears", "version": 4},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled by reply, and upstream only repeats itself",
        [FIRST, Answer("X"), Post(event(2, start="{S}"), {"result": "repeat"}, KEPT)],
        held={"status": "cancelled", "version": 2},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled by reply, then another start: booked again, and moved",
        [FIRST, Answer("X"), told(2, start="{S+1d}", end="{E+1d}")],
        held={"status": "booked", "starts_at": "{S+1d}"},
        told=[BOOKED, MOVED],
    ),
    Case(
        "cancelled by reply, cancelled by upstream, booked again by upstream",
        [FIRST, Answer("X"), Post(event(2, "cancelled"), {"result": "repeat"}), told(3)],
        held={"status": "booked", "starts_at": "{S}"},
        told=[BOOKED],  # what is taken back before it was told is not told
    ),
    Case(
        "confirmed by reply, then another provider and not confirmed by upstream",
        [FIRST, Answer("C"), told(2, warnings=KEPT_FLAG, confirmed=False, **ANOTHER)],
        held={"status": "booked", "confirmed": True},
        told=[BOOKED],
    ),
    Case(
        "confirmed by reply, then upstream cancels",
        [FIRST, Answer("C"), Post(event(2, "cancelled"), {"result": "applied"})],
        held={"status": "cancelled"},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled by reply, then imported again as booked",
        [
            FIRST,
            Answer("X"),
            Post({**event(2, start="{S}", service_type="Eyes"), "mode": "backfill"}, {"result": "applied"}, KEPT),
        ],
        held={"status": "cancelled"},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "cancelled by reply, then given to another patient",
        [FIRST, Answer("X"), told(2, patient={"id": "{other}"})],
        held={"status": "booked"},
    ),
    Case(
        "FHIR: cancelled by reply, then another service with status booked",
        [changed(0), Answer("X"), changed(2, warnings=KEPT, **EYES)],
        held={"status": "cancelled", "service_type": "Eyes"},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "FHIR: cancelled by reply, then PUT with another end",
        [
            changed(0),
            Answer("X"),
            Post(
                resource("{NOW+2m}", end="{S+1h}"),
                {"Attend-Result": "applied"},
                KEPT,
                path="/fhir/R4/Appointment/v-{mark}",
                method="PUT",
                content_type="application/fhir+json",
            ),
        ],
        held={"status": "cancelled", "ends_at": "{S+1h}"},
        told=[BOOKED, CANCELLED],
    ),
    Case(
        "FHIR message: cancelled by reply, then another service, then another start",
        [
            fhir(message(1, resource("{NOW}")), warnings=[]),
            Answer("X"),
            fhir(message(2, resource("{NOW+2m}", **EYES)), {"Attend-Result": "applied"}, warnings=KEPT),
            fhir(message(3, resource("{NOW+3m}", start="{S+1d}", end="{E+1d}")), {"Attend-Result": "applied"}),
        ],
        held={"status": "booked", "starts_at": "{S+1d}"},
    ),
    Case(
        "FHIR: cancelled by reply, and he came all the same",
        [changed(0), Answer("X"), changed(2, status="arrived", warnings=[("ILLEGAL_TRANSITION", "")])],
        held={"status": "arrived"},
    ),
)


def test_what_the_patient_answered_stays_until_upstreams_own_word_changes(seen: Seen) -> None:
    seen.judge()
