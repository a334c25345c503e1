"""Requests that the door refuses, each with the answer it must get. `docs/bad-input.md` lists them for readers."""

from dataclasses import dataclass
from typing import Any

import orjson

from tests.support.booking.door import booking


@dataclass(frozen=True)
class Bad:
    """A request and the answer it must get."""

    method: str
    path: str
    body: Any
    status: int
    code: str


def event(status: int, code: str, body: Any) -> Bad:
    return Bad("POST", "/v1/events", body, status, code)


def patient(code: str, status: int = 422, **fields: Any) -> Bad:
    return Bad("PUT", "/v1/patients/bob", {"given_name": "Bob", **fields}, status, code)


def clinic(code: str, status: int = 422, path: str = "ENT", **fields: Any) -> Bad:
    body = {"name": "Throat Clinic", "zone": "Europe/London", **fields}
    return Bad("PUT", f"/v1/clinics/{path}", body, status, code)


def fhir(status: int, code: str, body: Any, path: str = "Appointment") -> Bad:
    return Bad("POST", f"/fhir/R4/{path}", body, status, code)


RESOURCE: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "status": "booked",
    "start": "2027-03-12T10:00:00Z",
    "end": "2027-03-12T10:30:00Z",
    "participant": [{"actor": {"reference": "Patient/ann"}, "status": "accepted"}],
}

PRACTITIONER = {"actor": {"reference": "Practitioner/x"}, "status": "accepted"}
PLACE = {"actor": {"reference": "Location/9"}, "status": "accepted"}

BAD = {
    "nothing": event(400, "EMPTY_BODY", b""),
    "not JSON": event(400, "NOT_JSON", b"hello"),
    "truncated": event(400, "TRUNCATED_JSON", orjson.dumps(booking())[:-9]),
    "two documents": event(400, "TRAILING_CONTENT", orjson.dumps(booking()) * 2),
    "a key twice": event(400, "DUPLICATE_KEY", orjson.dumps(booking())[:-1] + b',"event_id":"e2"}'),
    "NaN": event(400, "NOT_A_NUMBER", orjson.dumps(booking())[:-1] + b',"sequence":NaN}'),
    "5,000 digits": event(400, "NUMBER_TOO_LONG", orjson.dumps(booking())[:-1] + b',"sequence":' + b"9" * 5000 + b"}"),
    "25 digits where nobody reads": event(
        400, "NUMBER_TOO_LONG", orjson.dumps(booking())[:-1] + b',"extra":' + b"9" * 25 + b"}"
    ),
    "10,000 levels": event(400, "TOO_DEEP", b"[" * 10_000 + b"]" * 10_000),
    "not UTF-8": event(400, "NOT_UTF8", orjson.dumps(booking()).replace(b"Check", b"Ch\xffck")),
    "NUL": event(400, "NUL_CHARACTER", orjson.dumps(booking()).replace(b"Check", b"Ch\x00ck")),
    "half a surrogate pair": Bad("PUT", "/v1/patients/bob", b'{"given_name": "\\ud800"}', 400, "LONE_SURROGATE"),
    "10 MB": event(413, "BODY_TOO_LARGE", b" " * 10_000_000),
    "1,001 events": event(413, "BATCH_TOO_LARGE", [booking(f"e{n}") for n in range(1001)]),
    "an empty batch": event(422, "EMPTY_BATCH", []),
    "no event id": event(422, "MISSING_FIELD", {"appointment": booking()["appointment"]}),
    "no appointment": event(422, "MISSING_FIELD", {"event_id": "e1"}),
    "a wrong type": event(422, "WRONG_TYPE", booking(patient="ann")),
    "an over-long id": event(422, "FIELD_TOO_LONG", booking(patient={"id": "x" * 201})),
    "a control character in an id": event(422, "CONTROL_CHARACTER", booking(patient={"id": "a\x07b"})),
    "a bidi character in an id": event(422, "BIDI_CHARACTER", booking(patient={"id": "\u202eann"})),
    "unknown status": event(422, "UNKNOWN_STATUS", booking(status="maybe")),
    "unknown mode": event(422, "UNKNOWN_MODE", {**booking(), "mode": "dry"}),
    "no patient": event(422, "PATIENT_REQUIRED", booking(patient=None)),
    "no clinic": event(422, "CLINIC_REQUIRED", booking(clinic=None)),
    "no start": event(422, "START_REQUIRED", booking(start=None, end=None)),
    "naive time": event(422, "NAIVE_TIME", booking(start="2027-03-12T10:00", end=None)),
    "no time": event(422, "BAD_TIME", booking(start="tomorrow")),
    "spring gap": event(422, "START_IN_SPRING_GAP", booking(start="2027-03-28T01:30", end=None, zone="Europe/London")),
    "year 9999": event(422, "TIME_OUT_OF_RANGE", booking(start="9999-12-31T00:00:00Z", end=None)),
    "unknown zone": event(422, "UNKNOWN_ZONE", booking(start="2027-03-12T10:00", end=None, zone="Mars/Base")),
    "unknown clinic": event(422, "UNKNOWN_CLINIC", booking(clinic="NOWHERE")),
    "foreign source": event(403, "FOREIGN_SOURCE", {**booking(), "source": "other"}),
    "an id with a line break": event(422, "CONTROL_CHARACTER", booking(appointment="v\n1")),
    "phone that is none": patient("BAD_PHONE", mobile="call me"),
    "landline": patient("NOT_A_MOBILE", mobile="+44 20 7946 0018"),
    "national number without a country": patient("NO_COUNTRY", mobile="07911 123456"),
    "email that is none": patient("BAD_EMAIL", email="bob at home"),
    "email with a header": patient("BAD_EMAIL", email="bob@example.org\nBcc: eve@example.org"),
    "email in letters that no carrier takes": patient("UNREACHABLE_EMAIL", email="jos\u00e9@example.org"),
    "name with a line break": patient("CONTROL_CHARACTER", given_name="Bob\r\nBcc: eve@example.org"),
    "name with an encoded word": patient("HEADER_INJECTION", family_name="=?utf-8?q?hi=0ABcc:eve@example.org?="),
    "name with a bidi character": patient("BIDI_CHARACTER", given_name="\u202eboB"),
    "over-long name": patient("FIELD_TOO_LONG", given_name="B" * 201),
    "blank name": patient("EMPTY_TEXT", given_name="  "),
    "consent that is a text": patient("WRONG_TYPE", consent="yes"),
    "unknown country": patient("UNKNOWN_COUNTRY", country="XX"),
    "main file that does not fit": patient("BAD_MAIN_FILE", main_file="FILE-27-1"),
    "illegal clinic code": clinic("ILLEGAL_CLINIC_CODE", path="ent"),
    "clinic code of one letter": clinic("ILLEGAL_CLINIC_CODE", path="E"),
    "clinic in an unknown zone": clinic("UNKNOWN_ZONE", zone="Mars/Base"),
    "window that closes before it opens": clinic("BAD_WINDOW", window={"opens": "21:00", "closes": "07:00"}),
    "clinic's phone that only its country dials": clinic("BAD_PHONE", phone="111", country="GB"),
    "clinic's map that is not https": clinic("BAD_URL", directions_url="http://maps.example.org"),
    "address over two lines": clinic("CONTROL_CHARACTER", address="1 Long Street\nLondon"),
    "preparation of 1,001 characters": clinic("FIELD_TOO_LONG", services={"MRI": {"preparation": "a" * 1001}}),
    "services that are no object": clinic("WRONG_TYPE", services=["MRI"]),
    "window that is no time": clinic("BAD_TIME", window={"opens": "early"}),
    "clinic that moves to another zone": clinic("CLINIC_ZONE_FIXED", 409, path="EYE", zone="Europe/Berlin"),
    "provider without a name": Bad("PUT", "/v1/providers/dr-no", {}, 422, "MISSING_FIELD"),
    "FHIR: not JSON": fhir(400, "NOT_JSON", b"<Appointment/>"),
    "FHIR: another resource": fhir(422, "NOT_AN_APPOINTMENT", {**RESOURCE, "resourceType": "AppointmentResponse"}),
    "FHIR: no message": fhir(422, "NOT_A_MESSAGE", {"resourceType": "Bundle", "type": "batch"}, "$process-message"),
    "FHIR: no patient": fhir(
        422,
        "NO_PATIENT",
        {**RESOURCE, "participant": [{"actor": {"reference": "Practitioner/x"}, "status": "accepted"}]},
    ),
    "FHIR: no identifier and no id": fhir(
        422, "NO_APPOINTMENT_ID", {name: value for name, value in RESOURCE.items() if name != "id"}
    ),
    "FHIR: app-3": fhir(422, "FHIR_INVARIANT", {n: v for n, v in RESOURCE.items() if n not in {"start", "end"}}),
    "FHIR: R5 sent as R4": fhir(422, "FHIR_R5", {**RESOURCE, "subject": {"reference": "Patient/ann"}}),
    "FHIR: a start that is none": fhir(422, "INVALID_FHIR", {**RESOURCE, "start": "soon"}),
    "FHIR: unknown status": fhir(422, "UNKNOWN_STATUS", {**RESOURCE, "status": "maybe"}),
    "FHIR: no participant": fhir(422, "NO_PATIENT", {**RESOURCE, "participant": []}),
    "FHIR: a contained patient whom nothing names": fhir(
        422,
        "NO_PATIENT",
        {
            **RESOURCE,
            "contained": [{"resourceType": "Patient", "id": "pat1"}],
            "participant": [{"actor": {"reference": "#pat1"}, "status": "accepted"}],
        },
    ),
    "FHIR: several patients": fhir(
        422,
        "SEVERAL_PATIENTS",
        {
            **RESOURCE,
            "participant": [*RESOURCE["participant"], {"actor": {"reference": "Patient/bob"}, "status": "accepted"}],
        },
    ),
    "FHIR: unknown clinic": fhir(
        422,
        "UNKNOWN_CLINIC",
        {
            **RESOURCE,
            "participant": [*RESOURCE["participant"], {"actor": {"reference": "Location/9"}, "status": "accepted"}],
        },
    ),
    "FHIR: year 9999": fhir(422, "TIME_OUT_OF_RANGE", {**RESOURCE, "start": "9999-03-12T09:00:00Z"}),
}
