"""The measures, each against its limits in the same rounds, as lines of the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import psutil

from bench.delivery.limits import Rate
from bench.delivery.load import Load
from bench.harness import Figure, Report, figure, median, percentile
from bench.reminders import limits, load
from bench.reminders.intake import Spent, Taken, drained
from bench.reminders.life import Fired, Reborn, Recovered, furnish, life, recovered
from bench.reminders.place import Broker, Place, place
from bench.reminders.together import Together, together
from bench.reminders.worker import worker
from bench.reminders.writing import fill, spread
from schemas.reminders import REMINDER_DUE, REMINDERS_PLANNED
from schemas.topics import APPOINTMENTS, REMINDERS, TIMERS_CHANGELOG

CORES = psutil.cpu_count() or 1
SAMPLE = 4000
AIM_PER_S, AIM_CPU_US, AIM_BURST_S, AIM_BYTES, AIM_ROWS_S, AIM_REBORN_S, AIM_STALL_MS = (
    30_000, 25, 0.6, 90, 150_000, 6, 50,
)  # fmt: skip

type Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit's rate, and the broker's part of the cores meanwhile."""

    rate: Rate
    share: float


@dataclass(slots=True)
class Rounds:
    """Results of one measure, round by round."""

    ours: list[Taken] = field(default_factory=list)
    plain: list[Limit] = field(default_factory=list)
    transactions: list[Limit] = field(default_factory=list)


async def measure_intake(broker: Broker, report: Report, events: int, rounds: int, say: Progress) -> None:
    """Let a worker take a waiting backlog, and the limits the same backlog."""
    found, backlog = (
        Rounds(),
        [(record.key, record.value, list(record.headers)) for record in Load(events).appointments()],
    )
    pairs = list[Together]()
    parts = spread(backlog)
    for number in range(rounds):
        say(f"intake, round {number + 1} of {rounds}")
        async with place(broker) as own:
            own.step(load.NOW)
            await fill(broker.bootstrap, own.topic(APPOINTMENTS), parts)
            with worker(own) as running:
                found.ours.append(await drained(own, running, events, CORES))
            await _limits(own, events, found)
        say(f"intake by two workers, round {number + 1} of {rounds}")
        async with place(broker) as own:
            own.step(load.NOW)
            with worker(own, 1, "one") as one, worker(own, 2, "two") as two:
                filling = partial(fill, broker.bootstrap, own.topic(APPOINTMENTS), parts)
                pairs.append(await together(own, (one, two), filling, events))
    size = sum(len(value or b"") for _, value, _ in backlog) / events
    report.notes.append(
        f"intake: {events:,} events of {size:.0f} bytes (whole contract, 7 headers) waiting in 12 partitions; from the"
        " instant the partitions were live to the last commit of its row and its planned event, by the broker's log;"
        f" {median([one.rows for one in found.ours]):.2f} rows an event (two versions in one batch are one row)"
    )
    report.add(*_taken("intake", found))
    report.notes.append(
        f"two workers: the same on partitions shared {pairs[0].shares}, both on these {CORES} cores with the broker;"
        " they were frozen while the backlog was written, and it counts from their thaw"
    )
    report.add(
        figure("intake, two workers together: the aim of one", "events/s", median([o.per_s for o in pairs]), AIM_PER_S),
        figure("intake, two workers together: their processes", "µs CPU/event", median([o.cpu_us for o in pairs])),
    )


async def _limits(own: Place, events: int, found: Rounds) -> None:
    """Send the same bytes through bare aiokafka, plain and in transactions."""
    broker, source = own.broker, own.topic(APPOINTMENTS)
    same = await _same(own)
    for take, results in ((limits.through, found.plain), (limits.through_transactions, found.transactions)):
        async with place(broker) as other:
            targets = limits.Targets(other.topic(REMINDERS), other.topic(TIMERS_CHANGELOG))
            spent = Spent(broker, CORES)
            rate = await take(broker, source, events, same, targets)
            results.append(Limit(rate, spent.so_far()[1]))


async def _same(own: Place) -> limits.Same:
    at = own.broker.bootstrap
    return limits.Same(
        await limits.some(at, own.topic(REMINDERS), SAMPLE, REMINDERS_PLANNED.encode()),
        await limits.some(at, own.topic(TIMERS_CHANGELOG), SAMPLE),
    )


def _taken(name: str, found: Rounds) -> list[Figure]:
    ours = median([one.per_s for one in found.ours])
    plain, transactions = (
        [median([one.rate.per_s for one in kind]) for kind in (found.plain, found.transactions)]
    )  # fmt: skip
    shares = {
        "ours": median([one.broker_share for one in found.ours]),
        "limit, plain": median([one.share for one in found.plain]),
        "limit, in transactions": median([one.share for one in found.transactions]),
    }
    return [
        figure(f"{name}: the aim", "events/s", ours, AIM_PER_S),
        figure(f"{name}: bare consume and produce of the same bytes", "events/s", ours, plain),
        figure(f"{name}: the same in transactions", "events/s", ours, transactions),
        figure(f"{name}: the worker's process: the aim", "µs CPU/event", _mid(found.ours, "cpu_us"), AIM_CPU_US),
        figure(
            f"{name}: the worker's process: the limit's, in transactions", "µs CPU/event", _mid(found.ours, "cpu_us"),
            median([one.rate.cpu_us for one in found.transactions]),
        ),
        figure(f"{name}: the broker's process", "µs CPU/event", _mid(found.ours, "broker_us")),
        *(figure(f"{name}: the broker's part of the cores, {who}", "share", share) for who, share in shares.items()),
        figure(f"{name}: events in one transaction", "events", _mid(found.ours, "mean_batch")),
        figure(f"{name}: event loop late, p99", "ms", _mid(found.ours, "stall_p99_ms"), AIM_STALL_MS),
        figure(f"{name}: event loop late, worst", "ms", max(one.stall_max_ms for one in found.ours)),
    ]  # fmt: skip


async def measure_life(broker: Broker, report: Report, table: load.Table, rounds: int, say: Progress) -> None:
    """Changes, burst and death on a full table, and the burst's and the changes' limits."""
    changes, bursts, deaths = Rounds(), list[Fired](), list[Reborn]()
    bare, transactions = list[list[float]](), list[list[float]]()
    for number in range(rounds):
        say(f"a full table, round {number + 1} of {rounds}: furnishing")
        async with place(broker) as own:
            await furnish(own, table)
            say(f"a full table, round {number + 1} of {rounds}: changes, burst, kill -9")
            taken, burst, death = await life(own, table, CORES)
            changes.ours.append(taken)
            bursts.append(burst)
            deaths.append(death)
            await _limits(own, table.changes, changes)
            for kind in (bare, transactions):
                kind.append(await _burst_limit(own, table, in_transactions=kind is transactions))
    report.notes.append(
        f"a full table: {table.rows:,} rows of two pending timers; {table.changes:,} moves and cancellations waited;"
        f" {table.burst:,} timers due at one instant, 10 % of them moved there and as many again cancelled before;"
        " times from the due instant to the commit in the broker's log (by the broker's clock, in ms)"
    )
    report.add(*_taken("cancels and moves", changes))
    report.add(*_fired(bursts, bare, transactions))
    report.add(*_reborn(deaths))


async def _burst_limit(own: Place, table: load.Table, *, in_transactions: bool) -> list[float]:
    at = own.broker.bootstrap
    events = await limits.some(at, own.topic(REMINDERS), table.burst, REMINDER_DUE.encode())
    rows = await limits.some(at, own.topic(TIMERS_CHANGELOG), SAMPLE)
    async with place(own.broker) as other:
        targets = limits.Targets(other.topic(REMINDERS), other.topic(TIMERS_CHANGELOG))
        if in_transactions:
            return await limits.burst_transactions(own.broker, events, rows, targets)
        return await limits.burst(own.broker, events, targets)


def _fired(bursts: Sequence[Fired], bare: Sequence[list[float]], transactions: Sequence[list[float]]) -> list[Figure]:
    def point(runs: Sequence[list[float]], share: float) -> float:
        return median([max(run) if share == 1 else percentile(run, share) for run in runs])

    late = [one.late_s for one in bursts]
    lines = [figure("burst, p99: the aim", "s", point(late, 0.99), AIM_BURST_S)]
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1, "last")):
        lines.append(figure(f"burst, {name}: producing the same messages", "s", point(late, share), point(bare, share)))
        limit = point(transactions, share)
        lines.append(
            figure(f"burst, {name}: the same in transactions, with their rows", "s", point(late, share), limit)
        )
    return [
        *lines,
        figure("burst: ghosts, repeats and losses, all rounds", "messages", sum(one.wrong for one in bursts), 0),
        figure("burst: the broker's part of the cores", "share", _mid(bursts, "broker_share")),
        figure("burst: event loop late, p99", "ms", median([b.window.stall_p99_ms for b in bursts]), AIM_STALL_MS),
        figure("burst: event loop late, worst", "ms", max(b.window.stall_max_ms for b in bursts)),
    ]


def _reborn(deaths: Sequence[Reborn]) -> list[Figure]:
    lives = [one.again for one in deaths]
    steps = (
        ("process", "process_s"), ("start and join", "join_s"), ("fence", "fence_s"), ("replay", "replay_s"),
        ("index", "index_s"), ("until live", "rest_s"),
    )  # fmt: skip
    return [
        figure("kill -9 to the first hand-over: the aim", "s", _mid(deaths, "first_due_s"), AIM_REBORN_S),
        *(figure(f"kill -9: {name}", "s", _mid(lives, attribute)) for name, attribute in steps),
        figure("kill -9: live to the first hand-over", "s", _mid(deaths, "first_after_live_s")),
    ]


async def measure_recovery(broker: Broker, report: Report, rows: int, rounds: int, say: Progress) -> None:
    """Start a worker on an empty and on a full changelog: rows a second, and bytes a timer."""
    table = load.Table(rows, 0)
    say(f"recovery of {rows:,} rows: furnishing")
    parts = table.changelog()
    count, size = load.sizes(parts)
    ours, bare, bytes_each, shares = list[Recovered](), list[Rate](), list[float](), list[float]()
    for number in range(rounds):
        say(f"recovery of {rows:,} rows, round {number + 1} of {rounds}")
        async with place(broker) as empty:
            empty.step(load.NOW)
            with worker(empty) as running:
                before = (await recovered(running)).rss
        async with place(broker) as own:
            own.step(load.NOW)
            await fill(broker.bootstrap, own.topic(TIMERS_CHANGELOG), parts)
            with worker(own) as running:
                spent = Spent(broker, CORES)
                ours.append(await recovered(running))
                shares.append(spent.so_far()[1])
            bytes_each.append((ours[-1].rss - before) / (2 * rows))
            bare.append(await limits.read_bare(broker, own.topic(TIMERS_CHANGELOG), count))
    name = f"{2 * rows / 1e6:.2g} M timers"
    with_index = median([one.rows / (one.replay_s + one.index_s) for one in ours])
    report.add(
        figure(f"{name}: replay: the aim", "rows/s", median([one.rows / one.replay_s for one in ours]), AIM_ROWS_S),
        figure(f"{name}: replay and index: the aim", "rows/s", with_index, AIM_ROWS_S),
        figure(f"{name}: replay and index: reading it bare", "rows/s", with_index, median([r.per_s for r in bare])),
        figure(f"{name}: memory of the whole process: the aim", "B/timer", median(bytes_each), AIM_BYTES),
        figure(f"{name}: memory: key and packed row", "B/timer", median(bytes_each), size / (2 * rows)),
        figure(f"{name}: recovery: the broker's part of the cores", "share", median(shares)),
        figure(f"{name}: recovery: event loop late, p99", "ms", median([o.window.stall_p99_ms for o in ours])),
        figure(f"{name}: recovery: event loop late, worst", "ms", max(o.window.stall_max_ms for o in ours)),
    )


def _mid(runs: Sequence[object], attribute: str) -> float:
    return median([float(getattr(run, attribute)) for run in runs])
