"""The job that gives appointments ahead what changed behind them, a patient's flags or a policy: durable, throttled."""

import asyncio
import time

import structlog

from booking.appointments.store import PostgresStore
from booking.door.transactions import Transactions
from booking.policies.handle import reissue
from booking.policies.store import PostgresPolicyStore
from booking.reissues.handle import reissue_barred
from booking.reissues.store import PostgresFlagStore, any_job
from chassis.postgres.database import Connection
from chassis.process.backoff import Backoff
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics


class ReissueCounts:
    """Counters in the process's registry."""

    def __init__(self, metrics: Metrics) -> None:
        told = "Appointments that were given the rules of a changed policy."
        self._policies = metrics.counter("booking_policy_reissued", told)
        told = "Appointments that were given what bars messages to their patient (D44)."
        self._flags = metrics.counter("booking_flags_reissued", told)

    def policies(self, appointments: int) -> None:
        """Count appointments that a change of policy gave a new version."""
        self._policies.inc(appointments)

    def flags(self, appointments: int) -> None:
        """Count appointments that a patient's flags gave a new version."""
        self._flags.inc(appointments)


log: structlog.stdlib.BoundLogger = structlog.get_logger()

POLL_S = 0.5
"""Between looks for a job. A policy's wakes us; a flag's is seen by then, and the send gate knows it at once."""
FENCE_S = 0.1
"""Between looks whether the transactions from before a change have ended: they last 10 s at most."""
TOLD_AFTER = 300
"""Waits of that kind; half a minute is three times as long as a transaction of ours may last."""


class Reissuer:
    """Works off changes of flags, then of policies. Any number may run it; a row lock gives each job to one at a time.

    How far a job came is written in the transaction of each batch: killed at any point it goes on where it was.

    Args:
        per_s: Appointments reissued a second, at most, so that bookings are not kept waiting.
    """

    def __init__(self, transactions: Transactions, counts: ReissueCounts, per_s: int, batch: int) -> None:
        self._transactions = transactions
        self._counts = counts
        self._per_s = per_s
        self._batch = batch
        self._wanted = asyncio.Event()
        self._waits = 0

    def wake(self) -> None:
        """Say that a policy was changed."""
        self._wanted.set()

    async def idle(self) -> bool:
        """Whether no change has still to be worked off."""
        return not await any_job(self._transactions.pool)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; while PostgreSQL is away, wait for it."""
        backoff = Backoff(2 * FENCE_S)
        while not stop.is_set():
            self._wanted.clear()
            began = time.monotonic()
            try:
                issued = None if (idle := await self.idle()) else await self.step()
                if issued is None:
                    pause = POLL_S if idle else FENCE_S
                    self._log_wait(pause)
                else:
                    pause = issued / self._per_s - (time.monotonic() - began)
                backoff.succeeded()
            except Unavailable as error:
                log.warning("policy.reissue_unavailable", code=error.code)
                backoff.failed()
                issued, pause = 0, backoff.pause_s()
            await self._pause(stop, pause, wakes=issued is None)

    def _log_wait(self, pause: float) -> None:
        """Say once in a while that a job cannot begin: somebody's transaction is very old."""
        self._waits = self._waits + 1 if pause == FENCE_S else 0
        if self._waits and self._waits % TOLD_AFTER == 0:
            log.warning("policy.reissue_waits", waits=self._waits)

    async def step(self) -> int | None:
        """Run one batch of one job; return how many appointments were reissued, None if no job may go on.

        Raises:
            Unavailable: PostgreSQL is not there; the batch is done wholly or not at all.
        """
        now, run = self._transactions.clock.now(), self._transactions.run
        await run(_raise_fences)
        barred = await run(lambda connection: reissue_barred(PostgresFlagStore(connection), self._batch, now))
        if barred is not None:
            self._counts.flags(barred)
            return barred
        issued = await run(
            lambda connection: reissue(PostgresPolicyStore(connection), PostgresStore(connection), self._batch, now)
        )
        self._counts.policies(issued or 0)
        return issued

    async def _pause(self, stop: asyncio.Event, seconds: float, *, wakes: bool) -> None:
        """Wait; a wake ends the wait for work, never the throttle."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiting = {asyncio.ensure_future(event.wait()) for event in ((stop, self._wanted) if wakes else (stop,))}
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()


async def _raise_fences(connection: Connection) -> None:
    await PostgresFlagStore(connection).raise_fences()
    await PostgresPolicyStore(connection).raise_fences()
