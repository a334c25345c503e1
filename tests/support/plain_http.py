"""Clients that speak plain HTTP, as all servers of the tests do."""

import ssl
from typing import Any

import httpx2

_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(**options: Any) -> httpx2.AsyncClient:
    """Return a client that reads no certificates of authorities, which takes 33 ms of computing for each client."""
    return httpx2.AsyncClient(verify=_TRUSTS_NOBODY, **options)
