"""Who uses the processor: CPU seconds by part of the running system, PostgreSQL's by the role it works for."""

from collections import defaultdict
from collections.abc import Mapping

import psutil

from bench.delivery.running import Running
from bench.harness import Figure, figure

CLIENT = "client"
KAFKA = "kafka"
_ROLE = "attend_"


def cpu_by_part(system: Running) -> Mapping[str, float]:
    """Return the CPU seconds used so far by each service, Kafka, PostgreSQL's processes and this client.

    Parts of given servers (not started by this run) are absent.
    """
    state = system.system.state
    services = {part.process.pid: part.name for part in (state.parts if state else ()) if part.process}
    seconds: defaultdict[str, float] = defaultdict(float)
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            name = services.get(process.pid) or _name(process)
            times = process.cpu_times()
        except psutil.Error:
            continue
        if name:
            seconds[name] += times.user + times.system
    return seconds


def cpu_figures(title: str, before: Mapping[str, float], after: Mapping[str, float], bookings: int) -> list[Figure]:
    """Return a line for each part, the most expensive first, and one for all but the client."""
    used = {name: (seconds - before.get(name, 0.0)) / bookings * 1e6 for name, seconds in after.items()}
    lines = [(name, cost) for name, cost in sorted(used.items(), key=lambda item: -item[1]) if cost >= 1]
    whole = sum(cost for name, cost in lines if name != CLIENT)
    return [
        figure(f"{title}: CPU, {name}", "µs/booking", cost) for name, cost in [*lines, ("all but the client", whole)]
    ]


def _name(process: psutil.Process) -> str | None:
    if process.pid == psutil.Process().pid:
        return CLIENT
    if process.name() == "java":
        return KAFKA
    command = " ".join(process.cmdline())
    if "postgres" not in process.name():
        return None
    role = command.partition(_ROLE)[2].partition(" ")[0]
    return f"postgres for {role}" if role else "postgres itself"
