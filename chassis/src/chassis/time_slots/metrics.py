"""Metrics of the jobs of the wall clock."""

from datetime import datetime
from typing import Literal

from prometheus_client import Counter, Gauge

from chassis.process.metrics import Metrics

type Outcome = Literal["done", "missed", "failed"]


class SlotMetrics:
    """Counts in the process's registry; labels are the names of jobs, never of scopes."""

    def __init__(self, metrics: Metrics) -> None:
        kit = metrics.kit
        self._slots = Counter("slots", "Time slots by what became of them", ["job", "outcome"], **kit)
        self._effects = Counter("slot_effects", "What time slots did, counted by their job", ["job"], **kit)
        self._last = Gauge("slot_last_due_seconds", "Instant of the last slot done here, domain time", ["job"], **kit)

    def settled(self, job: str, outcome: Outcome, effects: int = 0, due: datetime | None = None) -> None:
        """Count one slot."""
        self._slots.labels(job, outcome).inc()
        if effects:
            self._effects.labels(job).inc(effects)
        if due is not None:
            self._last.labels(job).set(due.timestamp())
