"""Whether this process lives, is ready, is idle; and why not."""

import os
from collections.abc import Awaitable, Callable
from datetime import datetime

from chassis.process.clock import Clock
from chassis.process.errors import AttendError

type Figure = int | float | str | None


class Health:
    """Collects what the parts of a process say of themselves."""

    def __init__(self, service: str, clock: Clock) -> None:
        self.service = service
        self._clock = clock
        self._started_at = clock.unstepped().isoformat(timespec="milliseconds")
        self._checks: dict[str, Callable[[], str | None]] = {}
        self._liveness: dict[str, Callable[[], str | None]] = {}
        self._idle: dict[str, Callable[[], Awaitable[bool]]] = {}
        self._wakes: list[Callable[[], Awaitable[datetime | None]]] = []
        self._figures: dict[str, Callable[[], Awaitable[Figure]]] = {}

    @property
    def identity(self) -> dict[str, str | int]:
        """Who answers: whoever asked a port that was to be another's sees it, however well this process is.

        The installation is what `ATTEND_INSTALLATION` says: whoever starts several beside each other tells them apart.
        """
        installation = os.environ.get("ATTEND_INSTALLATION", "")
        began = self._started_at
        return {"service": self.service, "installation": installation, "pid": os.getpid(), "started_at": began}

    def add_check(self, name: str, check: Callable[[], str | None]) -> None:
        """Add a readiness check: it returns why this part is not ready, or None."""
        self._checks[name] = check

    def add_liveness(self, name: str, check: Callable[[], str | None]) -> None:
        """Add a liveness check: it returns why only a restart of the process may help this part, or None."""
        self._liveness[name] = check

    def dying(self) -> dict[str, str]:
        """Return part → why the process is to be started anew; empty while it lives."""
        return {name: reason for name, check in self._liveness.items() if (reason := check()) is not None}

    def add_idle(self, name: str, idle: Callable[[], Awaitable[bool]]) -> None:
        """Add a part that says whether it has nothing to do at this domain time (design §7)."""
        self._idle[name] = idle

    def add_next_wake(self, wake: Callable[[], Awaitable[datetime | None]]) -> None:
        """Add a part that knows when, in domain time, it next has something to do."""
        self._wakes.append(wake)

    def add_status(self, name: str, figure: Callable[[], Awaitable[Figure]]) -> None:
        """Add a figure of `GET /status`."""
        self._figures[name] = figure

    def reasons(self) -> dict[str, str]:
        """Return part → why it is not ready; empty when ready."""
        return {name: reason for name, check in self._checks.items() if (reason := check()) is not None}

    async def clock_state(self) -> dict[str, object]:
        """Return the epoch seen, whether all parts are idle on it, and the soonest wake."""
        epoch = self._clock.epoch
        try:
            idle = all([await part() for part in self._idle.values()])
            wakes = [at for wake in self._wakes if (at := await wake()) is not None]
        except AttendError:
            return {"epoch": epoch, "idle": False, "next_wake_at": None}
        return {
            "epoch": epoch,
            "idle": idle and epoch == self._clock.epoch,
            "next_wake_at": min(wakes).isoformat() if wakes else None,
        }

    async def status(self) -> dict[str, Figure]:
        """Return the figures of this process; one that cannot be read now is null."""
        state = "ready" if not self.reasons() else "not ready"
        found: dict[str, Figure] = {**self.identity, "state": state}
        for name, figure in self._figures.items():
            try:
                found[name] = await figure()
            except AttendError:
                found[name] = None
        return found
