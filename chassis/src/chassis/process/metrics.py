"""What a service counts, in a Prometheus registry of its own (no global state)."""

import time
from collections.abc import Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_SIZES = (1, 10, 50, 100, 500, 1000, 2000, 4000)
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


UNITS = ("seconds", "records", "rows")
"""What a family's name may end in, before `_total`: its unit. All others are counted in ones."""
NAMESPACE = "attend"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as it is declared: what `/metrics` shows under one name, for each combination of its labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str

    @property
    def unit(self) -> str | None:
        """The unit that its name says; None where it is a number."""
        last = self.name.removesuffix("_total").rpartition("_")[2]
        return last if last in UNITS else None


class Metrics:
    """The counts of the delivery core, and what a service declares of its own, each with its meaning.

    Stages of a batch: `fetch` (waiting for Kafka and unpacking), `decode`, `decide` (the service's own
    computing), `sql` (waiting for PostgreSQL), `commit`. Seconds are the clock's, CPU seconds the thread's.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self.families: list[Family] = []
        place = ("topic", "partition")
        stages = "fetch, decode, decide, sql, commit"
        self.lag = self.gauge("consumer_lag_records", "Records of a partition that are not committed yet.", place)
        self.batch_records = self.histogram("batch_records", "Records in a batch.", ("topic",), BATCH_SIZES)
        self.batch_seconds = self.histogram("batch_seconds", "From decoding a batch to its commit.", ("topic",))
        self.stage_seconds = self.counter("stage_seconds", f"Time of a batch by stage: {stages}.", ("stage",))
        told = f"The thread's own computing by stage: {stages}."
        self.stage_cpu_seconds = self.counter("stage_cpu_seconds", told, ("stage",))
        told = "Records by what they did: applied, repeat, stale, dead."
        self.events = self.counter("events", told, ("topic", "effect"))
        self.retries = self.counter("batch_retries", "Batches that were rolled back, by reason.", ("reason",))
        self.published = self.counter("outbox_published", "Events that Kafka acknowledged.", ("topic",))
        told = "Age of the oldest event that is not published yet."
        self.outbox_age = self.gauge("outbox_age_seconds", told, ("topics",))
        self.outbox_failures = self.counter("outbox_failures", "Rounds of publishing that failed.", ("reason",))

    def counter(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
        """Declare what only grows, and starts at 0 with the process; it is shown as `attend_<name>_total`."""
        self._declare(f"{name}_total", "counter", labels, meaning)
        return Counter(name, meaning, labels, NAMESPACE, registry=self.registry)

    def gauge(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
        """Declare what goes up and down; it is shown as `attend_<name>`."""
        self._declare(name, "gauge", labels, meaning)
        return Gauge(name, meaning, labels, NAMESPACE, registry=self.registry)

    def histogram(
        self, name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS
    ) -> Histogram:
        """Declare a distribution; it is shown as `attend_<name>_bucket`, `…_count` and `…_sum`."""
        self._declare(name, "histogram", labels, meaning)
        return Histogram(name, meaning, labels, NAMESPACE, registry=self.registry, buckets=buckets)

    def _declare(
        self, name: str, kind: Literal["counter", "gauge", "histogram"], labels: Sequence[str], meaning: str
    ) -> None:
        self.families.append(Family(f"{NAMESPACE}_{name}", kind, tuple(labels), meaning))

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
