"""What a process says of itself, at a port of its own and to everybody who reaches that (decision 0029)."""

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from chassis.api.app import create_api
from chassis.api.door import everybody
from chassis.api.operations import BOUNDS, listeners, operations_api
from chassis.process.clock import RealClock, StillClock
from chassis.process.errors import Misconfigured, Unavailable
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import run_all
from chassis.process.settings import ServiceSettings
from stack.ports import free_port

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOON)


@pytest.fixture
def health(clock: StillClock) -> Health:
    return Health("shop", clock)


def shop() -> FastAPI:
    api = create_api("Shop", "Sells things.", admit=everybody)

    @api.get("/things")
    async def things() -> int:
        return 3

    return api


@pytest.fixture
def client(health: Health) -> Iterator[TestClient]:
    with TestClient(operations_api(health, Metrics("shop"), shop()), raise_server_exceptions=False) as client:
        yield client


def test_a_process_is_live_before_it_is_ready(client: TestClient, health: Health) -> None:
    reasons: list[str | None] = ["waits for the first assignment"]
    health.add_check("consumer", lambda: reasons[0])

    assert client.get("/health/live").status_code == 200
    not_ready = client.get("/health/ready")
    assert (not_ready.status_code, not_ready.json()["reasons"]) == (503, {"consumer": reasons[0]})

    reasons[0] = None
    assert client.get("/health/ready").status_code == 200


def test_a_process_with_a_part_that_only_a_restart_may_help_is_not_live_and_says_which(
    client: TestClient, health: Health
) -> None:
    reasons: list[str | None] = ["stands still in spite of a new client: group"]
    health.add_liveness("consumer", lambda: reasons[0])

    answer = client.get("/health/live")
    told = {**health.identity, "status": "stuck", "reasons": {"consumer": reasons[0]}}
    assert (answer.status_code, answer.json()) == (503, told)

    reasons[0] = None
    assert client.get("/health/live").json() == {**health.identity, "status": "live"}


def test_the_clock_says_epoch_idleness_and_the_next_wake(client: TestClient, health: Health, clock: StillClock) -> None:
    async def yes() -> bool:
        return True

    async def soon() -> datetime | None:
        return NOON + timedelta(hours=1)

    async def never() -> datetime | None:
        return None

    health.add_idle("relay", yes)
    health.add_next_wake(soon)
    health.add_next_wake(never)
    clock.move(NOON + timedelta(minutes=1))

    assert client.get("/clock").json() == {"epoch": 1, "idle": True, "next_wake_at": "2026-03-01T13:00:00+00:00"}


def test_a_process_that_cannot_tell_is_not_idle(client: TestClient, health: Health) -> None:
    async def unknown() -> bool:
        raise Unavailable("KAFKA_UNAVAILABLE", "Kafka: gone")

    health.add_idle("consumer", unknown)

    assert client.get("/clock").json()["idle"] is False


def test_a_figure_that_cannot_be_read_now_is_null(client: TestClient, health: Health) -> None:
    async def known() -> int:
        return 3

    async def unknown() -> int:
        raise Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: gone")

    health.add_status("lag", known)
    health.add_status("dead_letters", unknown)

    assert client.get("/status").json() == {**health.identity, "state": "ready", "lag": 3, "dead_letters": None}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/status"])
def test_whoever_is_asked_says_who_he_is(client: TestClient, health: Health, path: str) -> None:
    told = client.get(path).json()

    assert (told["service"], told["pid"]) == ("shop", os.getpid())
    assert datetime.fromisoformat(told["started_at"]) < datetime.now(UTC)
    assert health.identity.items() <= told.items()


def test_metrics_are_in_prometheus_format(client: TestClient) -> None:
    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "attend_outbox_age_seconds" in answer.text


def test_the_page_describes_the_api_and_asks_nothing_of_other_hosts(client: TestClient) -> None:
    page = client.get("/docs").text
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert needed
    assert all(place.startswith("/") and not place.startswith("//") for place in needed)
    assert all(client.get(place).status_code == 200 for place in needed)
    described = client.get("/openapi.json").json()
    assert (described["info"]["title"], described["info"]["description"]) == ("Shop", "Sells things.")
    assert set(described["paths"]) == {"/things"}


def test_the_page_offers_no_calls_that_a_browser_would_refuse(client: TestClient) -> None:
    assert '"supportedSubmitMethods": []' in client.get("/docs").text


def test_the_api_is_not_at_the_port_of_operations(client: TestClient) -> None:
    assert client.get("/things").status_code == 404


def test_a_process_without_an_api_describes_what_it_is_asked(health: Health) -> None:
    with TestClient(operations_api(health, Metrics("shop"))) as client:
        assert "/health/ready" in client.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize("path", ["/health/live", "/status", "/docs", "/nowhere"])
def test_operations_have_the_bounds_and_headers_of_every_door(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert client.get(path, headers={"X-Long": "x" * BOUNDS.head}).status_code == 431
    assert client.request("GET", path, content=b" " * (BOUNDS.body + 1)).status_code == 413


@pytest.mark.parametrize("given", ["Basic cDp3", "Bearer ", "Bearer", "", "nobody", "Bearer a key"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/status", "/clock", "/metrics", "/openapi.json"])
def test_a_header_that_a_proxy_or_a_probe_adds_changes_nothing(client: TestClient, path: str, given: str) -> None:
    asked = client.get(path)

    assert client.get(path, headers={"Authorization": given}).status_code == asked.status_code != 401


async def test_however_many_ask_for_figures_health_is_told(health: Health) -> None:
    came, go = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> int:
        came.release()
        await go.wait()
        return 1

    health.add_status("slow", slow)
    app = operations_api(health, Metrics("shop"))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://shop") as http:
        waiting = [asyncio.create_task(http.get("/status")) for _ in range(BOUNDS.at_once)]
        for _ in waiting:
            await came.acquire()

        refused = await http.get("/status")
        well = [(await http.get(f"/health/{kind}")).status_code for kind in ("live", "ready")]
        go.set()
        answers = [(await task).status_code for task in waiting]

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "BUSY", "1")
    assert (well, set(answers)) == ([200, 200], {200})


def settings(**ports: int) -> Settings:
    return Settings.model_validate({"database_url": "x", "kafka_bootstrap_servers": "x", **ports})


@asynccontextmanager
async def listening(health: Health, told: Settings, api: FastAPI | None) -> AsyncIterator[httpx2.AsyncClient]:
    """Run what listens while the block runs."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_all(stop, health, listeners(told, health, Metrics("shop"), api)))
    try:
        async with httpx2.AsyncClient() as http:
            yield http
    finally:
        stop.set()
        await running


async def asked(http: httpx2.AsyncClient, port: int, path: str) -> int:
    async with asyncio.timeout(10):
        while True:
            try:
                return (await http.get(f"http://127.0.0.1:{port}{path}")).status_code
            except httpx2.ConnectError:
                await asyncio.sleep(0.01)


async def test_a_process_answers_its_callers_and_its_operators_at_two_ports(health: Health) -> None:
    told = settings(http_port=free_port(), operations_port=free_port())

    async with listening(health, told, shop()) as http:
        places = [(path, port) for path in ("/things", "/status") for port in (told.http_port, told.operations_port)]
        answers = [await asked(http, port, path) for path, port in places]

    assert answers == [200, 404, 404, 200]


async def test_a_process_without_an_api_listens_for_its_operators_alone(health: Health) -> None:
    told = settings(http_port=free_port(), operations_port=free_port())

    async with listening(health, told, None) as http:
        assert await asked(http, told.operations_port, "/health/live") == 200
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"http://127.0.0.1:{told.http_port}/")


@pytest.mark.parametrize("taken", ["http_port", "operations_port"])
async def test_a_port_that_is_anothers_ends_the_process_and_is_named(health: Health, taken: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port: int = other.getsockname()[1]
        told = settings(**{taken: port})

        with pytest.raises(BaseExceptionGroup) as raised:
            await run_all(asyncio.Event(), health, listeners(told, health, Metrics("shop"), shop()))

    assert raised.group_contains(Misconfigured, match=f"port {port} of 127.0.0.1 cannot be listened on")


async def test_one_port_for_both_is_refused(health: Health) -> None:
    port = free_port()
    told = settings(http_port=port, operations_port=port)

    with pytest.raises(BaseExceptionGroup) as raised:
        await run_all(asyncio.Event(), health, listeners(told, health, Metrics("shop"), shop()))

    assert raised.group_contains(Misconfigured, match=f"port {port} of 127.0.0.1")


def test_who_answers_says_of_which_installation_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEND_INSTALLATION", "abc")

    assert Health("booking", RealClock()).identity["installation"] == "abc"
