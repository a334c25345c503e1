"""What the worker tells of its work: counts, lateness, and one log line for each burst."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chassis.process.logs import get_logger
from chassis.process.metrics import Metrics
from reminders.timers.engine import Reports
from reminders.timers.ports import Outcome
from schemas.instants import micros

_LATENESS_S = (0.05, 0.1, 0.3, 1, 3, 10, 60, 600, 3600, 86400)


def show_recovery(metrics: Metrics, recovering: Callable[[], Mapping[str, Any] | None]) -> None:
    """Show a recovery under way as metrics: both are 0 when none is."""
    left = metrics.gauge("timers_recovery_left_rows", "Rows that the worker has still to replay, at most; 0: none.")
    told = "How long that takes at the rate so far; 0: nothing is replayed."
    seconds = metrics.gauge("timers_recovery_left_seconds", told)
    left.set_function(lambda: (recovering() or {}).get("left") or 0)
    seconds.set_function(lambda: (recovering() or {}).get("left_s") or 0)


def engine_reports(metrics: Metrics, source: str) -> Reports:
    """Return the engine's reports as metrics and logs."""
    timers = metrics.counter("reminders", "Reminders by what became of them when they were due.", ["outcome"])
    told = "From the due instant of a reminder to its acknowledged hand-over, in domain time."
    lateness = metrics.histogram("reminder_lateness_seconds", told, buckets=_LATENESS_S)
    told = "Reminders found overdue after an outage, by what is going to become of them (B3)."
    overdue = metrics.gauge("reminders_overdue", told, ["outcome"])
    log = get_logger()

    def count(outcomes: Counter[Outcome]) -> None:
        for outcome, number in outcomes.items():
            metrics.events.labels(source, outcome).inc(number)
        if outcomes[Outcome.DEAD]:
            log.warning("reminders.dead_letters", topic_name=source, count=outcomes[Outcome.DEAD])

    def fired(counts: Counter[str], due: list[int], now: datetime) -> None:
        for outcome, number in counts.items():
            timers.labels(outcome).inc(number)
        at = micros(now)
        for instant in due:
            lateness.observe(max(0.0, (at - instant) / 1e6))
        log.info("reminders.due", **counts)

    def expected(counts: Counter[str]) -> None:
        for outcome, number in counts.items():
            overdue.labels(outcome).set(number)
        log.warning("reminders.catch_up", **counts)

    return Reports(count, fired, expected)
