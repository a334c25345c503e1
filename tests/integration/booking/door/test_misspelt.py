"""A misspelt field that is required is named in its refusal, with the one that is meant, by every route (0047)."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.integration.booking.door.bad_input import RESOURCE
from tests.support.booking.door import KEY, OPERATOR_KEY, Door, booking

NO_VISIT = "/v1/appointments/01a2b3c4-0000-7000-8000-000000000001"
FIRST = {"id": "new", "status": "booked", "patient": {"id": "ann"}, "clinic": "EYE"}
SOON = "2027-03-12T10:00:00Z"
EYE = {"name": "Eye Clinic", "zone": "Europe/London"}
MANY = [{"id": "a", "givenname": "Ann", "email": "ann@"}, {"ID": "b"}, {"id": "c"}]

type Case = tuple[str, str, str, Any, tuple[int, str], dict[str, str]]
"""Key, method, path, body → status and code; place of each unknown field → the one that is meant."""

CASES: list[Case] = [
    (KEY, "POST", "/v1/events", {"event_id": "e", "appointment": {**FIRST, "strat": SOON}},
     (422, "START_REQUIRED"), {"appointment.strat": "start"}),
    (KEY, "POST", "/v1/events", {"eventid": "e", "appointment": {**FIRST, "Start": SOON}},
     (422, "MISSING_FIELD"), {"eventid": "event_id", "appointment.Start": "start"}),
    (KEY, "POST", "/v1/events", {"event_id": "e", "appointment": {**FIRST, "clinic": "NONE", "start": SOON, "zoen": 1}},
     (422, "UNKNOWN_CLINIC"), {"appointment.zoen": "zone"}),
    (KEY, "POST", "/v1/events", {**booking("taken"), "ocurred_at": SOON, "reason": "another"},
     (409, "EVENT_ID_CONFLICT"), {"ocurred_at": "occurred_at"}),
    (KEY, "PUT", "/v1/clinics/ENT", {"nmae": "Throat Clinic", "zone": "Europe/London"},
     (422, "MISSING_FIELD"), {"nmae": "name"}),
    (KEY, "PUT", "/v1/clinics/ENT", {**EYE, "zone": "Mars", "adress": "1 High Street"},
     (422, "UNKNOWN_ZONE"), {"adress": "address"}),
    (KEY, "PATCH", "/v1/clinics/EYE", {"name": None, "winow": {}}, (422, "MISSING_FIELD"), {"winow": "window"}),
    (KEY, "PUT", "/v1/providers/dr", {"Name": "Dr Who"}, (422, "MISSING_FIELD"), {"Name": "name"}),
    (KEY, "PUT", "/v1/patients/ann", {"givenname": "Ann", "email": "ann@"},
     (422, "BAD_EMAIL"), {"givenname": "given_name"}),
    (KEY, "PUT", "/v1/patients/ann", {"main_fiel": "x", "main_file": "FILE-2026-000077"},
     (409, "MAIN_FILE_FIXED"), {"main_fiel": "main_file"}),
    (KEY, "PATCH", "/v1/patients/ann", {"mobil": "1", "consent": "yes"}, (422, "WRONG_TYPE"), {"mobil": "mobile"}),
    (KEY, "PUT", "/v1/patients", {"pateints": MANY}, (422, "WRONG_TYPE"), {"pateints": "patients"}),
    (KEY, "POST", "/v1/patients/ann/merge", {"into": {"ID": "b"}}, (422, "MISSING_FIELD"), {"into.ID": "id"}),
    ("desk", "POST", f"{NO_VISIT}/clearances", {"event_id": "c", "kidn": "consent", "state": "cleared"},
     (422, "MISSING_FIELD"), {"kidn": "kind"}),
    ("desk", "POST", f"{NO_VISIT}/clearances", {"event_id": "c", "kind": "consent", "state": "cleared", "fom": "x"},
     (404, "UNKNOWN_APPOINTMENT"), {"fom": "form"}),
    (KEY, "POST", "/v1/appointments/move", {"event_id": "m", "ids": [], "by_minute": 5},
     (422, "EMPTY_TEXT"), {"by_minute": "by_minutes"}),
    (KEY, "POST", f"{NO_VISIT}/check-in", {"by": 7, "overide": True}, (422, "WRONG_TYPE"), {"overide": "override"}),
    (OPERATOR_KEY, "PUT", "/v1/clinics/EYE/reminder-policy", {"rule": [{"lead_hours": 2}]},
     (422, "MISSING_FIELD"), {"rule": "rules"}),
    (OPERATOR_KEY, "PUT", "/v1/clinics/EYE/clearance-policy", {"mode": "observe", "requires": [{}, {"kidn": "x"}]},
     (422, "MISSING_FIELD"), {"requires.1.kidn": "kind"}),
    (OPERATOR_KEY, "PUT", "/v1/sources/local/transitions", {"mod": "observe"}, (422, "MISSING_FIELD"), {"mod": "mode"}),
]  # fmt: skip


def meant(errors: list[dict[str, str]]) -> dict[str, str]:
    """Return place of each unknown field → the one that may be meant."""
    unknown = [one for one in errors if one["code"] == "UNKNOWN_FIELD"]
    return {one["place"]: one["detail"].partition("did you mean ")[2].rstrip("?") for one in unknown}


async def test_every_refusal_of_a_body_names_what_it_misspelt(door: Door) -> None:
    await door.put("/v1/clinics/EYE", EYE)
    await door.put("/v1/patients/ann", {"given_name": "Ann"})
    await door.post(booking("taken"))
    keys = {"desk": await door.client(Client("desk", ("local",), may_clear=True))}
    wrong = []
    for key, method, path, body, expected, named in CASES:
        answer = await door.ask(method, path, body, key=keys.get(key, key))
        told = answer.json()
        found = (answer.status_code, told["code"]), meant(told.get("errors", []))
        if found != (expected, named):
            wrong.append((path, body, found))
    assert wrong == []


async def test_each_of_several_names_its_own(door: Door) -> None:
    await door.put("/v1/clinics/EYE", EYE)
    events = [booking("a"), {"event_id": "b", "appointment": {**FIRST, "strat": SOON}}, {"event_id": "c"}]
    told = (await door.post({"events": events}))["results"]
    assert [meant(one.get("errors", [])) for one in told] == [{}, {"appointment.strat": "start"}, {}]
    people = (await door.ask("PUT", "/v1/patients", {"patients": MANY})).json()["results"]
    assert [(one.get("code"), meant(one.get("errors", []))) for one in people] == [
        ("BAD_EMAIL", {"givenname": "given_name"}), ("MISSING_FIELD", {"ID": "id"}), (None, {}),
    ]  # fmt: skip
    desk = await door.client(Client("desk", ("local",), may_clear=True))
    visit = (await door.ask("GET", "/v1/inbound/a")).json()["appointment_id"]
    words = [{"event_id": "w", "kidn": "consent", "state": "cleared"}, {"event_id": "w"}]
    given = (await door.ask("POST", f"/v1/appointments/{visit}/clearances", words, key=desk)).json()["results"]
    assert [meant(one["errors"]) for one in given] == [{"kidn": "kind"}, {}]


@pytest.mark.parametrize(
    ("path", "resource", "code", "issue"),
    [
        ("Appointment", {**{n: v for n, v in RESOURCE.items() if n != "start"}, "strat": SOON}, "FHIR_INVARIANT",
         ("Appointment.strat", "R4 has no such field, so it was not read; did you mean start?")),
        ("Consent", {"resourceType": "Consent", "status": "active",
                     "patinet": {"reference": "Patient/a"}}, "NO_APPOINTMENT",
         ("Consent.patinet", "R4 has no such field, so it was not read; did you mean patient?")),
    ],
)  # fmt: skip
async def test_fhirs_outcome_has_an_issue_for_what_is_misspelt(
    door: Door, path: str, resource: dict[str, Any], code: str, issue: tuple[str, str]
) -> None:
    answer = await door.ask("POST", f"/fhir/R4/{path}", resource)
    first, *others = answer.json()["issue"]
    assert (answer.status_code, first["details"]["coding"][0]["code"]) == (422, code)
    assert [one["severity"] for one in others] == ["error"]
    coding = {"system": "urn:attend:refusal", "code": "UNKNOWN_FIELD"}
    assert [(one["details"]["coding"], one["expression"], one["details"]["text"]) for one in others] == [
        ([coding], [issue[0]], issue[1])
    ]
