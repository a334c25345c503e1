"""What every benchmark shares: figures, the table, the file, and medians of interleaved repeats."""

import asyncio
import json
import os
import platform
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from chassis.process.clock import RealClock

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a result.

    Attributes:
        name: What was measured.
        unit: Of `ours` and `limit`.
        ours: The system's figure.
        limit: What this machine allows, measured in the same run, or the aim; None if there is none.
        ratio: ours / limit.
    """

    name: str
    unit: str
    ours: float
    limit: float | None = None
    ratio: float | None = None


def figure(name: str, unit: str, ours: float, limit: float | None = None) -> Figure:
    """Return a line, rounded to what can be read."""
    return Figure(name, unit, _round(ours), None if limit is None else _round(limit), limit and round(ours / limit, 3))


@dataclass
class Report:
    """The figures of one benchmark as they come in.

    Attributes:
        name: Name of the benchmark and of its file.
        notes: What a reader must know to judge the figures.
        load_before: Runnable processes of the machine in the minute before the run, without ours.
    """

    name: str
    notes: list[str] = field(default_factory=list)
    load_before: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))
    figures: list[Figure] = field(default_factory=list)

    def add(self, *figures: Figure) -> None:
        """Add lines and show them at once."""
        self.figures.extend(figures)
        Console().print(table(self.name, figures))

    def write(self, folder: Path = RESULTS) -> Path:
        """Print the whole table and write `<name>.json`; returns where."""
        console = Console()
        console.print(table(self.name, self.figures))
        for note in self.notes:
            console.print(f"· {note}")
        path = folder / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "date": RealClock().now().astimezone(UTC).isoformat(timespec="seconds"),
            "machine": machine() | {"load_before": self.load_before},
            "notes": self.notes,
            "figures": [asdict(line) for line in self.figures],
        }
        path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        return path


def table(title: str, figures: Sequence[Figure]) -> Table:
    """Return the figures as a table."""
    shown = Table("what", "ours", "limit", "ratio", "unit", title=title, title_justify="left")
    for line in figures:
        shown.add_row(
            line.name,
            f"{line.ours:,}",
            "" if line.limit is None else f"{line.limit:,}",
            "" if line.ratio is None else f"{line.ratio:.3f}",
            line.unit,
        )
    return shown


def machine() -> dict[str, str | int | float]:
    """Return what the figures depend on."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


async def interleaved[T](
    rounds: int, measures: Mapping[str, Callable[[], Awaitable[T]]], between: Callable[[], None] = lambda: None
) -> dict[str, list[T]]:
    """Run each measure once a round, so that a slow minute of the machine meets all of them."""
    results: dict[str, list[T]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            between()
            results[name].append(await measure())
    return results


async def until(condition: Callable[[], Awaitable[bool]], within_s: float, every_s: float = 0.05) -> None:
    """Wait until the condition holds.

    Raises:
        TimeoutError: It does not in time: something is broken, not slow.
    """
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(every_s)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie (0 < share < 1)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """Return the middle one."""
    return statistics.median(values)


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds by process name, of this process's descendants."""

    seconds: Mapping[str, float]

    @classmethod
    def now(cls) -> "Cpu":
        """Read the counters."""
        seconds: dict[str, float] = {}
        for process in psutil.Process().children(recursive=True):
            try:
                times = process.cpu_times()
                seconds[process.name()] = seconds.get(process.name(), 0.0) + times.user + times.system
            except psutil.Error:
                continue
        return cls(seconds)

    def since(self, before: "Cpu", name: str) -> float:
        """Return the seconds that processes of this name used since `before`."""
        return self.seconds.get(name, 0.0) - before.seconds.get(name, 0.0)


def _round(value: float) -> float:
    return round(value) if abs(value) >= 100 else round(value, 2)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
