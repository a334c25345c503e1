"""Essentials and details: a detail that cannot be read or kept is dropped and named, and never refuses the event."""

from collections.abc import Sequence
from datetime import timedelta
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


MAIL = {"system": "email", "value": "{email}"}

STRAT = "there is no such field, so it was not read; did you mean start?"


def message(patient: dict[str, Any]) -> dict[str, Any]:
    """Return a booking as a message that brings its patient along."""
    header = {
        "resourceType": "MessageHeader",
        "id": "m-{mark}",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "booking-request"},
        "source": {"endpoint": "urn:x"},
        "focus": [{"reference": "urn:uuid:a"}],
    }
    actors = [{"reference": "urn:uuid:p"}, {"reference": "Location/{clinic}"}]
    visit = resource(participant=[{"actor": actor, "status": "accepted"} for actor in actors])
    person = {"resourceType": "Patient", "identifier": [{"value": "{patient}"}], **patient}
    entries = [("urn:uuid:h", header), ("urn:uuid:a", visit), ("urn:uuid:p", person)]
    return {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [{"fullUrl": url, "resource": one} for url, one in entries],
    }


def dropped(*places: str) -> list[tuple[str, str]]:
    return [("DETAIL_DROPPED", place) for place in places]


CANCELLATIONS: tuple[tuple[str, dict[str, Any], dict[str, Any], Sequence[tuple[str, str]]], ...] = (
    ("with a reason over two lines", {"reason": "unwell\nsince Monday"}, {}, dropped("reason")),
    ("with a reason of 240 characters", {"reason": "x" * 240}, {}, dropped("reason")),
    ("with an empty reason", {"reason": ""}, {}, dropped("reason")),
    ("with a reason that is an object", {"reason": {"text": "unwell"}}, {}, dropped("reason")),
    ("by a provider that is a text", {}, {"provider": "Dr Who"}, dropped("appointment.provider")),
    ("at a clinic that nobody knows", {}, {"clinic": "NOWHERE"}, dropped("appointment.clinic")),
    ("with a service over two lines", {}, {"service_type": "a\r\nb"}, dropped("appointment.service_type")),
    ("with times that are none", {}, {"start": "?", "end": 0}, dropped("appointment.start", "appointment.end")),
    ("ended before it began", {}, {"end": "{S-1d}"}, dropped("appointment.end")),
    ("at a time that is none", {"occurred_at": "yesterday"}, {}, dropped("occurred_at")),
)

_REASON = "Appointment.cancelationReason"
CANCELLED_RESOURCES: tuple[tuple[str, dict[str, Any], Sequence[tuple[str, str]]], ...] = (
    ("with a reason over two lines", {"cancelationReason": {"text": "a\nb"}}, dropped(_REASON)),
    ("with a reason of 240 characters", {"cancelationReason": {"text": "x" * 240}}, dropped(_REASON)),
    ("with an empty description", {"description": ""}, dropped("Appointment.description")),
    ("with a field of another profile", {"cancelledBy": "desk"}, [("UNKNOWN_FIELD", "Appointment.cancelledBy")]),
)


def half(text: str, number: int = 2, visit: str = "v") -> bytes:
    """Return a cancellation with an escape in its reason that is no character."""
    appointment = b'"appointment":{"id":"%s-{mark}","status":"cancelled"}' % visit.encode()
    return b'{"event_id":"e-{mark}-%d","reason":"sorry %s",%s}' % (number, text.encode(), appointment)


WHO = {"actor": {"type": "Patient", "identifier": {"value": "{patient}"}}, "status": "accepted"}
WHERE = {"actor": {"reference": "Location/{clinic}"}, "status": "accepted"}
NOBODY = {"actor": {"reference": "", "display": "Dr Who"}, "status": "accepted"}
BESIDE: tuple[tuple[str, dict[str, Any], Sequence[tuple[str, str]] | None], ...] = (
    (
        "with a reason as R5 spells it",
        {"cancellationReason": {"text": "ill"}},
        [("UNKNOWN_FIELD", "Appointment.cancellationReason")],
    ),
    ("with an instruction for the patient", {"patientInstruction": "Fast from midnight"}, []),
    (
        "with a participant who is nobody",
        {"participant": [WHO, WHERE, NOBODY]},
        dropped("Appointment.participant[2].actor.reference"),
    ),
    ("with an empty identifier", {"identifier": [{"value": ""}]}, dropped("Appointment.identifier[0].value")),
    ("with 25 fields of its own", {f"x{n}": 1 for n in range(25)}, None),
    ("with a contained resource of an unknown kind", {"contained": [{"resourceType": "VirtualService"}]}, []),
)
LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it
CASES = (
    Case(
        "a plain booking",
        [Post(event(), {"result": "applied", "version": 1})],
        held={"status": "booked", "starts_at": "{S}"},
        told=[("email", "")],
    ),
    *(
        Case(
            f"cancelled, {what}",
            [
                Post(event()),
                Post({**event(2, {"status": "cancelled", **visit}), **members}, {"result": "applied"}, warned),
            ],
            held={"status": "cancelled", "reason": None},
            told=[("email", ""), ("email", "cancelled")],
        )
        for what, members, visit, warned in CANCELLATIONS
    ),
    *(
        Case(
            f"FHIR: cancelled, {what}",
            [
                fhir(resource(), status=201),
                fhir(resource(status="cancelled", **members), {"Attend-Result": "applied"}, warnings=warned),
            ],
            held={"status": "cancelled"},
            told=[("email", ""), ("email", "cancelled")],
        )
        for what, members, warned in (*CANCELLED_RESOURCES, *BESIDE)
    ),
    *(
        Case(
            f"cancelled, {what}",
            [Post(event()), Post(sent, {answer: "applied"}, warned)],
            held={"status": "cancelled"},
            told=[("email", ""), ("email", "cancelled")],
        )
        for what, sent, answer, warned in (
            ("with a reason cut within an emoji", half("\\ud83d"), "result", dropped("reason")),
            ("with a NUL in the reason", half("\\u0000"), "result", dropped("reason")),
            (
                "beside another's event with half an emoji",
                b'{"events":[%s,%s]}' % (half("good"), half("\\ud83d", 3, "w")),
                "results.0.result",
                None,
            ),
            (
                "of a patient of whom nothing is said, in no mode",
                {**event(2, {"status": "cancelled", "patient": {}}), "mode": None},
                "result",
                [],
            ),
        )
    ),
    Case(
        "a message of a patient whose first number is no name, and whose id R4 does not know",
        [
            fhir(
                message({"id": "pat_1", "identifier": [{"value": ""}, {"value": "{patient} "}], "telecom": [MAIL]}),
                warnings=None,
            )
        ],
        held={"status": "booked"},
        told=[("email", "")],
    ),
    Case(
        "a message of a patient who died at a time that is none",
        [
            fhir(
                message(
                    {
                        "identifier": [{"value": "{other}"}],
                        "telecom": [{"system": "email", "value": "{other_email}"}],
                        "deceasedDateTime": "2026-03-04 10:00",
                    }
                ),
                warnings=dropped("Bundle.entry[2].resource.deceasedDateTime"),
            )
        ],
        told_other=[],
    ),
    Case(
        "a message whose patient has a disconnected phone and a good mail",
        [
            fhir(
                message({"telecom": [{"system": "phone", "value": "disconnected"}, MAIL]}),
                warnings=[("DETAIL_DROPPED", "patient.phone")],
            )
        ],
        held={"status": "booked"},
        told=[("email", "")],
    ),
    Case(
        "a message whose patient has a name with what nobody sees, and a birthday as people write it",
        [
            fhir(
                message({"name": [{"family": "Aba\u00adra", "given": ["\ufeffA\u200bda"]}], "birthDate": "2/4/1968"}),
                warnings=[("DETAIL_DROPPED", "Bundle.entry[2].resource.birthDate")],
            )
        ],
        held={"status": "booked"},
        told=[("email", "")],
    ),
    Case(
        "a misspelt start of a move is said",
        [
            Post(event()),
            Post(
                {"event_id": "e-{mark}-2", "appointment": {"id": "v-{mark}", "status": "booked", "strat": "{S+1d}"}},
                {"result": "repeat", "warnings.0.detail": STRAT},
                [("UNKNOWN_FIELD", "appointment.strat")],
            ),
        ],
        held={"starts_at": "{S}"},
        told=[("email", "")],
    ),
    Case(
        "a first booking whose start is misspelt is refused, and the answer says so; the same mended is taken",
        [
            Post(
                event(appointment={"start": None, "strat": "{S}"}),
                {"code": "START_REQUIRED", "errors.1.place": "appointment.strat", "errors.1.detail": STRAT},
                None,
                status=422,
            ),
            Post(event()),
        ],
        held={"status": "booked", "starts_at": "{S}"},
        told=[("email", "")],
    ),
    Case(
        "a booking that ends as it starts",
        [Post(event(appointment={"end": "{S}"}), warnings=[("END_IS_START", "appointment.end")])],
        held={"starts_at": "{S}", "ends_at": None},
        told=[("email", "")],
    ),
    Case(
        "a first booking at a clinic that nobody knows has nothing to stand on",
        [Post(event(appointment={"clinic": "NOWHERE"}), {"code": "UNKNOWN_CLINIC"}, None, status=422)],
        told=[],
    ),
    Case(
        "an Appointment of FHIR",
        [fhir(resource(), {"Attend-Result": "applied"}, status=201)],
        held={"status": "booked"},
        told=[("email", "")],
    ),
)


def test_d50_a_detail_never_refuses_the_event(seen: Seen) -> None:
    seen.judge()
