"""What the worker tells of its work, as its metrics show it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from chassis.process.metrics import Metrics
from reminders.planning.metrics import engine_reports
from reminders.timers.ports import Outcome
from schemas.instants import micros

DUE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def shown(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(("late_s", "seen_s"), [(0, 0), (0.4, 0.4), (75, 75), (-3, 0)])
def test_lateness_is_from_the_due_instant_to_the_hand_over(late_s: float, seen_s: float) -> None:
    metrics = Metrics("worker")
    reports = engine_reports(metrics, "appointments")

    reports.fired(Counter(handed_over=2), [micros(DUE), micros(DUE)], DUE + timedelta(seconds=late_s))

    assert shown(metrics, "attend_reminder_lateness_seconds_sum") == pytest.approx(2 * seen_s)
    assert shown(metrics, "attend_reminder_lateness_seconds_count") == 2
    assert shown(metrics, "attend_reminders_total", outcome="handed_over") == 2


def test_b3_what_was_expected_is_shown() -> None:
    metrics = Metrics("worker")
    engine_reports(metrics, "appointments").expected(Counter(handed_over=3, too_late=1))

    assert shown(metrics, "attend_reminders_overdue", outcome="handed_over") == 3
    assert shown(metrics, "attend_reminders_overdue", outcome="too_late") == 1


def test_outcomes_of_records_are_counted_by_their_topic() -> None:
    metrics = Metrics("worker")
    engine_reports(metrics, "appointments").count(Counter({Outcome.APPLIED: 4, Outcome.STALE: 1}))

    counted = {sample.labels["effect"]: sample.value for family in metrics.registry.collect()
               for sample in family.samples if sample.labels.get("topic") == "appointments"
               and sample.name.endswith("_total")}  # fmt: skip
    assert (counted["applied"], counted["stale"]) == (4, 1)
