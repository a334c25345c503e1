"""No position is moved elsewhere without a record of who did it and why (0019)."""

from typing import Any

import pytest
from aiokafka import TopicPartition

from chassis.delivery.skip import Held, skip_elsewhere
from chassis.process.errors import RejectedEvent, Unavailable

HELD = Held("worker", TopicPartition("t", 3), 50)


class FakeParts:
    """PostgreSQL and who keeps the position, in one.

    Attributes:
        done: What has come about, in order: (record) from and to, (moved) to.
        away: Who is: "postgres" or "kafka".
    """

    def __init__(self, away: str = "") -> None:
        self.done: list[tuple[str, int, int]] = []
        self.away = away

    async def execute(self, _query: str, _consumer: str, _topic: str, _partition: int, *told: Any) -> None:
        if self.away == "postgres":
            raise Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: ConnectionResetError")
        self.done.append(("record", told[0], told[1]))

    async def move(self, held: Held, to: int) -> None:
        if self.away == "kafka":
            raise Unavailable("KAFKA_UNAVAILABLE", "Kafka: TimeoutError")
        self.done.append(("moved", held.position, to))


async def skipped(parts: Any, by: str = "ann") -> None:
    await skip_elsewhere(parts, parts, HELD, 60, by, "a codec that nobody has")


async def test_the_record_is_there_before_the_position_moves() -> None:
    parts = FakeParts()
    await skipped(parts)
    assert parts.done == [("record", 50, 60), ("moved", 50, 60)]


async def test_an_order_of_which_nobody_knows_whether_it_was_given_is_on_record() -> None:
    parts = FakeParts("kafka")
    with pytest.raises(Unavailable, match="Kafka"):
        await skipped(parts)
    assert parts.done == [("record", 50, 60)]


async def test_what_cannot_be_written_down_is_not_ordered() -> None:
    parts = FakeParts("postgres")
    with pytest.raises(Unavailable, match="PostgreSQL"):
        await skipped(parts)
    with pytest.raises(RejectedEvent, match="NO_NAME"):
        await skipped(FakeParts(), by=" ")
    assert parts.done == []
