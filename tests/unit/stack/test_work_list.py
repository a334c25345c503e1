"""How `attend work-list` looks (B12)."""

import io
from typing import Any

from rich.console import Console

from stack.commands.visit_flags import flags
from stack.commands.work_list import messages

ITEM: dict[str, Any] = {
    "notification_id": "01890000-0000-7000-8000-000000000001", "clinic_id": "NORTH", "patient_name": "Ada",
    "kind": "reminder", "channel": "sms", "state": "failed", "reason": "REFUSED", "code": "HTTP_400_21211",
    "starts_at": "2027-03-01T09:00:00Z", "zone": "Europe/Berlin", "actions": ["resend", "drop"],
}  # fmt: skip


def printed(**changes: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=160, force_terminal=False).print(messages([ITEM | changes]))
    return out.getvalue()


def test_b12_a_message_is_shown_with_its_visit_by_the_clinics_wall_and_why_it_waits() -> None:
    shown = printed()

    assert "2027-03-01 10:00" in shown
    assert "reminder by sms" in shown
    assert "failed: REFUSED (HTTP_400_21211)" in shown


def test_r33_an_empty_list_says_of_what() -> None:
    said = {
        (None, None, "open"): "No flag of a visit waits.",
        ("EYE", None, "done"): "No flag of a visit at EYE is done.",
        (None, "NOT_CLEARED", "open"): "No flag of a visit of the kind NOT_CLEARED waits.",
    }
    assert {asked: str(flags([], *asked)[0]) for asked in said} == said


def test_b12_a_message_of_a_kind_that_the_service_does_not_know_is_shown_all_the_same() -> None:
    assert "? by sms" in printed(kind=None)
    assert "01890000-0000" in printed(kind=None, channel=None, zone=None, patient_name=None, reason=None, code=None)
