"""When to try again after a temporary refusal (R24, D33)."""

from datetime import datetime, timedelta

BASE_S = 5.0
CAP_S = 300.0
SPREAD = 0.2
"""A delay is spread by ±20 %, so that what failed together does not come back together."""


def delay(attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after the `attempts`-th attempt: 5 s, 10 s, 20 s… up to 5 min.

    Args:
        jitter: Between 0 and 1, random.
    """
    exact = min(BASE_S * 2.0 ** min(attempts - 1, 10), CAP_S)
    return timedelta(seconds=min(exact * (1 - SPREAD + 2 * SPREAD * jitter), CAP_S))


def retry_at(
    now: datetime, attempts: int, not_after: datetime, jitter: float, asked: timedelta | None = None
) -> datetime | None:
    """Return when to try again, or None if no attempt fits before the deadline any more.

    Args:
        asked: The carrier's Retry-After, which is never undercut.
    """
    wait = delay(attempts, jitter)
    then = now + max(wait, asked or wait)
    return then if then <= not_after else None
