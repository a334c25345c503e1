"""How tests wait: for a condition, never for a time."""

import asyncio
from collections.abc import Awaitable, Callable

WITHIN_S = 120
"""What even a very busy machine needs."""
SOONEST_S, LATEST_S = 0.01, 0.1
"""How long before the next look: short at first, and longer the longer it has been, for a look costs what it asks."""


async def until(
    condition: Callable[[], Awaitable[bool]] | Callable[[], bool], what: str = "", within_s: float = WITHIN_S
) -> None:
    """Wait until a condition holds.

    Args:
        condition: Says whether it holds; asked again and again, at once the first time.
        what: Names it for a failing test to say.
        within_s: How many seconds of machine time it may take.

    Raises:
        AssertionError: It does not hold in time.
    """
    pause_s = SOONEST_S
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = condition()
                if await found if isinstance(found, Awaitable) else found:
                    return
                await asyncio.sleep(pause_s)
                pause_s = min(1.25 * pause_s, LATEST_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s: {what or condition}") from None
