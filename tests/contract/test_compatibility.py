"""A contract may only grow; anything else is a new major version."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import MODELS
from schemas.compatibility import breaks
from schemas.export import findings, main, write
from tests.support.examples import SCHEMAS, schema

Schema = dict[str, Any]


def test_the_models_agree_with_the_checked_in_schemas() -> None:
    assert findings(SCHEMAS) == {}


def changed(change: Callable[[Schema], object], event_type: str = "appointment.changed.v1") -> list[str]:
    held = schema(event_type)
    new = deepcopy(held)
    change(new)
    return breaks(held, new)


INCOMPATIBLE: dict[str, tuple[Callable[[Schema], object], str]] = {
    "an optional field removed": (lambda s: s["properties"].pop("reason"), "reason: field removed"),
    "a required field removed": (lambda s: s["properties"].pop("zone"), "zone: field removed"),
    "a field renamed": (
        lambda s: s["properties"].update(clinic=s["properties"].pop("clinic_id")),
        "clinic_id: field removed",
    ),
    "a new required field": (
        lambda s: (s["properties"].update(room={"type": "string"}), s["required"].append("room")),
        "room: newly required",
    ),
    "an optional field now required": (lambda s: s["required"].append("reason"), "reason: newly required"),
    "a required field now optional": (lambda s: s["required"].remove("source"), "source: no longer always there"),
    "a type changed": (
        lambda s: s["properties"].update(version={"type": "string"}),
        "version: type integer became string",
    ),
    "null no longer taken": (
        lambda s: s["properties"].update(service_type={"type": "string"}),
        "service_type: no longer takes null",
    ),
    "null newly possible": (
        lambda s: s["properties"].update(source={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "source: may now be null, which readers of today refuse",
    ),
    "an enumeration's value removed": (
        lambda s: s["$defs"]["Status"]["enum"].remove("waitlist"),
        "status: value 'waitlist' removed",
    ),
    "a free text narrowed to an enumeration": (
        lambda s: s["properties"]["zone"].update(enum=["Europe/London"]),
        "zone: narrowed to an enumeration",
    ),
    "a bound raised": (
        lambda s: s["properties"]["schedule_gen"].update(minimum=2),
        "schedule_gen: minimum raised to 2",
    ),
    "a new upper bound": (
        lambda s: s["properties"]["source"].update(maxLength=8),
        "source: maxLength lowered to 8",
    ),
    "another pattern": (
        lambda s: s["properties"]["clinic_id"].update(pattern="^[A-Z]+$"),
        "clinic_id: pattern changed from ^[A-Z0-9]{2,10}$ to ^[A-Z]+$",
    ),
    "a field of a nested part removed": (
        lambda s: s["$defs"]["ReminderRule"]["properties"].pop("lead_days"),
        "policy.rules[].lead_days: field removed",
    ),
    "unknown fields refused": (
        lambda s: s.update(additionalProperties=False),
        "body: additionalProperties changed from True to False",
    ),
}


@pytest.mark.parametrize("name", INCOMPATIBLE)
def test_an_incompatible_change_is_refused(name: str) -> None:
    change, finding = INCOMPATIBLE[name]
    assert finding in changed(change)


COMPATIBLE: dict[str, Callable[[Schema], object]] = {
    "a new optional field": lambda s: s["properties"].update(room={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    "a new value of an enumeration": lambda s: s["$defs"]["Status"]["enum"].append("on-hold"),
    "a bound lowered": lambda s: s["properties"]["schedule_gen"].update(minimum=0),
    "another description": lambda s: s.update(description="other words"),
}


@pytest.mark.parametrize("name", COMPATIBLE)
def test_a_contract_may_grow(name: str) -> None:
    assert changed(COMPATIBLE[name]) == []


def test_an_optional_enumeration_may_not_lose_a_value() -> None:
    assert changed(lambda s: s["$defs"]["Reason"]["enum"].remove("TOO_LATE"), "notification.changed.v1")


def test_the_files_are_not_written_over_an_incompatible_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    file = tmp_path / "provider.changed.v1.json"
    of_yesterday = file.read_bytes().replace(b'"required": [', b'"required": [\n    "gone",')
    of_yesterday = of_yesterday.replace(b'"properties": {', b'"properties": {\n    "gone": {"type": "string"},')
    file.write_bytes(of_yesterday)

    assert main([str(tmp_path)]) == 1

    assert file.read_bytes() == of_yesterday
    assert "provider.changed.v1: breaks gone: field removed" in capsys.readouterr().out


def test_a_type_that_lost_its_model_is_reported(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "visit.changed.v1.json").write_text("{}")
    assert findings(tmp_path) == {"visit.changed.v1": ["breaks it: the type has no model any more"]}


def test_every_event_type_has_a_checked_in_schema() -> None:
    assert {file.stem for file in SCHEMAS.glob("*.json")} == set(MODELS)
