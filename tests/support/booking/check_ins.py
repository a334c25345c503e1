"""Words of the tests about check-ins: a clinic requires a consent, a patient gives it, withdraws it, is checked in."""

from typing import Any

import httpx2

from booking.door.domain import Client
from tests.support.booking.door import KEY, Door

FORM = {"kind": "consent", "form": "mri", "form_version": "1"}
SIGNED = {"state": "cleared", "signed_at": "2027-03-01T09:00:00Z", "signed_by": "patient"}


async def staff(door: Door, **rights: Any) -> str:
    """Return the key of a client that may set policies and clear; `rights` are further ones."""
    return await door.client(Client("staff", ("local",), may_clear=True, may_set_policy=True, **rights))


async def require_consent(door: Door, key: str, mode: str = "enforce") -> None:
    """Let the clinic EYE require the consent."""
    requires = [{"kind": "consent", "form": "mri", "versions": ["1"], "link": "https://forms.example.org/mri"}]
    body = {"mode": mode, "requires": requires}
    answer = await door.ask("PUT", "/v1/clinics/EYE/clearance-policy", body, key=key)
    assert answer.status_code == 200, answer.text


async def consent(door: Door, key: str, visit: str, event_id: str = "consent-1") -> None:
    """Let the patient have signed."""
    await _clear(door, key, visit, {**FORM, **SIGNED, "event_id": event_id})


async def withdraw(door: Door, key: str, visit: str, event_id: str = "withdrawn-1") -> None:
    """Let the patient withdraw it."""
    await _clear(door, key, visit, {"kind": "consent", "form": "mri", "state": "withdrawn", "event_id": event_id})


async def _clear(door: Door, key: str, visit: str, body: Any) -> None:
    answer = await door.ask("POST", f"/v1/appointments/{visit}/clearances", body, key=key)
    assert answer.status_code == 200, answer.text


async def check_in(door: Door, visit: str, key: str = KEY, **told: Any) -> httpx2.Response:
    """Check a patient in."""
    body = {"event_id": "arrival-1", "by": "Ms Desk", **told}
    return await door.ask("POST", f"/v1/appointments/{visit}/check-in", body, key=key)
