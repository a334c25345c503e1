"""Whether a knob of a profile was given."""

from typing import Any

from booking.profiles.domain import Profile


def is_said(profile: Profile, knob: str) -> bool:
    """Say whether a profile gives a knob, by its path such as "hl7v2.times.start", or anything below it."""
    found: Any = profile
    for name in knob.split("."):
        if isinstance(found, dict):
            return name in found
        if found is None or name not in found.model_fields_set:
            return False
        found = getattr(found, name)
    return True
