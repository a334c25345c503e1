"""What this machine allows: a bare fetch loop, the same with decoding, COPY of as many rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import ConsumerRecord

from bench.delivery.topics import consumer

BATCH = 4000


@dataclass(frozen=True, slots=True)
class Rate:
    """One measured loop.

    Attributes:
        per_s: Events a second of wall time.
        cpu_us: CPU microseconds an event, in this process.
    """

    per_s: float
    cpu_us: float


class Stopwatch:
    """Wall and CPU time of this process from the first event on."""

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self.started = False

    def start(self) -> None:
        """Start; later calls do nothing."""
        if not self.started:
            self._wall, self._cpu, self.started = time.perf_counter(), time.process_time(), True

    def rate(self, events: int) -> Rate:
        """Return the rate of so many events until now."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Rate(events / wall, cpu / events * 1e6)


type Decoder = Callable[[ConsumerRecord], object]


async def fetch_loop(bootstrap: str, topic: str, partitions: int, events: int, decode: Decoder | None = None) -> Rate:
    """Read so many records with `getmany` as fast as they come, decoding each if told how."""
    watch, seen = Stopwatch(), 0
    reader = consumer(bootstrap, topic, partitions)
    await reader.start()
    try:
        while seen < events:
            batches = await reader.getmany(timeout_ms=1000, max_records=BATCH)
            watch.start()
            for records in batches.values():
                seen += len(records)
                if decode is not None:
                    for record in records:
                        decode(record)
        return watch.rate(seen)
    finally:
        await reader.stop()


async def copy_rows(admin_url: str, rows: Sequence[tuple[object, ...]]) -> Rate:
    """COPY rows as wide as those of records' `appointment` into a table with the same key, 4,000 a transaction."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(
            "DROP TABLE IF EXISTS copied;"
            "CREATE TABLE copied (id uuid PRIMARY KEY, version int NOT NULL, patient_id uuid NOT NULL, clinic_id text)"
        )
        watch = Stopwatch()
        watch.start()
        for start in range(0, len(rows), BATCH):
            await connection.copy_records_to_table("copied", records=list(rows[start : start + BATCH]))
        return watch.rate(len(rows))
    finally:
        await connection.execute("DROP TABLE IF EXISTS copied")
        await connection.close()
