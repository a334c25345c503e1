"""The records path against the limits of the same run, and where the CPU goes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from aiokafka import ConsumerRecord

from bench.delivery.limits import Rate, copy_rows, fetch_loop
from bench.delivery.load import Load
from bench.delivery.records_run import Run, decide_only, run_records
from bench.delivery.servers import Servers, database, place
from bench.delivery.topics import consumer, produce
from bench.harness import Figure, Report, figure, interleaved, median
from records.adapters import decoders
from schemas.appointments import Appointment
from schemas.topics import APPOINTMENTS
from schemas.wire import decode

BARE, CONTRACT, LEAN, COPY = "fetch", "fetch and decode the contract", "fetch and decode records' reading", "COPY rows"


async def measure_records(servers: Servers, report: Report, events: int, rounds: int) -> None:
    """Measure the limits and the service in turn, `rounds` times, over one topic that waits."""
    load = Load(events)
    async with place(servers) as topics_only:
        topic, partitions = topics_only.topic(APPOINTMENTS), APPOINTMENTS.partitions
        count, size = await produce(servers.bootstrap, topic, partitions, load.appointments())
        report.notes.append(
            f"{count:,} events of {size / count:.0f} bytes (values; the contract's own, 550 were asked for) waiting in"
            f" {partitions} partitions; {len(load.patients):,} patients, each at one clinic; medians of {rounds} rounds"
        )
        rows = [(UUID(int=n), 1, UUID(int=n % 40_000), f"CL{n % 50:03d}") for n in range(events)]
        runs: list[Run] = []

        async def limit(decoder: object = None) -> Rate:
            return await fetch_loop(servers.bootstrap, topic, partitions, events, decoder)  # type: ignore[arg-type]

        async def copied() -> Rate:
            async with database(servers) as url:
                return await copy_rows(url, rows)

        async def ours() -> Rate:
            async with place(servers, "records", prefix=topics_only.prefix) as own:
                runs.append(await run_records(own, load))
                return runs[-1].rate

        measured = await interleaved(
            rounds,
            {
                BARE: limit,
                CONTRACT: lambda: limit(lambda record: decode(Appointment, record.value)),
                LEAN: lambda: limit(decoders.appointment),
                COPY: copied,
                "records": ours,
            },
        )
        sample = await _some(servers.bootstrap, topic, partitions, min(events, 20_000))
    report.add(*_rates(measured), *_stages(measured, runs, await decide_only(sample, load)))


def _rates(measured: Mapping[str, Sequence[Rate]]) -> list[Figure]:
    rate = {name: median([one.per_s for one in rates]) for name, rates in measured.items()}
    ours = rate["records"]
    limits = [figure(f"limit: {name}", "events/s", rate[name]) for name in (BARE, CONTRACT, LEAN, COPY)]
    return [
        *limits,
        figure("records, all durable and published : the same decoding loop", "events/s", ours, rate[LEAN]),
        figure("records, all durable and published : decoding the whole contract", "events/s", ours, rate[CONTRACT]),
        figure("records, all durable and published : bare fetch", "events/s", ours, rate[BARE]),
        figure("records, all durable and published : COPY", "events/s", ours, rate[COPY]),
    ]


def _stages(measured: Mapping[str, Sequence[Rate]], runs: Sequence[Run], decide_us: float) -> list[Figure]:
    """Return CPU microseconds an event: fetch and decide measured alone, decode and commit as the service counts."""
    cpu = {name: median([one.cpu_us for one in rates]) for name, rates in measured.items()}
    decode, told, commit = (median([run.stages_us[stage] for run in runs]) for stage in ("decode", "decide", "commit"))
    unit = "µs CPU/event"
    return [
        figure("records: fetch", unit, cpu[BARE]),
        figure("records: decode", unit, decode),
        figure("records: decide", unit, decide_us),
        figure("records: SQL, the client's part", unit, max(0.0, told - decide_us)),
        figure("records: commit, the client's part", unit, commit),
        figure("records: replies, relay and the rest", unit, cpu["records"] - cpu[BARE] - decode - told - commit),
        figure("records: the whole process", unit, cpu["records"]),
        figure("records: PostgreSQL's part", unit, median([run.postgres_us for run in runs])),
        figure("records: Kafka's part", unit, median([run.kafka_us for run in runs])),
    ]


async def _some(bootstrap: str, topic: str, partitions: int, count: int) -> list[ConsumerRecord]:
    reader, found = consumer(bootstrap, topic, partitions), list[ConsumerRecord]()
    await reader.start()
    try:
        while len(found) < count:
            for records in (await reader.getmany(timeout_ms=1000)).values():
                found += records
    finally:
        await reader.stop()
    return found[:count]
