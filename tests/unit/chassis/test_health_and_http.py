"""What a process says of itself, how it refuses, and that no answer repeats what was sent (G9)."""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, SecretStr

from chassis.clock import StillClock
from chassis.errors import RejectedEvent, Unavailable
from chassis.health import Health
from chassis.http import create_api, operator
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "the-operators-key"
OPEN = ("/things", "/away", "/refused", "/none", "/closed")
CANARY = "canary.person@example.org"


class Body(BaseModel):
    age: int


class Settings(ServiceSettings):
    http_port: int = 0


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOON)


@pytest.fixture
def health(clock: StillClock) -> Health:
    return Health("shop", clock)


def settings(key: str | None) -> Settings:
    hashed = None if key is None else SecretStr(hashlib.sha256(key.encode()).hexdigest())
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", operator_key_sha256=hashed)


def make(health: Health, key: str | None = KEY) -> FastAPI:
    opens = operator(settings(key))
    api = create_api("Shop", health, Metrics("shop"), "A shop.", admit=opens.admit, public=OPEN)

    @api.post("/things")
    async def things(body: Body) -> Body:
        return body

    @api.get("/secret", dependencies=[Depends(opens)])
    async def secret() -> str:
        return "open"

    @api.get("/closed", dependencies=[Depends(opens)])
    async def closed() -> str:
        return "open"

    @api.get("/away")
    async def away() -> None:
        raise Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: gone")

    @api.get("/refused")
    async def refused() -> None:
        raise RejectedEvent("UNKNOWN_CLINIC", "there is no such clinic")

    return api


@pytest.fixture
def client(health: Health) -> Iterator[TestClient]:
    with TestClient(make(health), raise_server_exceptions=False) as client:
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


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic dGhl", "Bearer "])
def test_without_the_operators_key_a_read_api_answers_401(client: TestClient, given: str | None) -> None:
    for path in ("/secret", "/closed"):  # the door refuses; a route behind an open door does as well
        answer = client.get(path, headers={} if given is None else {"Authorization": given})

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_operators_key_opens_it(client: TestClient) -> None:
    assert client.get("/secret", headers={"Authorization": f"Bearer {KEY}"}).json() == "open"


def test_where_no_key_is_set_nobody_gets_in(health: Health) -> None:
    with TestClient(make(health, key=None)) as client:
        assert client.get("/secret", headers={"Authorization": "Bearer "}).status_code == 401
        assert client.get("/secret", headers={"Authorization": f"Bearer {KEY}"}).status_code == 401


def test_an_answer_to_a_wrong_request_names_the_place_and_never_the_value(client: TestClient) -> None:
    answer = client.post("/things", json={"age": CANARY})

    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert answer.json()["errors"] == [{"place": "body.age", "code": "int_parsing"}]
    assert CANARY not in answer.text


def test_what_is_away_is_a_503_that_says_try_again(client: TestClient) -> None:
    answer = client.get("/away")

    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(("path", "status", "code"), [("/refused", 422, "UNKNOWN_CLINIC"), ("/none", 404, "HTTP_404")])
def test_every_refusal_is_a_problem_with_a_code(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_docs_page_asks_nothing_of_other_hosts(health: Health) -> None:
    client = TestClient(make(health))

    page = client.get("/docs").text
    needed = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert needed
    assert all(place.startswith("/") and not place.startswith("//") for place in needed)
    assert all(client.get(place).status_code == 200 for place in needed)
