"""Requests to one address, made cheaply: the client's own builder joins addresses and merges headers anew each time."""

import httpx2


class Posting:
    """Makes the requests of one account.

    Args:
        client: The carrier's client, whose base address, headers and timeouts count.
        path: Below the base address.
        content_type: Of every body.
        authorization: The header of that name.
    """

    def __init__(self, client: httpx2.AsyncClient, path: str, content_type: str, authorization: str) -> None:
        own = {"Content-Type": content_type, "Authorization": authorization}
        model = client.build_request("POST", path, headers=own)
        self._url = model.url
        self._headers = [(name, value) for name, value in model.headers.raw if name.lower() != b"content-length"]
        self._extensions = model.extensions

    def request(self, content: bytes) -> httpx2.Request:
        """Return a request with this body."""
        return httpx2.Request(
            "POST",
            self._url,
            headers=[*self._headers, (b"Content-Length", str(len(content)).encode("ascii"))],
            stream=httpx2.ByteStream(content),
            extensions=self._extensions,
        )
