"""Whether what an API answers is what its description says: status, media type, and the shape of the body."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import orjson
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from jsonschema_rs import Draft202012Validator
from starlette.routing import Match

from tests.support.described import answers

STREAMS = ("text/event-stream", "application/x-ndjson")
UNROUTED = {401, 404, 405, 431}
"""Of a path or a method that is none: nothing describes it."""


class Conformance:
    """Holds an API to its description.

    Args:
        port: Of the API, where a client asks others too.
    """

    def __init__(self, api: FastAPI, port: int | None = None) -> None:
        self._api, self._described, self._port = api, api.openapi(), port
        self._validators: dict[tuple[str, str, str], Draft202012Validator] = {}

    @property
    def hooks(self) -> dict[str, list[Callable[[httpx2.Response], Awaitable[None]]]]:
        """The hooks of a client that fail whoever is answered otherwise."""
        return {"response": [self._check]}

    async def _check(self, response: httpx2.Response) -> None:
        is_ours = self._port is None or response.request.url.port == self._port
        if is_ours and response.headers.get("content-type", "").split(";")[0] not in STREAMS:
            await response.aread()
            wrong = self.wrong(response)
            assert wrong is None, wrong

    def wrong(self, response: httpx2.Response) -> str | None:
        """Return what the description does not have of an answer, in words; None if it has all."""
        method, path, status = response.request.method, response.request.url.path, str(response.status_code)
        operation = self._operation(method, path)
        if operation is None:
            return None if response.status_code in UNROUTED else f"{method} {path} is not described"
        name = f"{operation['operationId']} {status}"
        if status not in operation["responses"]:
            return f"{name}: the description has no such status"
        content = answers(self._described, operation)[status].get("content", {})
        media_type = response.headers.get("content-type", "").split(";")[0]
        if media_type not in content:
            return f"{name}: the description has not {media_type or 'an empty answer'}" if content else None
        if not media_type.endswith("json"):
            return None
        key = (operation["operationId"], status, media_type)
        if key not in self._validators:
            schema = {**content[media_type]["schema"], "components": self._described["components"]}
            self._validators[key] = Draft202012Validator(schema)
        error = next(self._validators[key].iter_errors(orjson.loads(response.content)), None)
        return None if error is None else f"{name}: {error}"

    def _operation(self, method: str, path: str) -> Any:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        for route in iter_route_contexts(self._api.routes):
            if route.matches(scope)[0] is Match.FULL:
                return self._described["paths"].get(route.path_format, {}).get(method.lower())
        return None
