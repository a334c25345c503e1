"""What a service counts, in a Prometheus registry of its own (no global state)."""

import time
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_SIZES = (1, 10, 50, 100, 500, 1000, 2000, 4000)
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The counts of the delivery core. A service may register its own, made with `kit`, on `registry`.

    Stages of a batch: `fetch` (waiting for Kafka and unpacking), `decode`, `decide` (the service's own
    computing), `sql` (waiting for PostgreSQL), `commit`. Seconds are the clock's, CPU seconds the thread's.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self.kit: dict[str, Any]
        kit = self.kit = {"namespace": "attend", "registry": self.registry}
        place = ("topic", "partition")
        self.lag = Gauge("consumer_lag_records", "Records not yet committed", place, **kit)
        self.batch_records = Histogram("batch_records", "Records in a batch", ("topic",), buckets=BATCH_SIZES, **kit)
        self.batch_seconds = Histogram("batch_seconds", "Decode to commit", ("topic",), buckets=SECONDS, **kit)
        self.stage_seconds = Counter("stage_seconds", "Time by stage", ("stage",), **kit)
        self.stage_cpu_seconds = Counter("stage_cpu_seconds", "CPU time by stage", ("stage",), **kit)
        self.events = Counter("events", "Records by effect: applied, repeat, stale, dead", ("topic", "effect"), **kit)
        self.retries = Counter("batch_retries", "Batches rolled back, by reason", ("reason",), **kit)
        self.published = Counter("outbox_published", "Events acknowledged by Kafka", ("topic",), **kit)
        self.outbox_age = Gauge("outbox_age_seconds", "Age of the oldest event not yet published", ("topics",), **kit)
        self.outbox_failures = Counter("outbox_failures", "Publishing rounds that failed", ("reason",), **kit)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block, which must not await, as one stage."""
        started, computed = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            self.stage_cpu_seconds.labels(name).inc(time.thread_time() - computed)
            self.stage_seconds.labels(name).inc(time.perf_counter() - started)

    async def measure[T](self, work: Coroutine[Any, Any, T], computing: str, waiting: str | None = None) -> T:
        """Await `work`; its own steps count as the stage `computing`, the time between them as `waiting`."""
        steps = _Steps(work)
        started = time.perf_counter()
        try:
            return await steps
        finally:
            whole = time.perf_counter() - started
            self.stage_cpu_seconds.labels(computing).inc(steps.cpu_s)
            if waiting is None:
                self.stage_seconds.labels(computing).inc(whole)
            else:
                self.stage_seconds.labels(computing).inc(steps.cpu_s)
                self.stage_seconds.labels(waiting).inc(max(0.0, whole - steps.cpu_s))


class _Steps[T]:
    """Drives a coroutine and adds up the CPU time of its own steps, whatever else the loop does between them."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.cpu_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        send, throw = self._work.send, self._work.throw
        sent: Any = None
        failure: BaseException | None = None
        while True:
            began = time.thread_time()
            try:
                waited = send(sent) if failure is None else throw(failure)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # what `work` returns
            finally:
                self.cpu_s += time.thread_time() - began
            sent, failure = None, None
            try:
                sent = yield waited
            except BaseException as error:  # noqa: BLE001  # handed on to the coroutine, cancellation included
                failure = error
