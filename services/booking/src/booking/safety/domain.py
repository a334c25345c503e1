"""Flags on which safety hangs: each changes only when it is named, and every change is written down (D51)."""

from typing import NamedTuple


class Cause(NamedTuple):
    """Why something changes.

    Attributes:
        event: By what, as `caused_by` says it.
    """

    client: str
    event: str


class FlagChange(NamedTuple):
    """One flag that changed.

    Attributes:
        kind: `patient` or `clinic`.
    """

    kind: str
    subject: str
    flag: str
    was: bool
    becomes: bool
    cause: Cause
