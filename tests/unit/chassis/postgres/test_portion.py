"""How many records go into one transaction is learnt from the last ones (0031)."""

from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from chassis.delivery.batch import Part, first_of
from chassis.postgres.portion import BATCH_RECORDS, FORGOTTEN, LONGEST_REST, QUICK_S, Portion


def part(partition: int, count: int, first: int = 0) -> Part:
    records: list[Any] = [
        ConsumerRecord("t", partition, offset, 0, 0, None, b"", None, 0, 0, ())
        for offset in range(first, first + count)
    ]
    return Part(TopicPartition("t", partition), records, first)


def test_what_did_not_go_through_is_halved_down_to_one_record() -> None:
    portion = Portion(10)

    sizes = []
    for _ in range(5):
        portion.failed(portion.records)
        sizes.append(portion.records)

    assert sizes == [5, 2, 1, 1, 1]


def test_the_next_is_half_of_what_was_tried_though_more_were_allowed() -> None:
    portion = Portion(1000)
    portion.failed(100)
    assert portion.records == 50


def test_a_late_failure_of_more_than_is_allowed_by_now_counts_as_one_of_what_is_allowed() -> None:
    portion = Portion(8)
    portion.failed(4000)
    assert portion.records == 4


@pytest.mark.parametrize("most", [BATCH_RECORDS, 1500, 1])
def test_a_full_one_that_was_quick_doubles_the_next_up_to_the_most(most: int) -> None:
    portion = Portion(most)
    portion.failed(1000)
    for _ in range(4):
        portion.succeeded(portion.records, 0.1)
    assert portion.records == most


def test_one_that_begins_with_less_grows_as_far_as_any_other() -> None:
    portion = Portion(1500, 1)
    assert portion.records == 1
    for _ in range(11):
        portion.succeeded(portion.records, 0.1)
    assert portion.records == 1500


def test_one_that_was_slow_or_not_full_changes_nothing() -> None:
    portion = Portion(10)
    portion.succeeded(10, QUICK_S)
    portion.succeeded(9, 0.1)
    assert portion.records == 10


def test_a_portion_of_several_partitions_takes_each_ones_first_records() -> None:
    taken = first_of([part(0, 3, first=7), part(1, 4, first=2), part(2, 1)], 5)
    assert [(one.tp.partition, one.held, one.end) for one in taken] == [(0, 7, 10), (1, 2, 4)]


@given(st.integers(1, 30), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_a_portion_is_as_many_as_there_are_or_as_it_may_be(records: int, counts: list[int]) -> None:
    taken = first_of([part(number, count) for number, count in enumerate(counts)], records)
    assert sum(len(one.records) for one in taken) == min(records, sum(counts))
    assert all(one.records for one in taken)


CUT_S = 10.0
"""The roles' transaction_timeout."""


def rounds_of(portion: Portion, row_s: float, waits: Iterable[float]) -> list[tuple[int, bool]]:
    """Make rounds of rows that take so long each, which wait so long for Kafka as well; say how large, and if cut."""
    made = list[tuple[int, bool]]()
    for wait_s in waits:
        size = portion.records
        cut = size * row_s + wait_s > CUT_S
        made.append((size, cut))
        if cut:
            portion.failed(size)
        else:
            portion.succeeded(size, size * row_s)
    return made


@pytest.mark.parametrize(
    ("row_s", "wait_s"),
    [(0.0005, 8.0), (0.0004, 8.2), (0.001, 7.5), (0.0019, 8.1), (0.01, 0.0), (0.004, 5.0), (0.9, 8.2)],
)
def test_where_growing_is_cut_again_and_again_it_settles(row_s: float, wait_s: float) -> None:
    """A deletion near 2 s is quick, and beside a Kafka that takes 8 s twice as many are too many."""
    made = rounds_of(Portion(5_000), row_s, [wait_s] * 2_000)

    assert sum(cut for _, cut in made[1_000:]) <= 1_000 // LONGEST_REST + 1
    largest = max(size for size, cut in made if not cut)
    assert sum(size for size, cut in made[1_000:] if not cut) >= 990 * largest


@given(st.floats(0.00001, 1.0), st.floats(0.0, 9.0), st.integers(1, 5_000))
def test_it_settles_wherever_it_begins(row_s: float, wait_s: float, begin: int) -> None:
    made = rounds_of(Portion(5_000, begin), row_s, [wait_s] * 2_000)

    assert sum(cut for _, cut in made[1_000:]) <= 1_000 // LONGEST_REST + 1


@given(st.floats(0.00001, 0.01), st.lists(st.floats(5.0, 9.0), min_size=7, max_size=7))
def test_where_kafka_takes_now_more_and_now_less_most_rounds_pass(row_s: float, waits: list[float]) -> None:
    made = rounds_of(Portion(5_000), row_s, waits * 300)

    assert sum(cut for _, cut in made[1_000:]) <= len(made[1_000:]) // 6


@pytest.mark.parametrize("outages", [[(3, 40)], [(1, 5), (30, 5)], [(0, 1), (2, 1), (4, 1)]])
def test_after_an_outage_it_is_soon_as_large_as_before(outages: list[tuple[int, int]]) -> None:
    portion, at = Portion(5_000), 0
    for begins, rounds in outages:
        rounds_of(portion, 0.0001, [0.0] * (begins - at))
        rounds_of(portion, 0.0001, [CUT_S] * rounds)
        at = begins

    assert portion.records < 5_000
    rounds_of(portion, 0.0001, [0.0] * 100)
    assert portion.records == 5_000


def test_however_long_it_was_cut_it_grows_again_soon_after_and_then_as_if_nothing_had_been() -> None:
    portion = Portion(5_000)
    rounds_of(portion, 0.0005, [8.0] * 5_000)
    small = portion.records

    rounds_of(portion, 0.0001, [0.0] * (LONGEST_REST + 1))
    assert portion.records > small

    rounds_of(portion, 0.0001, [0.0] * FORGOTTEN * LONGEST_REST)
    rounds_of(portion, 0.0001, [CUT_S] * 40 + [0.0] * 100)
    assert portion.records == 5_000
