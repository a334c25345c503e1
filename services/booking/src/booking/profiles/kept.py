"""Profiles as they are kept: what was said, as JSON, read by whatever release is running."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from booking.profiles.domain import DEFAULT, Profile
from booking.profiles.wrong import Location, there

MOST_TRIES = 20


def said(profile: Profile) -> dict[str, Any]:
    """Return what was said in a profile, as JSON; a knob that was not has the default of whatever release reads it."""
    return profile.model_dump(mode="json", exclude_unset=True)


def read_kept(kept: Mapping[str, Any]) -> tuple[Profile, Sequence[str]]:
    """Return a kept profile, and the keys that this release does not know: those have their defaults.

    A release that was rolled back to finds profiles that a later one kept, and goes on with what it knows of them.
    """
    value: dict[str, Any] = deepcopy(dict(kept))
    passed_over: list[str] = []
    for _ in range(MOST_TRIES):
        try:
            return Profile.model_validate(value), passed_over
        except ValidationError as error:
            places = [_taken_out(value, one["loc"]) for one in error.errors(include_url=False)]
            passed_over += dict.fromkeys(places)
    return DEFAULT, passed_over


def _taken_out(value: Any, location: Location) -> str:
    """Take the key at a place out of a JSON value, and return the place; of a list, the whole."""
    path = there(location, value)
    path = path[: next((length for length, part in enumerate(path) if isinstance(part, int)), len(path))]
    for part in path[:-1]:
        value = value[part]
    if path:
        value.pop(path[-1], None)
    return ".".join(map(str, path))
