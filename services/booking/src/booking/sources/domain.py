"""How strictly the steps of a source are judged (R33, 0052)."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class StepMode(StrEnum):
    """OBSERVE: a step that the state table lacks is taken with a warning. ENFORCE: it is refused."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class ModeChange(NamedTuple):
    """That a source was given a mode, from when on, by whose word and why."""

    change_id: int
    mode: StepMode
    changed_at: datetime
    changed_by: str
    reason: str | None
