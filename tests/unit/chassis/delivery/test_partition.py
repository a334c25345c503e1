"""Where a partition stands, and until when it stands still (0019)."""

import pytest
from aiokafka import TopicPartition

from chassis.delivery.partition import Partition
from chassis.kafka.halt import Halt

UNREADABLE = Halt(7, "the batch cannot be read", 9)


def partition() -> Partition:
    made = Partition(TopicPartition("t", 0), lambda: None, lambda: 0.0)
    made.begin_at(4)
    return made


def test_before_the_seek_nothing_is_fetched_of_it() -> None:
    made = partition()
    assert made.hungry

    made.distrust()

    assert not made.hungry
    assert made.unsure


def test_standing_still_it_takes_no_more() -> None:
    made = partition()

    made.stand_still(UNREADABLE)
    made.moved(6)

    assert (made.held, made.hungry, made.halt) == (6, False, UNREADABLE)


def test_once_its_position_has_passed_what_could_not_be_read_the_halt_is_over() -> None:
    made = partition()
    made.stand_still(UNREADABLE)

    made.moved(8)

    assert made.halt is None


@pytest.mark.parametrize(("position", "over"), [(6, False), (7, False), (8, True), (9, True), (0, True)])
def test_it_stands_still_until_the_position_has_passed_or_was_set_back(position: int, over: bool) -> None:
    made = partition()
    made.begin_at(6)
    made.stand_still(UNREADABLE)

    made.begin_at(position)

    assert made.hungry  # what came after may be readable now
    assert (made.halt is None) is over


def test_a_place_outside_of_the_topic_is_over_when_it_can_be_read_from() -> None:
    made = partition()
    made.stand_still(Halt(4, "it begins at 9", 9, in_records=False))

    made.begin_at(4)

    assert made.halt is None


def test_a_halt_says_where_and_the_way_out() -> None:
    assert UNREADABLE.text(TopicPartition("a.t", 3), "shop") == (
        "a.t[3] stands at 7: the batch cannot be read. "
        "To go on without: attend dead-letters skip shop a.t 3 --to 9 --by WHO --reason WHY"
    )
