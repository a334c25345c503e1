"""What another profile changes, key by key, and what that means for what comes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from booking.profiles.csv_knobs import CsvProfile
from booking.profiles.domain import Profile
from booking.values.times import zone_of
from chassis.api.known_fields import models_in
from schemas.appointments import IngestMode

_EXAMPLE = datetime(2027, 7, 27, 15, 30)  # noqa: DTZ001  # a wall's
_MODES = {
    IngestMode.LIVE.value: "events that do not say how they are meant are live: messages follow them",
    IngestMode.BACKFILL.value: "events that do not say how they are meant are history: nothing is sent for them",
}


class Change(NamedTuple):
    """One key that changes.

    Attributes:
        key: Its path in the profile, keys joined by dots.
        before: What holds, None for nothing; and `after`, likewise.
        means: What that means for what comes, as a clause.
    """

    key: str
    before: Any
    after: Any
    means: str


def changes(before: Profile, after: Profile, clinic_zones: Mapping[str, str]) -> Sequence[Change]:
    """Return what another profile changes, in the order of the keys of a profile.

    Args:
        clinic_zones: Code of a clinic → its zone; of those that are default clinics of the two.
    """
    held, wanted = dict(_flat(_whole(before))), dict(_flat(_whole(after)))
    zones = [_zone(profile, clinic_zones) for profile in (before, after)]
    return [
        Change(key, held.get(key), wanted.get(key), _means(key, held.get(key), wanted.get(key), *zones))
        for key in [*wanted, *(held.keys() - wanted.keys())]
        if held.get(key) != wanted.get(key)
    ]


def _whole(profile: Profile) -> dict[str, Any]:
    """Return a profile as JSON, with the default of everything; where it has no files, of files too."""
    value = profile.model_dump(mode="json")
    return {**value, "csv": value["csv"] or CsvProfile().model_dump(mode="json")} | {"has csv": profile.csv is not None}


def _flat(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        key = f"{above}.{name}" if above else str(name)
        if isinstance(one, dict):
            yield from _flat(one, key)
        else:
            yield ("csv" if key == "has csv" else key), one


def _zone(profile: Profile, clinic_zones: Mapping[str, str]) -> str | None:
    return profile.zone or clinic_zones.get(profile.clinic or "")


def _means(key: str, before: Any, after: Any, zone_before: str | None, zone_after: str | None) -> str:
    *above, name = key.split(".", 2)
    if key in {"zone", "clinic"} and zone_before != zone_after:
        return _of_zones(zone_before, zone_after)
    if key == "mode":
        return _MODES[after]
    if key == "csv":
        return "its files of separated values are read" if after else "its files of separated values are not read"
    if above == ["hl7v2", "events"]:
        return f"{name} is read as {after or 'the table of triggers says'}, until now as {before or 'that table says'}"
    if above == ["hl7v2", "words"] or above == ["csv", "words"]:
        return f"this status word is read as {after or 'the table of words says'}, until now as {before or 'it says'}"
    if above == ["hl7v2", "clinics"]:
        return f"this place is {after or 'no clinic of its own'}, until now {before or 'no clinic of its own'}"
    return description_of(key).rstrip(".")


def _of_zones(before: str | None, after: str | None) -> str:
    """Return how times without offset are read in another zone, by the example of one."""

    def read(zone: str | None) -> str:
        if zone is None:
            return "refused, NAIVE_TIME"
        at = _EXAMPLE.replace(tzinfo=zone_of(zone)).astimezone(UTC)
        return f"read in {zone} ({at:%Y-%m-%dT%H:%MZ})"

    return f"a time without offset, as {_EXAMPLE:%Y-%m-%d %H:%M}, is {read(after)}, until now {read(before)}"


def description_of(key: str) -> str:
    """Return what a knob is for, by its path; of one below a table's key, what the table is for."""
    model: type[BaseModel] = Profile
    said = ""
    for name in key.split("."):
        field = model.model_fields.get(name)
        if field is None:
            break
        said = field.description or said
        below = models_in(field.annotation)
        if not below:
            break
        (model,) = below
    return said
