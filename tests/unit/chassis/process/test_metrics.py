"""What a process counts is declared once, with its meaning, and `/metrics` shows it under the name that is told."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from booking.__main__ import _counts as booking
from chassis.process.metrics import Family, Metrics
from notifier.__main__ import _counts as notifier
from reminders.__main__ import _counts as reminders
from tests.support.metrics import shown


@pytest.mark.parametrize("declare", [booking, notifier, reminders], ids=lambda one: one.__module__)
def test_every_family_has_a_meaning_and_a_name_that_says_its_unit(declare: object) -> None:
    metrics = Metrics("shop")
    assert callable(declare)
    declare(metrics)
    assert [one.name for one in metrics.families if not one.meaning.endswith(".") or len(one.meaning) < 15] == []
    assert len({one.name for one in metrics.families}) == len(metrics.families) > 14


def test_a_family_is_shown_by_the_name_the_labels_and_the_type_that_are_told() -> None:
    metrics = Metrics("shop")
    metrics.counter("parcels", "Parcels that came.", ["fate"]).labels("kept").inc()
    metrics.gauge("parcel_rows", "Parcels that wait.").set(3)
    metrics.histogram("parcel_seconds", "How long one waits.").observe(2)
    text = generate_latest(metrics.registry).decode()

    found = {(one.name, one.type) for one in text_string_to_metric_families(text)}
    assert metrics.families[-3:] == [
        Family("attend_parcels_total", "counter", ("fate",), "Parcels that came."),
        Family("attend_parcel_rows", "gauge", (), "Parcels that wait."),
        Family("attend_parcel_seconds", "histogram", (), "How long one waits."),
    ]
    assert {("attend_parcels", "counter"), ("attend_parcel_rows", "gauge")} < found
    assert shown(text) == {one.name for one in metrics.families}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("attend_stage_cpu_seconds_total", "seconds"),
        ("attend_batch_records", "records"),
        ("attend_events_total", None),
        ("attend_timers_recovery_left_rows", "rows"),
    ],
)
def test_the_unit_is_the_end_of_the_name(name: str, unit: str | None) -> None:
    assert Family(name, "gauge", (), "").unit == unit
