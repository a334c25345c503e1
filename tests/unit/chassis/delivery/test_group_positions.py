"""Where a group stands is known or not, and an order to pass over what cannot be read covers that and nothing later."""

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from chassis.delivery.group_positions import Order, kept
from chassis.process.errors import Unavailable

HERE, THERE = TopicPartition("t", 3), TopicPartition("t", 4)


@pytest.mark.parametrize(
    ("stands_at", "covered"), [(49, False), (50, True), (52, True), (59, True), (60, False), (400, False)]
)
def test_an_order_moves_only_forward_and_only_what_stood_still_when_it_was_given(stands_at: int, covered: bool) -> None:
    assert Order(position=50, to=60).covers(stands_at) is covered


def test_of_a_partition_without_a_position_kafka_says_so() -> None:
    assert kept({HERE: OffsetAndMetadata(-1, ""), THERE: OffsetAndMetadata(9, "")}, HERE) is None
    assert kept({HERE: OffsetAndMetadata(0, "50")}, HERE) == OffsetAndMetadata(0, "50")


@pytest.mark.parametrize("answer", [{}, {THERE: OffsetAndMetadata(9, "")}])
def test_an_answer_that_does_not_name_the_partition_is_none_of_its_position(
    answer: dict[TopicPartition, OffsetAndMetadata],
) -> None:
    with pytest.raises(Unavailable, match=r"t\[3\]"):
        kept(answer, HERE)
