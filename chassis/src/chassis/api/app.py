"""The API of every service: behind the door, with problems as answers, and with the operator's key."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.api.codes import Codes
from chassis.api.description import DescribedApi, answers, refuses
from chassis.api.door import USUAL, Admit, Bounds, Door, nobody, refused
from chassis.api.known_parameters import KnownParameters
from chassis.api.problems import Dialects, Problem, add_problems
from chassis.api.server import serve
from chassis.process.settings import ServiceSettings

ELSEWHERE = ("/health", "/clock", "/status", "/metrics", "/docs", "/openapi.json", "/static-offline-docs")
"""Paths of `chassis.api.operations`: here there is nothing, with a key and without, so that a probe at the wrong
port hears 404 and not that it lacks a key."""


def create_api(
    title: str,
    description: str = "",
    *,
    admit: Admit = nobody,
    public: tuple[str, ...] = (),
    bounds: Bounds = USUAL,
    codes: Codes | None = None,
    dialects: Dialects | None = None,
) -> FastAPI:
    """Return an API without routes yet, with problems as answers, behind the door; its routes take what they name.

    Args:
        admit: Which keys open anything under a path; left out, none does.
        public: Paths, each with all below it, whose routes check their callers themselves, and bound their bodies.
            Their callers may add parameters of their own.
        codes: By which its routes refuse, beside `codes.COMMON`: its description lists them.
        dialects: Paths whose refusals are no problems.
    """
    known = [Depends(KnownParameters(public))]
    api = DescribedApi(
        codes or {}, dialects or {}, title=title, description=description, version="1", openapi_url=None,
        dependencies=known,
    )  # fmt: skip
    everywhere = (*public, *ELSEWHERE)
    api.add_middleware(Door, admit=admit, public=everywhere, bounds=bounds, dialects=dialects)
    add_problems(api, dialects)
    return api


_bearer = HTTPBearer(
    auto_error=False, scheme_name="OperatorKey", description="The operator's key: `attend key` shows it."
)


class OperatorKey:
    """The operator's key, as a dependency of routes and for the door; without one set, it is nobody's (G9)."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._expected = settings.operator_key_sha256.get_secret_value() if settings.operator_key_sha256 else ""

    def opens(self, key: str) -> bool:
        """Say whether this is the key."""
        found = hashlib.sha256(key.encode()).hexdigest()
        return bool(key and self._expected) and hmac.compare_digest(found, self._expected)

    async def admit(self, key: str, _method: str, _path: str) -> bool:
        """See `door.Admit`."""
        return self.opens(key)

    async def __call__(self, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> None:
        """Let the operator through."""
        key = "" if given is None else given.credentials
        if not self.opens(key):
            raise refused(key)


def operator(settings: ServiceSettings) -> OperatorKey:
    """Return what lets only the operator's key through."""
    return OperatorKey(settings)


__all__ = ["Bounds", "OperatorKey", "Problem", "answers", "create_api", "operator", "refuses", "serve"]
