"""Words with which tests of clearances speak to the door."""

from datetime import UTC, datetime
from typing import Any

from booking.door.domain import Client
from tests.support.booking.door import OPERATOR_KEY, Door, booking

NOW = datetime(2027, 3, 11, 9, tzinfo=UTC)
POLICY = "/v1/clinics/EYE/clearance-policy"
MRI = {"kind": "consent", "form": "mri", "versions": ["1", "2"]}
PAY = {"kind": "financial", "payer_classes": ["self-pay"]}
DESK = Client("desk", ("local",), may_clear=True)


def consent(event_id: str | None = "c-1", **given: Any) -> dict[str, Any]:
    """Return the body of a consent that the patient signed; `given` replaces fields, None takes them away."""
    body = {
        "event_id": event_id, "kind": "consent", "state": "cleared", "form": "mri", "form_version": "2",
        "signed_at": "2027-03-10T10:00:00Z", "signed_by": "patient", **given,
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}


def paid(event_id: str | None = "p-1", **given: Any) -> dict[str, Any]:
    """Return the body of a payment; as `consent`."""
    body = {
        "event_id": event_id, "kind": "financial", "state": "cleared", "amount_minor": 1250, "currency": "GBP",
        "payer_class": "self-pay", **given,
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}


async def visit(door: Door, name: str = "v1", **given: Any) -> str:
    """Book a visit and return its path."""
    taken = await door.post(booking(f"book-{name}", name, **given))
    return f"/v1/appointments/{taken['appointment_id']}"


async def required(door: Door, *requires: dict[str, Any], mode: str = "enforce", query: str = "") -> dict[str, Any]:
    """Let the clinic require that, and return the answer."""
    body = {"mode": mode, "requires": list(requires)}
    answer = await door.ask("PUT", POLICY + query, body, key=OPERATOR_KEY)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def said(door: Door, path: str, body: object, key: str, status: int = 200) -> dict[str, Any]:
    """Say something of a visit's clearances, and return the answer."""
    answer = await door.ask("POST", f"{path}/clearances", body, key=key)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def lacks(stands: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what lacks, and why."""
    return [(one["kind"], one["code"]) for one in stands["lacking"]]
