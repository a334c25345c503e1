"""Group commit: who waits together is decided together, and none suffers from another."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.door.group_commit import AT_ONCE, LARGEST, Gatherer
from chassis.api.problems import Problem
from tests.support.booking.builders import LOCAL, command


class Transactions:
    """Takes orders when the test lets it; fails those named `poison`."""

    def __init__(self) -> None:
        self.taken: list[list[str]] = []
        self.go = asyncio.Event()

    async def accept(self, orders: Sequence[BookAppointment], clients: Mapping[str, Client]) -> list[EventAnswer]:
        self.taken.append([order.key for order in orders])
        await self.go.wait()
        if any(order.key == "poison" for order in orders):
            raise RuntimeError("poison")
        return [EventAnswer(order.key) for order in orders]


async def test_what_arrives_while_transactions_are_under_way_is_decided_together() -> None:
    transactions = Transactions()
    gatherer = Gatherer(transactions.accept)
    asked = [asyncio.create_task(gatherer.accept([command(f"e{n}")], LOCAL)) for n in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    transactions.go.set()
    answers = await asyncio.gather(*asked)
    assert [answer.key for (answer,) in answers] == [f"e{n}" for n in range(100)]
    assert len(transactions.taken) <= AT_ONCE + 1
    assert sum(map(len, transactions.taken)) == 100


async def test_a_request_that_fails_fails_alone() -> None:
    transactions = Transactions()
    transactions.go.set()
    gatherer = Gatherer(transactions.accept)
    keys = ["e1", "poison", "e2", "e3"]
    found = await asyncio.gather(*(gatherer.accept([command(key)], LOCAL) for key in keys), return_exceptions=True)
    assert [type(one) for one in found] == [list, RuntimeError, list, list]


async def test_a_request_is_never_split_and_a_group_is_never_too_large() -> None:
    transactions = Transactions()
    transactions.go.set()
    gatherer = Gatherer(transactions.accept)
    sizes = [LARGEST * 2, 300, 300, 1]
    await asyncio.gather(*(gatherer.accept([command(f"{n}.{i}") for i in range(n)], LOCAL) for n in sizes))
    assert all(len(group) <= LARGEST or len(group) == LARGEST * 2 for group in transactions.taken)
    assert sum(map(len, transactions.taken)) == sum(sizes)


async def test_a_caller_that_hangs_up_disturbs_nobody() -> None:
    transactions = Transactions()
    gatherer = Gatherer(transactions.accept)
    gone = asyncio.create_task(gatherer.accept([command("gone")], LOCAL))
    stays = asyncio.create_task(gatherer.accept([command("stays")], LOCAL))
    await asyncio.sleep(0)
    gone.cancel()
    transactions.go.set()
    assert [answer.key for answer in await stays] == ["stays"]
    with pytest.raises(asyncio.CancelledError):
        await gone


@pytest.mark.parametrize("at_once", [1, 2])
async def test_a_request_that_follows_an_answer_at_once_is_not_left_waiting(at_once: int) -> None:
    transactions = Transactions()
    transactions.go.set()
    gatherer = Gatherer(transactions.accept, at_once, gather_s=0)

    async def one_after_another(name: str) -> None:
        for number in range(50):
            await gatherer.accept([command(f"{name}{number}")], LOCAL)

    async with asyncio.timeout(30):
        await asyncio.gather(*(one_after_another(name) for name in "abc"))


async def test_beyond_what_may_wait_a_request_is_told_to_come_again_and_nothing_of_it_is_taken() -> None:
    transactions = Transactions()
    gatherer = Gatherer(transactions.accept, at_once=1, most_waiting=10)
    asked = [asyncio.create_task(gatherer.accept([command("first")], LOCAL))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # it is under way
    asked += [asyncio.create_task(gatherer.accept([command(f"e{n}")], LOCAL)) for n in range(10)]
    await asyncio.sleep(0)

    with pytest.raises(Problem) as refused:
        await gatherer.accept([command("late")], LOCAL)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (503, "BUSY", 1)

    transactions.go.set()
    await asyncio.gather(*asked)
    assert "late" not in {key for group in transactions.taken for key in group}
    assert [answer.key for answer in await gatherer.accept([command("again")], LOCAL)] == ["again"]


async def test_a_request_larger_than_all_that_may_wait_is_taken_when_none_waits() -> None:
    transactions = Transactions()
    transactions.go.set()
    gatherer = Gatherer(transactions.accept, most_waiting=10)
    assert len(await gatherer.accept([command(f"e{n}") for n in range(50)], LOCAL)) == 50
