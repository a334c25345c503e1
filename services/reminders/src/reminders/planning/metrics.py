"""What the worker tells of its work: counts, lateness, and one log line for each burst."""

from collections import Counter
from datetime import datetime

from prometheus_client import Counter as Total
from prometheus_client import Gauge, Histogram

from chassis.process.logs import get_logger
from chassis.process.metrics import Metrics
from reminders.timers.engine import Engine, Reports
from reminders.timers.ports import Outcome
from schemas.instants import micros

_LATENESS_S = (0.05, 0.1, 0.3, 1, 3, 10, 60, 600, 3600, 86400)


def show_recovery(metrics: Metrics, engine: Engine) -> None:
    """Show a recovery under way as metrics: both are 0 when none is."""
    left = Gauge("attend_timers_recovery_left_rows", "Rows still to replay, at most", registry=metrics.registry)
    seconds = Gauge("attend_timers_recovery_left_seconds", "Seconds left at the rate so far", registry=metrics.registry)
    left.set_function(lambda: (engine.recovering or {}).get("left") or 0)
    seconds.set_function(lambda: (engine.recovering or {}).get("left_s") or 0)


def engine_reports(metrics: Metrics, source: str) -> Reports:
    """Return the engine's reports as metrics and logs."""
    kit, told = metrics.kit, "Domain seconds from the due instant to the acknowledged hand-over"
    timers = Total("reminders", "Timers by what became of them when due", ["outcome"], **kit)
    lateness = Histogram("reminder_lateness_seconds", told, buckets=_LATENESS_S, **kit)
    told = "Timers found overdue after an outage, by what was going to become of them (B3)"
    overdue = Gauge("reminders_overdue", told, ["outcome"], **kit)
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
