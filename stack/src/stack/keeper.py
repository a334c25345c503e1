"""Keep one part running: watch it, and start it again when it ended, later and later."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from chassis.process.errors import AttendError
from stack.parts import Part, ServiceProcess
from stack.state import PartState

TICK_S = 0.1
ASK_EVERY_S = 0.3  # asking costs a starting service time, too
BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 10.0
ASK_LIVE_EVERY_S = 5.0
STEADY_S = 30.0  # ran this long: the next end is a new story, not the old one going on
EXIT_MISCONFIGURED = 78


def backoff_s(failures: int) -> float:
    """Return the wait before the next start: 0.2 s, doubled by each failure, at most 10 s."""
    return float(min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** max(0, failures - 1)))


class Keeper(threading.Thread):
    """Watches one part.

    States: `starting` until it says that it is ready, then `ready`; ended, it is `restarting` until its next start,
    `refused` if it ended because of its settings (exit code 78), or `ended` if it is not to be started again.
    """

    def __init__(
        self,
        name: str,
        part: Part,
        url: str,
        told: Callable[[PartState], None],
        *,
        restart: bool,
        operations_url: str = "",
        ask_live_every_s: float = ASK_LIVE_EVERY_S,
    ) -> None:
        """Prepare."""
        super().__init__(name=f"keeper-{name}", daemon=True)
        self.part = part
        self.state = PartState(name, "waiting", url, operations_url)
        self._told = told
        self._restart = restart
        self._ask_live_every_s = ask_live_every_s
        self._over = threading.Event()
        self.failures = 0
        self._next_start = 0.0
        self._ready_since = 0.0
        self._next_question = 0.0

    @property
    def ready(self) -> bool:
        """Whether the part runs and said that it is ready; one killed a moment ago is not."""
        return self.state.state == "ready" and self.part.running

    def begin(self) -> None:
        """Start the part and watch it from now on."""
        self._become("starting")
        self.part.start()
        self._become("ready" if self.part.is_ready() else "starting")
        self.start()

    def finish(self) -> None:
        """Stop watching, then stop the part."""
        self._over.set()
        if self.is_alive():
            self.join()
        self._become("stopping")
        self.part.stop()
        self._become("stopped")

    def run(self) -> None:
        """Look at the part every 0.1 s until told to finish."""
        while not self._over.wait(TICK_S):
            if self.part.running:
                self._look()
            elif self.state.state in ("starting", "ready"):
                self._ended()
            elif self._restart and time.monotonic() >= self._next_start:
                self._start_again()

    def _look(self) -> None:
        if self.state.state == "ready":
            if self.failures and time.monotonic() - self._ready_since > STEADY_S:
                self.failures = 0
            self._look_alive()
        elif time.monotonic() < self._next_question:
            return
        elif self.part.is_ready():
            self._ready_since = time.monotonic()
            self._become("ready")
        else:
            self._next_question = time.monotonic() + ASK_EVERY_S
            self._become("starting", self.part.detail if isinstance(self.part, ServiceProcess) else "")

    def _look_alive(self) -> None:
        """Ask now and then whether it is stuck, and end it then: it is started again like one that ended."""
        if not self._restart or time.monotonic() < self._next_question:
            return
        self._next_question = time.monotonic() + self._ask_live_every_s
        if why := self.part.stuck():
            self.part.stop()
            self._ended(f"stuck: {why}")

    def _ended(self, why: str = "") -> None:
        """Note the end, and when to start again."""
        code = self.part.exit_code if isinstance(self.part, ServiceProcess) else None
        refused = code == EXIT_MISCONFIGURED
        self.failures += 1
        self._next_start = time.monotonic() + (BACKOFF_MOST_S if refused else backoff_s(self.failures))
        last = (self.part.last_words().splitlines() or [""])[-1]
        if not self._restart:
            self._become("ended", last)
        else:
            self._become("refused" if refused else "restarting", (why or f"exit code {code}: {last}")[:400])

    def _start_again(self) -> None:
        try:
            self.part.start()
        except AttendError as error:
            self.failures += 1
            self._next_start = time.monotonic() + backoff_s(self.failures)
            self._become("restarting", str(error).splitlines()[0])
        else:
            self._become("starting", restarts=self.state.restarts + 1)

    def _become(self, state: str, detail: str = "", restarts: int | None = None) -> None:
        known = self.state
        count = known.restarts if restarts is None else restarts
        process = self.part.process if self.part.running else None
        self.state = replace(known, state=state, detail=detail, restarts=count, process=process)
        if self.state != known:
            self._told(self.state)
