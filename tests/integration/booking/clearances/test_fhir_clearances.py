"""Consents and answers about coverage through the FHIR door, on a real database: R4 and R5, and what is refused."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.support.booking.door import Door, booking
from tests.unit.booking.formats.clearances.test_fhir_consent import R4, R5
from tests.unit.booking.formats.clearances.test_fhir_eligibility import ANSWER

JSON = "application/fhir+json"


@pytest.fixture(name="visit")
async def booked(door: Door) -> str:
    """Book the visit v1 of Ann and return its id."""
    return str((await door.post(booking("b1")))["appointment_id"])


def now_signed(consent: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a consent signed long ago, without the sender's time."""
    at = "date" if "subject" in consent else "dateTime"
    value = {**consent, at: "2020-02-28", "period": None, "provision": None, "meta": None, **members}
    return {name: one for name, one in value.items() if one is not None}


async def take(door: Door, path: str, resource: dict[str, Any], status: int = 201, **headers: str) -> Any:
    answer = await door.ask("POST", f"/fhir/{path}", resource, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, JSON), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return answer


def code_of(answer: Any) -> str:
    """Return the code of an outcome's first issue."""
    return str(answer.json()["issue"][0]["details"]["coding"][0]["code"])


async def held(door: Door, visit: str) -> dict[str, str]:
    """Return what the visit holds: the state of each kind."""
    current = (await door.ask("GET", f"/v1/appointments/{visit}/clearances")).json()["current"]
    return {one["kind"]: one["state"] for one in current}


async def test_a_consent_is_given_repeated_and_withdrawn(door: Door, visit: str) -> None:
    first = await take(door, "R4/Consent", now_signed(R4))
    assert (first.headers["attend-result"], first.headers["attend-appointment"]) == ("applied", visit)
    assert first.headers["location"] == f"/v1/appointments/{visit}/clearances"
    assert code_of(first) == "applied"
    assert await held(door, visit) == {"consent": "cleared"}
    again = await take(door, "R4/Consent", now_signed(R4), 200)
    assert code_of(again) == "repeat"
    assert code_of(await take(door, "R4/Consent", now_signed(R4, status="inactive"))) == "applied"
    assert await held(door, visit) == {"consent": "withdrawn"}


async def test_release_5_and_a_payers_answer_are_taken_too(door: Door, visit: str) -> None:
    await take(door, "R5/Consent", now_signed(R5))
    answer = {name: one for name, one in ANSWER.items() if name != "meta"}
    await take(door, "R4/CoverageEligibilityResponse", answer)
    assert await held(door, visit) == {"consent": "cleared", "financial": "cleared"}
    await take(door, "R5/CoverageEligibilityResponse", {**answer, "outcome": "queued"})
    assert await held(door, visit) == {"consent": "cleared", "financial": "pending"}


async def test_what_was_said_before_what_is_held_is_stale(door: Door, visit: str) -> None:
    await take(door, "R4/Consent", now_signed(R4, meta={"lastUpdated": "2021-01-02T00:00:00Z"}))
    late = await take(
        door, "R4/Consent", now_signed(R4, status="inactive", meta={"lastUpdated": "2021-01-01T00:00:00Z"}), 200
    )
    assert code_of(late) == "stale"
    assert await held(door, visit) == {"consent": "cleared"}


async def test_a_visit_that_was_booked_in_fhir_is_found_by_its_identifier(door: Door) -> None:
    await door.put(
        "/v1/clinics/EYE",
        {
            "name": "Eye",
            "zone": "Europe/London",
            "country": "GB",
            "identifiers": [{"system": "Location", "value": "eye"}],
        },
    )
    participants = [{"actor": {"reference": one}, "status": "accepted"} for one in ("Patient/ann", "Location/eye")]
    appointment = {
        "resourceType": "Appointment", "id": "a1", "identifier": [{"system": "urn:pas", "value": "7"}],
        "status": "booked", "start": "2027-03-12T10:00:00Z", "end": "2027-03-12T10:30:00Z", "participant": participants,
    }  # fmt: skip
    booked = await door.ask("POST", "/fhir/R4/Appointment", appointment)
    assert booked.status_code == 201, booked.text
    logical = {"type": "Appointment", "identifier": {"system": "urn:pas", "value": "7"}}
    consent = now_signed(R4, extension=[{"url": "urn:any", "valueReference": logical}])
    taken = await take(door, "R4/Consent", consent)
    assert taken.headers["attend-appointment"] == booked.headers["attend-appointment"]


REFUSED: dict[str, tuple[str, dict[str, Any], tuple[int, str, str]]] = {
    "another patient's": (
        "R4/Consent", {"patient": {"reference": "Patient/bob"}}, (422, "CONSENT_OF_ANOTHER", "Consent.patient"),
    ),
    "expired before signed": (
        "R4/Consent",
        {"provision": {"period": {"end": "2019"}}},
        (422, "EXPIRED_BEFORE_SIGNED", "Consent.provision.period.end"),
    ),
    "signed in the future": ("R4/Consent", {"dateTime": "2190-01-01"}, (422, "NOT_YET", "Consent.dateTime")),
    "not signed": ("R4/Consent", {"dateTime": None}, (422, "MISSING_FIELD", "Consent.dateTime")),
    "a privacy consent": (
        "R4/Consent", {"scope": {"coding": [{"code": "patient-privacy"}]}}, (422, "UNKNOWN_KIND", "Consent.scope"),
    ),
    "a visit that nobody booked": (
        "R4/Consent",
        {"extension": [{"url": "urn:any", "valueReference": {"reference": "Appointment/v9"}}]},
        (404, "UNKNOWN_APPOINTMENT", "Consent.extension"),
    ),
    "R5 at R4": ("R4/Consent", {"subject": {"reference": "Patient/ann"}}, (422, "FHIR_R5", "Consent.subject")),
    "another source's": ("R4/Consent?source=pas", {}, (403, "FOREIGN_SOURCE", "source")),
}  # fmt: skip


@pytest.mark.parametrize(("path", "members", "expected"), REFUSED.values(), ids=REFUSED.keys())
async def test_g8_what_is_refused_changes_nothing_and_is_told_in_fhirs_words(
    door: Door, visit: str, path: str, members: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    status, code, place = expected
    answer = await take(door, path, now_signed(R4, **members), status)
    assert (code_of(answer), answer.json()["issue"][0]["expression"]) == (code, [place])
    assert await held(door, visit) == {}


async def test_a_consent_for_a_cancelled_visit_is_refused_and_its_withdrawal_taken(door: Door, visit: str) -> None:
    await door.post({"event_id": "b2", "appointment": {"id": "v1", "status": "cancelled"}})
    refused = await door.ask("POST", "/fhir/R4/Consent", now_signed(R4))
    assert code_of(refused) == "VISIT_CANCELLED"
    await take(door, "R4/Consent", now_signed(R4, status="inactive"))
    assert await held(door, visit) == {"consent": "withdrawn"}


async def test_g9_who_may_not_clear_is_refused_and_others_visits_are_unknown(door: Door, visit: str) -> None:
    reader = await door.client(Client("reader", ("local",)))
    other = await door.client(Client("other", ("other",), may_clear=True))
    for key, source, expected in (
        (reader, "local", (403, "MAY_NOT_CLEAR")),
        (other, "other", (404, "UNKNOWN_APPOINTMENT")),
    ):
        answer = await door.ask("POST", f"/fhir/R4/Consent?source={source}", now_signed(R4), key=key)
        assert (answer.status_code, code_of(answer)) == expected
    assert await held(door, visit) == {}
