"""What a service keeps only for so long: removed once a day, in small batches, under its own rights.

A job names what goes, and after how long. It counts before it removes (`python -m <service> retention --dry-run`),
and a round of one instance keeps the others of the same service out. Where domain time is stepped, the rounds leave
alone what it dates: they come by the machine's time, and would find old what was written a minute ago.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from chassis.postgres.bounded_count import LONGEST_S, MOST, Count, count
from chassis.postgres.database import Pool, unavailable
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.logs import get_logger

BATCH = 1_000
"""Rows of one transaction: a few milliseconds of locks."""
PAUSE_S = 0.05
"""Between two batches, so that a large backlog is not worked off at the expense of the service's own work."""
FIRST_AFTER_S = 120.0
"""After the start: what was started to be looked at is not disturbed at once."""
EVERY_S = 86_400.0
AGAIN_AFTER_S = 600.0
"""After a round of which a part failed: the database was away, a lock was not to be had."""

_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('retention ' || current_schema(), 0))"
_MACHINE_TIME = "SELECT clock_timestamp()"


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of thing that is not kept for ever.

    Attributes:
        name: What goes, in a few words; a stable name for logs.
        rows: Statement giving one row for each that is older than $1.
        remove: Statement that removes or blanks up to $2 of them; its command tag says how many.
        by_machine_time: They are dated by the database's clock, not by domain time.
    """

    name: str
    keep: timedelta
    rows: str
    remove: str
    by_machine_time: bool = False


def settled_dead_letters(days: int) -> Job:
    """Return the job that forgets dead letters so many days after they were replayed or discarded.

    Open ones are never removed: nobody has decided about them yet (G8).
    """
    old = "state <> 'open' AND settled_at < $1"
    return Job(
        "settled dead letters",
        timedelta(days=days),
        f"SELECT FROM dead_letter WHERE {old}",  # constants
        f"DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE {old} LIMIT $2)",  # noqa: S608
        by_machine_time=True,
    )


async def overdue(
    pool: Pool, jobs: Sequence[Job], now: datetime, most: int = MOST, longest_s: float = LONGEST_S
) -> Mapping[str, Count]:
    """Return how many rows each job would remove now, counted up to `most` and for `longest_s` each."""
    machine = await pool.fetchval(_MACHINE_TIME)
    return {
        job.name: await count(pool, job.rows, _until(job, now, machine), most=most, longest_s=longest_s) for job in jobs
    }


async def remove(pool: Pool, jobs: Sequence[Job], now: datetime, pause_s: float = PAUSE_S) -> dict[str, int]:
    """Remove what is overdue, batch by batch, and return how much went; another round under way is left alone.

    Raises:
        Unavailable: The first job that failed; the batches before it stay done, and the other jobs all had their turn.
    """
    gone: dict[str, int] = {}
    failed: Unavailable | None = None
    machine = await pool.fetchval(_MACHINE_TIME)
    for job in jobs:
        try:
            with _put_off():
                gone[job.name] = await _remove_all(pool, job, _until(job, now, machine), pause_s)
        except Unavailable as error:
            get_logger().warning("retention.job_cut_off", job=job.name, code=error.code, reason=error.message)
            failed = failed or error
    if failed is not None:
        raise failed
    return gone


@contextmanager
def _put_off() -> Iterator[None]:
    """Make `Unavailable` of whatever the database refuses: what is kept too long ends no round and no service."""
    try:
        with unavailable():
            yield
    except asyncpg.PostgresError as error:
        raise Unavailable("RETENTION_REFUSED", f"PostgreSQL: {error.sqlstate}") from error


async def _remove_all(pool: Pool, job: Job, until: datetime, pause_s: float) -> int:
    gone = 0
    while (done := await _batch(pool, job, until)) is not None:
        gone += done
        if done < BATCH:
            break
        await asyncio.sleep(pause_s)
    return gone


async def _batch(pool: Pool, job: Job, until: datetime) -> int | None:
    async with pool.transaction() as connection:
        if not await connection.fetchval(_ALONE):
            return None
        tag = await connection.execute(job.remove, until, BATCH)
    return int(tag.rpartition(" ")[2])


def _until(job: Job, now: datetime, machine: datetime) -> datetime:
    return (machine if job.by_machine_time else now) - job.keep


class Retention:
    """The daily round of one service.

    Args:
        ahead: Statement that makes the partitions to come and gives (partition, why it was not made, or null), run
            before anything is removed; None: the service has no partitions.
    """

    def __init__(self, pool: Pool, jobs: Sequence[Job], clock: Clock, ahead: str | None = None) -> None:
        self._pool, self._jobs, self._clock, self._ahead = pool, jobs, clock, ahead

    async def run(self, stop: asyncio.Event, first_after_s: float = FIRST_AFTER_S) -> None:
        """Make a round soon after the start, then one a day, until `stop` is set."""
        wait_s = first_after_s
        while not await _stopped(stop, wait_s):
            wait_s = EVERY_S
            for part in (self._make_partitions, self._remove):
                try:
                    await part()
                except Unavailable as error:
                    get_logger().warning("retention.cut_off", code=error.code, reason=error.message)
                    wait_s = AGAIN_AFTER_S

    async def _remove(self) -> None:
        jobs = [job for job in self._jobs if job.by_machine_time or not self._clock.epoch]
        gone = await remove(self._pool, jobs, self._clock.now())
        get_logger().info("retention.done", **{name.replace(" ", "_"): count for name, count in gone.items()})

    async def _make_partitions(self) -> None:
        if self._ahead is None:
            return
        with _put_off():
            rows = await self._pool.fetch(self._ahead)
        for partition, why_not in rows:
            if why_not is None:
                get_logger().info("partition.made", partition=partition)
            else:  # nothing is refused by it: the last partition takes what comes
                get_logger().warning("partition.not_made", partition=partition, reason=why_not)


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
