"""Metrics of the jobs of the wall clock."""

from datetime import datetime
from typing import Literal

from chassis.process.metrics import Metrics

type Outcome = Literal["done", "missed", "failed"]


class SlotMetrics:
    """Counts in the process's registry; labels are the names of jobs, never of scopes."""

    def __init__(self, metrics: Metrics) -> None:
        told = "Slots of the timetable by what became of them: done, missed, failed."
        self._slots = metrics.counter("slots", told, ["job", "outcome"])
        self._effects = metrics.counter("slot_effects", "What slots did, as their job counts it.", ["job"])
        told = "Instant of the last slot that was done here, since 1970 in domain time."
        self._last = metrics.gauge("slot_last_due_seconds", told, ["job"])

    def settled(self, job: str, outcome: Outcome, effects: int = 0, due: datetime | None = None) -> None:
        """Count one slot."""
        self._slots.labels(job, outcome).inc()
        if effects:
            self._effects.labels(job).inc(effects)
        if due is not None:
            self._last.labels(job).set(due.timestamp())
