"""How `attend policy` looks (D13)."""

import io
from typing import Any

import pytest
from rich.console import Console

from stack.commands import policy_view

RULES = [{"slug": "72h", "lead_hours": 72, "in_force_since": "2027-03-01T09:00:00Z"}]
COUNTS = {"looked_at": 3, **dict.fromkeys(policy_view.WORDS, 1)}


def printed(parts: list[Any]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    for part in parts:
        console.print(part)
    return out.getvalue()


def told(service_type: str) -> dict[str, Any]:
    side = {"policy_id": "p", "rules": RULES}
    change = {"version": 1, "service_type": service_type, "set_at": "2027-03-01T09:00:00Z", "set_by": "[/desk]",
              "reissue": {"state": "done", **COUNTS}, "from": side, "to": side}  # fmt: skip
    return {"clinic_id": "NORTH", "service_type": service_type, "own": True, "service_types_with_own": [service_type],
            "policy_id": "p", "rules": RULES, "changes": [change], "changed": False, "change": change,
            "from": side, "to": side, "ahead": COUNTS, "took_ms": 5, "past": []}  # fmt: skip


@pytest.mark.parametrize("view", [policy_view.policy, policy_view.plan, policy_view.set_])
@pytest.mark.parametrize("service_type", ["MRI [/contrast]", "[red]MRI"])
def test_d13_a_service_type_with_brackets_is_shown_as_it_is(view: Any, service_type: str) -> None:
    assert service_type in printed(view(told(service_type)))


def test_d13_of_a_clinic_without_policies_of_services_they_are_listed_as_they_are() -> None:
    clinic = told("[red]MRI") | {"service_type": None}

    assert "Service types with their own: [red]MRI" in printed(policy_view.policy(clinic))
