"""Wakes whoever waits for new rows in this process; those in other processes look twice a second."""

import asyncio


class Bell:
    """Rung after each commit of fan-out."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        """Return when rung, or after `timeout_s` seconds of machine time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return
