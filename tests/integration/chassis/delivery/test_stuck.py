"""A consumer that is not joined, or reads nothing although there is something, is mended or said to be dead (§3)."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest

from chassis.delivery.consumer import BatchConsumer
from chassis.kafka import broker
from chassis.process.stall import Stuck
from tests.integration.chassis.ledger.service import LedgerService, orders, running
from tests.support.waiting import until

type Rejoin = Callable[[Any], Any]


class Clients:
    """Makes real clients, the first of them with a fault."""

    def __init__(self, faulty: int, fault: Callable[[Rejoin], Rejoin]) -> None:
        self.made: list[Any] = []
        self._faulty = faulty
        self._fault = fault

    def __call__(self, bootstrap: str, group: str, session_timeout_ms: int) -> broker.Consumer:
        client: Any = broker.new_consumer(bootstrap, group, session_timeout_ms)
        self.made.append(client)
        if len(self.made) <= self._faulty:
            start = client.start

            async def faulty() -> None:
                await start()
                client._coordinator._do_rejoin_group = self._fault(client._coordinator._do_rejoin_group)

            client.start = faulty
        return client


def fails_once(real: Rejoin) -> Rejoin:
    failures = [KafkaError("UnknownError()")]

    async def rejoin(subscription: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(subscription)

    return rejoin


def never_joins(_real: Rejoin) -> Rejoin:
    async def rejoin(_subscription: Any) -> Any:
        await asyncio.Event().wait()

    return rejoin


class Watched:
    """A consumer watched by a clock that runs a second at each look."""

    def __init__(self, ledger: LedgerService, clients: Clients, *, runs: bool = True) -> None:
        self.clients = clients
        self.now = 0.0
        self.runs = runs
        self.consumer: BatchConsumer = ledger.consumer(stuck=Stuck(self._tick), watch_every_s=0.01, new_client=clients)

    def _tick(self) -> float:
        self.now += self.runs
        return self.now

    async def until_clients(self, number: int) -> None:
        """Wait for so many clients; then machine time stands."""
        await until(lambda: len(self.clients.made) >= number)
        self.runs = False


async def test_one_error_while_joining_the_group_is_taken_and_the_next_try_joins(ledger: LedgerService) -> None:
    clients = Clients(1, fails_once)
    await ledger.produce(orders(5))
    consumer = ledger.consumer(new_client=clients)

    async with running(consumer):
        await until(lambda: ledger.consumed(5), within_s=30)
        assert consumer.reason() is None

    assert len(clients.made) == 1


async def test_who_never_joins_gets_a_new_client(ledger: LedgerService) -> None:
    watched = Watched(ledger, Clients(1, never_joins))
    await ledger.produce(orders(5))

    async with running(watched.consumer):
        await watched.until_clients(2)
        await until(lambda: ledger.consumed(5))
        assert watched.consumer.dead() is None


async def test_who_does_not_join_with_a_new_client_either_is_not_alive_and_says_why(ledger: LedgerService) -> None:
    watched = Watched(ledger, Clients(2, never_joins))
    await ledger.produce(orders(5))

    async with running(watched.consumer):
        await watched.until_clients(3)
        assert watched.consumer.dead() == "stands still in spite of a new client: group"

        await until(lambda: ledger.consumed(5))
        await until(lambda: watched.consumer.dead() is None, what="the third one joined: it lives again")


async def test_who_fetches_nothing_although_there_is_something_gets_a_new_client(ledger: LedgerService) -> None:
    watched = Watched(ledger, Clients(0, never_joins), runs=False)
    await ledger.produce(orders(5))

    async with running(watched.consumer):
        await until(lambda: ledger.consumed(5))
        fetcher = watched.clients.made[0]._fetcher
        fetcher._fetch_task.cancel()
        await until(lambda: not fetcher._in_flight, what="what was asked before is answered")
        await ledger.produce(orders(5, first=5), partition=1)
        watched.runs = True
        await watched.until_clients(2)
        await until(lambda: ledger.consumed(5, 5))


async def test_a_partition_that_kafka_refuses_is_shown_and_costs_no_new_client(ledger: LedgerService) -> None:
    watched = Watched(ledger, Clients(0, never_joins), runs=False)
    await ledger.produce(orders(5))

    async with running(watched.consumer):
        await until(lambda: ledger.consumed(5))
        client = watched.clients.made[0]
        client._fetcher._fetch_task.cancel()
        await until(lambda: not client._fetcher._in_flight, what="what was asked before is answered")
        client._client.send = refusing_fetches(client._client.send)
        await ledger.produce(orders(5, first=5), partition=1)
        watched.runs = True

        await until(lambda: "orders[1] stands at 0: Kafka does not give it" in (watched.consumer.reason() or ""))
        assert len(watched.clients.made) == 1


def refusing_fetches(send: Callable[..., Any]) -> Callable[..., Any]:
    async def refusing(node: int, request: Any, **more: Any) -> Any:
        if not isinstance(request, FetchRequest):
            return await send(node, request, **more)
        ((topic, ((number, *_),)),) = request._topics
        return SimpleNamespace(topics=[(topic, [(number, 2, 0, b"")])])

    return refusing


async def test_while_kafka_is_away_nobody_is_stuck(ledger: LedgerService) -> None:
    watched = Watched(ledger, Clients(9, never_joins), runs=False)

    async with running(watched.consumer):
        await until(lambda: len(watched.clients.made) == 1)
        away = {"kafka_bootstrap_servers": "127.0.0.1:1"}
        watched.consumer._settings = ledger.settings.model_copy(update=away)
        watched.runs = True
        await until(lambda: watched.now > 300, what="it was looked at for five times the bound")

        assert (len(watched.clients.made), watched.consumer.dead()) == (1, None)
