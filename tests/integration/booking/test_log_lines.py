"""R31, R41: creation and every change are logged, after their commit, with ids and nothing of a person."""

import io
import json
from typing import Any

from tests.support.booking.door import PROVIDER, Door, booking

SECRETS = ("Canary", "+447736312544", "canary@example.org", "Dr Secret", "Secret Clinic")
ANN = {"given_name": "Canary", "mobile": "+447736312544", "email": "canary@example.org"}


def lines(written: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, written.getvalue().splitlines()) if line["event"] == event]


async def test_r31_a_booking_is_logged_with_who_was_created(door: Door, written: io.StringIO) -> None:
    booked = await door.post(booking())
    (line,) = lines(written, "appointment.accepted")
    assert (line["appointment_ids"], line["created"]) == ([booked["appointment_id"]], 1)


async def test_r31_a_registration_and_a_change_are_logged_once_each(door: Door, written: io.StringIO) -> None:
    ann = await door.put("/v1/patients/ann", ANN)
    await door.put("/v1/patients/ann", ANN)
    await door.put("/v1/patients", [{"id": "ann", **ANN, "language": "en"}, {"id": "bob", "mobile": "none"}])
    for event in ("patients.registered", "patients.changed"):
        assert [line["patient_ids"] for line in lines(written, event)] == [[ann["patient_id"]]]


async def test_r41_a_changed_clinic_is_logged_with_its_version_and_who_changed_it(
    door: Door, written: io.StringIO
) -> None:
    body = {"name": "Secret Clinic", "zone": "Europe/London"}
    for told in (body, body, {**body, "sensitive": True}):
        await door.put("/v1/clinics/NEW", told)
    found = [(line["clinic_id"], line["version"], line["client"]) for line in lines(written, "clinic.changed")]
    assert found == [("NEW", 1, "local"), ("NEW", 2, "local")]


async def test_r41_a_changed_clinician_is_logged(door: Door, written: io.StringIO) -> None:
    for name in ("Dr Secret", "Dr Secret", "Dr Secret II"):
        await door.put("/v1/providers/dr-who", {"name": name})
    found = [(line["provider_id"], line["version"], line["client"]) for line in lines(written, "provider.changed")]
    assert found == [(PROVIDER, 1, "local"), (PROVIDER, 2, "local")]


async def test_g9_a_merge_is_logged_and_no_line_holds_anything_of_a_person(door: Door, written: io.StringIO) -> None:
    ann, double = await door.put("/v1/patients/ann", ANN), await door.put("/v1/patients/double", ANN)
    await door.put("/v1/providers/dr-who", {"name": "Dr Secret"})
    await door.put("/v1/clinics/NEW", {"name": "Secret Clinic", "zone": "Europe/London"})
    await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}, "reason": "Canary twice"})
    (line,) = lines(written, "patients.merged")
    assert (line["patient_id"], line["into"]) == (double["patient_id"], ann["patient_id"])
    assert not [secret for secret in SECRETS if secret in written.getvalue()]


async def test_what_is_refused_is_not_logged_as_done(door: Door, written: io.StringIO) -> None:
    await door.ask("PUT", "/v1/patients/ann", {"mobile": "none"})
    await door.ask("PUT", "/v1/clinics/NEW", {"name": "Secret Clinic", "zone": "Mars"})
    assert not [event for event in ("patients.registered", "clinic.changed") if lines(written, event)]
