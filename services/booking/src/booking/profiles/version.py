"""A version of a source's profile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A profile that a source was given.

    Attributes:
        version: Of this source's, from 1.
        profile: What was said, as JSON; a knob that is not in it has its default.
        sha256: Of the profile as canonical JSON.
        applied_at: Domain time.
        applied_by: A client, or `operator`.
    """

    version: int
    profile: Mapping[str, Any]
    sha256: bytes
    applied_at: datetime
    applied_by: str
    reason: str | None
