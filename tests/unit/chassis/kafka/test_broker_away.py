"""What aiokafka asserts of a cluster that has just come back is an outage; what we assert is a fault of ours."""

import asyncio
import unittest
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaConnectionError

from chassis.kafka import broker
from chassis.kafka.producer import Publisher, Record
from chassis.process.errors import Unavailable

NOWHERE = "127.0.0.1:1"

type Asked = Callable[[], Awaitable[Any]]


async def of_the_client() -> Any:
    """Ask a client that knows no broker; it asserts that it does."""
    return await AIOKafkaClient(bootstrap_servers=NOWHERE).coordinator_lookup(0, "t")


async def of_ours() -> NoReturn:
    raise AssertionError("Did we not perform bootstrap?")


async def of_ours_called_by_the_client() -> Any:
    class Odd(AIOKafkaClient):  # type: ignore[misc]  # aiokafka has no types
        def get_random_node(self) -> NoReturn:
            raise AssertionError("Did we not perform bootstrap?")

    return await Odd(bootstrap_servers=NOWHERE).coordinator_lookup(0, "t")


async def of_the_client_about_its_arguments() -> Any:
    SubscriptionState().subscribe("t")  # which is no set


async def of_a_library() -> NoReturn:
    unittest.TestCase().fail("as any other library asserts")


async def of_nobody() -> Any:
    """Give an assertion that was never raised where it came from."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(AssertionError())
    return await future


async def raising(error: Exception) -> NoReturn:
    raise error


OURS = [of_ours, of_ours_called_by_the_client, of_the_client_about_its_arguments, of_a_library, of_nobody]


class Begins(Publisher):
    """A publisher whose producer begins by asking this."""

    def __init__(self, asked: Asked, transactional_id: str | None = None) -> None:
        super().__init__(NOWHERE, transactional_id=transactional_id)
        self._asked = asked

    async def _begun(self) -> Any:
        await self._asked()


async def test_a_client_that_knows_no_broker_is_an_outage() -> None:
    with pytest.raises(Unavailable, match="AssertionError"):
        await broker.in_time(of_the_client())


async def test_a_publisher_whose_client_knows_no_broker_is_not_ready_and_may_be_asked_again() -> None:
    publisher = Begins(of_the_client)

    assert [await publisher.ready(9), await publisher.ready(9)] == [False, False]
    assert await publisher.publish([Record("t", b"k", b"v", [], 0)], 9) == [False]


@pytest.mark.parametrize("asked", OURS)
async def test_an_assertion_of_anybody_else_is_no_outage(asked: Asked) -> None:
    with pytest.raises(AssertionError):
        await broker.in_time(asked())


@pytest.mark.parametrize("asked", OURS)
async def test_a_publisher_in_which_an_assertion_of_ours_fails_raises_it(asked: Asked) -> None:
    publisher = Begins(asked)

    with pytest.raises(AssertionError):
        await publisher.ready(9)
    with pytest.raises(AssertionError):
        await publisher.publish([Record("t", b"k", b"v", [], 0)], 9)


@pytest.mark.parametrize("error", [KafkaConnectionError(), ConnectionResetError(), TimeoutError()])
async def test_an_error_of_kafka_or_of_the_network_is_an_outage(error: Exception) -> None:
    with pytest.raises(Unavailable):
        await broker.in_time(raising(error))


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError(), ValueError()])
async def test_any_other_error_is_none(error: Exception) -> None:
    with pytest.raises(type(error)):
        await broker.in_time(raising(error))
