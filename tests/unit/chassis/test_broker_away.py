"""What aiokafka asserts of a cluster that has just come back is an outage like any other."""

from typing import NoReturn

import pytest

from chassis import kafka
from chassis.errors import Unavailable
from chassis.producer import Publisher


class WithoutBroker(Publisher):
    """A publisher whose client knows no broker yet."""

    async def _begun(self) -> NoReturn:
        raise AssertionError("Did we not perform bootstrap?")


async def test_a_client_that_knows_no_broker_is_an_outage() -> None:
    async def asked() -> None:
        raise AssertionError("Did we not perform bootstrap?")

    with pytest.raises(Unavailable):
        await kafka.in_time(asked())


async def test_a_publisher_whose_client_knows_no_broker_is_not_ready_and_may_be_asked_again() -> None:
    publisher = WithoutBroker("127.0.0.1:1")

    assert [await publisher.ready(1), await publisher.ready(1)] == [False, False]
