"""Kept connections to an HTTP carrier, each in a pool of its own (decision 0034)."""

from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx2


class Spread(httpx2.AsyncBaseTransport):
    """Spreads requests over as many pools as there may be connections, one connection each.

    One pool of 64 looks at all of its connections at the beginning and the end of every request: that was
    45 % of the SMS lane's CPU. The pool freed last is used first, so that in quiet hours idle connections end.

    Args:
        connections: Most requests at once; a lane makes no more calls than it has slots.
        keep_alive_s: How long an idle connection is kept, in seconds.
    """

    def __init__(self, connections: int, keep_alive_s: float) -> None:
        context = httpx2.create_ssl_context(trust_env=False)
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keep_alive_s)
        self._pools = [
            httpx2.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits) for _ in range(connections)
        ]
        self._free = list(self._pools)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See `httpx2.AsyncBaseTransport`."""
        if not self._free:
            raise httpx2.PoolTimeout("more calls at once than connections", request=request)
        pool = self._free.pop()
        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            self._free.append(pool)
            raise
        body = cast(httpx2.AsyncByteStream, response.stream)  # an asynchronous transport gives no other
        response.stream = _Freeing(body, lambda: self._free.append(pool))
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.aclose()


class _Freeing(httpx2.AsyncByteStream):
    """An answer's body whose closing frees its pool, once."""

    def __init__(self, stream: httpx2.AsyncByteStream, free: Callable[[], None]) -> None:
        self._stream, self._free = stream, free
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        finally:
            self._free()
