"""Why requests are answered 503, in the log: the answer says that something is away, and not what."""

import time
from collections.abc import Callable

import structlog

from chassis.process.errors import Unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger()

ONCE_IN_S = 1.0
"""Of one cause a line at most in so long: while PostgreSQL is away every request has the same."""

_MOST = 100


class Causes:
    """Logs causes, each once a second with how often it came since.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def tell(self, error: Unavailable) -> None:
        """Say why a request is answered 503, in words of ours with PostgreSQL's SQLSTATE or the error's class."""
        cause, now = (error.code, error.message), self._clock()
        if cause not in self._told and len(self._told) >= _MOST:
            self._told.clear()
        last, more = self._told.get(cause, (now - ONCE_IN_S, 0))
        if now - last < ONCE_IN_S:
            self._told[cause] = (last, more + 1)
            return
        self._told[cause] = (now, 0)
        log.warning("request.away", code=error.code, why=error.message, count=more + 1)


CAUSES = Causes()
"""Of this process."""
