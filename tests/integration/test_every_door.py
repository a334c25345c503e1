"""No route of any service's API answers a stranger, but a short list (G9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

import booking.settings
import booking.wiring
import notifier.settings
import notifier.wiring.service
import records.settings
import records.wiring
import reminders.settings
import reminders.wiring
from tests.support.installation import ADDRESS_PEPPER, Installation

pytestmark = pytest.mark.integration

KEY = "the operator's key"
OPERATION = ("/health/live", "/health/ready", "/clock", "/status", "/metrics", "/docs", "/openapi.json")
SIGNED = {
    "/callbacks/twilio/inbound",
    "/callbacks/twilio/{attempt_id}",
    "/callbacks/meta",
    "/callbacks/dsn",
    "/callbacks/unsubscribe/{token}",
}
"""Whoever calls proves himself by a signature, which is 401 when it is missing."""


def told(installation: Installation, service: str) -> dict[str, Any]:
    return {
        "database_url": SecretStr(installation.service_url(service)),
        "kafka_bootstrap_servers": installation.bootstrap,
        "topic_prefix": installation.topic_prefix,
        "operator_key_sha256": SecretStr(sha256(KEY.encode()).hexdigest()),
        "address_pepper": SecretStr(ADDRESS_PEPPER),
    }


@pytest.fixture
async def apis(installation: Installation) -> AsyncIterator[dict[str, FastAPI]]:
    """Give the API of every service, as its wiring puts it together."""
    async with AsyncExitStack() as opened:
        takes = await opened.enter_async_context(
            booking.wiring.build(booking.settings.Settings(**told(installation, "booking")))
        )
        files = await opened.enter_async_context(
            records.wiring.build(records.settings.Settings(**told(installation, "records")))
        )
        sends = await opened.enter_async_context(
            notifier.wiring.service.build(notifier.settings.Settings(**told(installation, "notifier")), asyncio.Event())
        )
        reads = reminders.wiring.reading_api(
            reminders.settings.Settings(**told(installation, "reminders")),
            await installation.pool("reminders"),
        )
        assert sends.api is not None
        yield {"booking": takes.api, "records": files.api, "notifier": sends.api, "reminders": reads}


def routes(api: FastAPI) -> list[tuple[str, str]]:
    """Return (method, path) of every route that the API describes."""
    return [(method.upper(), path) for path, methods in api.openapi()["paths"].items() for method in methods]


async def test_g9_every_route_of_every_service_asks_for_a_key(apis: dict[str, FastAPI]) -> None:
    found: dict[str, set[str]] = {}
    codes: set[tuple[str, str]] = set()
    count = 0
    for name, api in apis.items():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://x") as stranger:
            for method, path in routes(api):
                place = path.replace("{provider_id}", str(UUID(int=1))).replace("{attempt_id}", str(UUID(int=1)))
                for key in ({}, {"Authorization": "Bearer no-key-of-ours"}, {"Authorization": "Bearer inbox_none"}):
                    answer = await stranger.request(method, place, headers=key, content=b"{")
                    count += 1
                    codes.add((name, answer.json().get("code", "")))
                    if answer.status_code != 401:
                        found.setdefault(name, set()).add(path)

    assert count > 160
    assert {(name, code) for name in apis for code in ("NO_KEY", "WRONG_KEY")} <= codes
    assert found == {}


@pytest.mark.parametrize("path", OPERATION)
async def test_nothing_of_a_process_is_told_where_its_api_answers(apis: dict[str, FastAPI], path: str) -> None:
    for api in apis.values():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://x") as stranger:
            for key in ({}, {"Authorization": f"Bearer {KEY}"}):
                assert (await stranger.get(path, headers=key)).status_code == 404


async def test_what_is_signed_is_the_notifiers_alone(apis: dict[str, FastAPI]) -> None:
    signed = {path for _, path in routes(apis["notifier"]) if path.startswith("/callbacks")}

    assert signed == SIGNED
    assert not any(
        path.startswith("/callbacks") for name in ("booking", "records", "reminders") for _, path in routes(apis[name])
    )
