"""What the demo reads from FHIR samples for its expectation."""

from pathlib import Path

import orjson
import pytest

from stack.demo.fhir import said
from stack.demo.samples import read_sample, read_samples

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_projects_own_examples_are_read_in_upstreams_order() -> None:
    samples = read_samples(EXAMPLES)
    messages = [sample for sample in samples if sample.door == "$process-message"]

    assert [sample.status for sample in messages] == ["booked", "booked", "cancelled"]
    assert len({sample.visit for sample in messages}) == 1
    assert {sample.registers for sample in messages} == {True}
    assert {sample.email for sample in messages} == {"wren.okafor@example.org"}


def test_a_patient_outside_the_message_is_known_by_reference_only() -> None:
    appointment = {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "start": "2027-03-12T11:00:00Z",
        "participant": [
            {"actor": {"reference": "Patient/p"}},
            {"actor": {"reference": "Practitioner/d", "display": "Dr D"}},
            {"actor": {"reference": "Location/l"}},
        ],
    }
    sample = read_sample("a.json", orjson.dumps(appointment))
    assert sample is not None
    assert (sample.patient, sample.registers, sample.provider) == ("Patient/p", False, "Dr D")
    assert sample.clinic_identifiers == (("Location", "l"),)


def test_what_is_neither_message_nor_appointment_is_left_alone() -> None:
    assert read_sample("r.json", orjson.dumps({"resourceType": "AppointmentResponse"})) is None


@pytest.mark.parametrize(
    ("state", "channel", "reason", "shown"),
    [
        ("accepted", "email", None, "cancelled: email"),
        ("queued", "email", None, "cancelled: queued"),
        ("skipped", "email", "PAST", "cancelled: skipped PAST"),
        ("sending", "sms", None, "cancelled: sending"),
        ("unknown", "sms", "UNCONFIRMED", "cancelled: unknown UNCONFIRMED"),
        ("failed", None, "NO_CHANNEL", "cancelled: failed NO_CHANNEL"),
    ],
)
def test_the_table_shows_the_channel_of_a_message_only_once_a_carrier_took_it(
    state: str, channel: str | None, reason: str | None, shown: str
) -> None:
    assert said({"kind": "cancelled", "state": state, "channel": channel, "reason": reason}) == shown
