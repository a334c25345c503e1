"""How many records go into one transaction is learnt from the last ones (0031)."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from chassis.delivery.batch import Part, first_of
from chassis.postgres.portion import BATCH_RECORDS, QUICK_S, Portion


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
