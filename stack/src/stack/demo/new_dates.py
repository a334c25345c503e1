"""Moves a FHIR sample into the coming days: every date by the same whole number of weeks, as another visit."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})(T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$")
BORN = "birthDate"
"""The one date that stays where it is."""

AHEAD = timedelta(days=2)
"""The moved visit lies at least this far ahead, so that both reminders are still to come."""


LONG_AGO = timedelta(weeks=104)


def start_of(message: bytes) -> datetime | None:
    """Return the start of the first appointment in a FHIR message or resource, or None."""
    starts = [start for found in _appointments(orjson.loads(message)) if (start := found.get("start"))]
    return datetime.fromisoformat(starts[0]).astimezone(UTC) if starts else None


def weeks_ahead(start: datetime, now: datetime) -> int:
    """Return by how many whole weeks `start` must move to lie `AHEAD` of `now` or later."""
    return max(0, -((start - now - AHEAD) // timedelta(weeks=1)))


def weeks_back(start: datetime, now: datetime) -> int:
    """Return the whole weeks, zero or less, by which `start` must move to lie years past."""
    return 0 if start < now - LONG_AGO else -((start - now + LONG_AGO) // timedelta(weeks=1)) - 1


def moved(message: bytes, weeks: int, mark: str) -> bytes:
    """Return the message with its dates moved by `weeks`, as another message about another visit.

    Week day and time of day stay. The ids of the message and of its appointments get `mark`, or the
    door would take it for a change of the old visit.
    """
    body = orjson.loads(message)
    names = [body["id"]] if "id" in body else []
    for entry in body.get("entry", []):
        if entry["resource"]["resourceType"] in {"Appointment", "MessageHeader"}:
            names += [entry.get("fullUrl"), entry["resource"].get("id")]
    for appointment in _appointments(body):
        names += [known["value"] for known in appointment.get("identifier", [])]
    return orjson.dumps(_walk(body, timedelta(weeks=weeks), {name: f"{name}{mark}" for name in names if name}))


def _appointments(body: dict[str, Any]) -> list[dict[str, Any]]:
    resources = [entry["resource"] for entry in body.get("entry", [])]
    return [found for found in [body, *resources] if found.get("resourceType") == "Appointment"]


def _walk(value: object, by: timedelta, names: dict[str, str], key: str = "") -> object:
    if isinstance(value, dict):
        return {name: _walk(inner, by, names, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, by, names, key) for inner in value]
    if not isinstance(value, str) or key == BORN:
        return value
    if found := DAY.match(value):
        return (date.fromisoformat(found[1]) + by).isoformat() + (found[2] or "")
    return names.get(value, value)
