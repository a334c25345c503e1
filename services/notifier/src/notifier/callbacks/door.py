"""The door of all callbacks: small bodies only, and a count of what was let in and what was not."""

import asyncio

from fastapi import Request

from chassis.api.app import Problem
from chassis.process.metrics import Metrics

LARGEST_BODY = 64 * 1024
"""Twilio's forms have some 2 KiB."""
LARGEST_WEBHOOK = 3 * 1024 * 1024
"""Of Meta, by its own documentation: a body that is refused for its size would be sent again for days, and lost."""
LONGEST_READ_S = 10.0
"""Carriers send their few bytes at once; whoever drips is none."""


class Door:
    """Reads callbacks' bodies and counts their fate.

    Args:
        metrics: Where it counts. The labels are our own words, never anything that was sent.
    """

    def __init__(self, metrics: Metrics, longest_read_s: float = LONGEST_READ_S) -> None:
        self._longest_read_s = longest_read_s
        told = "Callbacks of carriers, and reports in them, by what became of them."
        self._count = metrics.counter("callbacks", told, ("carrier", "fate"))

    def count(self, carrier: str, fate: str, number: int = 1) -> None:
        """Count what became of a callback or of one report in it."""
        self._count.labels(carrier, fate).inc(number)

    def refusal(self, carrier: str, status: int, code: str, detail: str) -> Problem:
        """Count and return a refusal; nothing of the request is kept."""
        self.count(carrier, code.lower())
        return Problem(status, code, detail)

    async def read(self, request: Request, carrier: str, limit: int = LARGEST_BODY) -> bytes:
        """Return the body, read no further than the limit.

        Raises:
            Problem: 413 BODY_TOO_LARGE; one that says its length is refused before it is read. 408 BODY_TOO_SLOW.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise self._too_large(carrier, limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._longest_read_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise self._too_large(carrier, limit)
        except TimeoutError:
            raise self.refusal(carrier, 408, "BODY_TOO_SLOW", f"within {self._longest_read_s:.0f} s") from None
        return bytes(body)

    def unsigned(self, carrier: str) -> Problem:
        """Return the refusal of a request whose signature is missing or wrong."""
        return self.refusal(carrier, 401, "BAD_SIGNATURE", "The signature is missing or is not ours.")

    def malformed(self, carrier: str, what: str) -> Problem:
        """Return the refusal of a request that is signed and cannot be read."""
        return self.refusal(carrier, 400, "MALFORMED", f"{what} is missing or cannot be read.")

    def _too_large(self, carrier: str, limit: int) -> Problem:
        return self.refusal(carrier, 413, "BODY_TOO_LARGE", f"at most {limit} bytes")
