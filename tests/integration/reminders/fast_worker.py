"""A worker whose clock is hours ahead of the broker's: `python -m tests.integration.reminders.fast_worker worker`."""

from datetime import datetime, timedelta

from chassis.process.clock import clock_from
from chassis.process.lifecycle import run
from chassis.process.settings import load
from reminders.settings import Settings
from reminders.wiring import WORKER, run_worker

AHEAD = timedelta(hours=4, minutes=40)


class FastClock:
    """The clock of a machine that somebody set."""

    def __init__(self, settings: Settings) -> None:
        self._clock = clock_from(settings.clock_file)

    @property
    def epoch(self) -> int:
        """See `Clock`."""
        return self._clock.epoch

    def now(self) -> datetime:
        """See `Clock`."""
        return self._clock.now() + AHEAD

    def unstepped(self) -> datetime:
        """See `Clock`."""
        return self._clock.unstepped() + AHEAD


def main() -> None:
    """Run the worker as `python -m reminders worker` does, by that clock."""
    settings = load(Settings)
    run(WORKER, settings, lambda stop: run_worker(settings, stop, FastClock(settings)))


if __name__ == "__main__":
    main()
