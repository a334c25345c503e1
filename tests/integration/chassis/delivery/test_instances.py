"""Two instances of one service: they share the partitions, and one that was frozen does no harm when it wakes (G3)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import pytest

from tests.integration.chassis.ledger.service import LedgerService, orders, running
from tests.support.examples import ROOT
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(300)
MODULE = "tests.integration.chassis.delivery.instance"


@dataclass
class Instance:
    """Another process of the service, and its log."""

    process: subprocess.Popen[bytes]
    written: IO[bytes]

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def logged(self) -> list[str]:
        """Return the names of the events it logged."""
        self.written.seek(0)
        return [json.loads(line)["event"] for line in self.written.read().splitlines()]


@contextmanager
def instance(ledger: LedgerService, hold_lock: str | None = None) -> Iterator[Instance]:
    """Run another process of the service while the block runs."""
    told = {"url": ledger.url, "bootstrap": ledger.bootstrap, "prefix": ledger.prefix, "hold_lock": hold_lock}
    command = [sys.executable, "-m", MODULE, json.dumps(told)]
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(command, cwd=ROOT, stdout=written)  # noqa: S603  # our own
        try:
            yield Instance(process, written)
        finally:
            process.kill()
            process.wait()


async def test_two_instances_share_the_partitions_and_every_event_takes_effect_once(ledger: LedgerService) -> None:
    first, second = ledger.consumer(), ledger.consumer()
    async with running(first):
        await until(lambda: len(first.lag) == 2, what="the first has both partitions")
        await ledger.produce(orders(500), partition=0)
        async with running(second):
            await until(lambda: len(first.lag) == 1 and len(second.lag) == 1, what="each has one")
            await ledger.produce(orders(500, first=500), partition=0)
            await ledger.produce(orders(1000, first=1000), partition=1)
            await until(lambda: ledger.consumed(1000, 1000))
        await until(lambda: len(first.lag) == 2, what="the first has both again")
        await ledger.produce(orders(100, first=2000), partition=1)
        await until(lambda: ledger.consumed(1000, 1100))

    assert await ledger.effects() == [(0, n) for n in range(1000)] + [(1, n) for n in range(1100)]


async def test_partitions_going_to_and_fro_under_load_lose_and_repeat_nothing(ledger: LedgerService) -> None:
    """A rebalance storm: instances come and go while events flow."""
    steady = ledger.consumer()
    async with running(steady):
        for round_ in range(4):
            async with running(ledger.consumer()):
                for step in range(5):
                    first = (round_ * 5 + step) * 200
                    await ledger.produce(orders(100, first=first), partition=0)
                    await ledger.produce(orders(100, first=first + 100), partition=1)
        await until(lambda: ledger.consumed(2000, 2000))

    assert await ledger.effects() == [(p, n) for p in (0, 1) for n in range(2000)]


async def test_an_instance_frozen_inside_its_transaction_holds_no_row_for_long_and_writes_nothing_when_it_wakes(
    ledger: LedgerService,
) -> None:
    """SIGSTOP past its session, with rows written and locked. PostgreSQL ends its transaction by the role's limit,
    another instance takes over; awake again, its position is no longer there, and nothing of what it held is written.
    """
    await limit_idleness(ledger)
    await ledger.produce(orders(50))
    with instance(ledger, hold_lock="e00049") as frozen:
        await until(lambda: _holding(ledger), what="it is inside its transaction")
        frozen.send(signal.SIGSTOP)

        async with running(ledger.consumer(session_timeout_ms=6_000)):
            await until(lambda: ledger.consumed(50), what="the other has taken over")
            assert not await _holding(ledger)
            effects = await ledger.effects()

            frozen.send(signal.SIGCONT)
            await until(lambda: "consumer.unavailable" in frozen.logged(), what="it went on, into nothing")
            await ledger.produce(orders(50, first=50))
            await until(lambda: ledger.consumed(100))
            await until(lambda: frozen.logged().count("consumer.assigned") > 1, what="it joined again")

    assert effects == [(0, n) for n in range(50)]
    assert await ledger.effects() == [(0, n) for n in range(100)]


async def test_a_frozen_instances_row_locks_are_taken_from_it_while_it_is_still_frozen(ledger: LedgerService) -> None:
    """By the server, by the role's limit of idleness in a transaction."""
    await limit_idleness(ledger)
    await ledger.produce(orders(3))
    with instance(ledger, hold_lock="e00002") as frozen:
        await until(lambda: _holding(ledger))
        frozen.send(signal.SIGSTOP)

        await until(lambda: _free(ledger))

        assert not await _holding(ledger)


async def test_an_instance_killed_inside_its_transaction_leaves_nothing_half_done(ledger: LedgerService) -> None:
    await ledger.produce(orders(20))
    with instance(ledger, hold_lock="e00019") as killed:
        await until(lambda: _holding(ledger))
        killed.send(signal.SIGKILL)
        killed.process.wait()
    assert await ledger.effects() == []

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(20))

    assert await ledger.effects() == [(0, n) for n in range(20)]


async def test_a_second_owner_of_a_partition_is_stopped_by_the_position_alone(ledger: LedgerService) -> None:
    """Both believe to own it: the one whose compare-and-set comes second rolls back, reads again and goes on there."""
    await ledger.produce(orders(10))
    consumer = ledger.consumer()
    async with running(consumer):
        await until(lambda: ledger.consumed(10))
        await ledger.pool.execute("UPDATE consumer_offset SET next_offset = 13 WHERE partition = 0")
        await ledger.produce(orders(5, first=10))
        await until(lambda: ledger.consumed(15))
        await until(lambda: consumer.reason() is None)

    assert await ledger.effects() == [(0, n) for n in (*range(10), 13, 14)]


async def limit_idleness(ledger: LedgerService, seconds: int = 3) -> None:
    """Shorten the role's limit in this test's database, for later sessions; test_migrating has the real one, 8 s."""
    wanted = "ALTER ROLE %I IN DATABASE %I SET idle_in_transaction_session_timeout = %L"
    statement = await ledger.pool.fetchval(
        "SELECT format($1, current_user, current_database(), $2::text)", wanted, f"{seconds}s"
    )
    await ledger.pool.execute(statement)


async def _holding(ledger: LedgerService) -> bool:
    held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holding'"
    return bool(await ledger.pool.fetchval(held))


async def _free(ledger: LedgerService) -> bool:
    row = await ledger.pool.fetchval(
        "SELECT count(*) FROM (SELECT FROM consumer_offset WHERE partition = 0 FOR UPDATE SKIP LOCKED) AS free"
    )
    return bool(row)
