"""How an API refuses, that no answer repeats what was sent (G9), and that it says nothing of the process."""

import hashlib
from collections.abc import Iterator

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, SecretStr

from chassis.api.app import create_api, operator
from chassis.process.errors import RejectedEvent, Unavailable
from chassis.process.settings import ServiceSettings

KEY = "the-operators-key"
OPEN = ("/things", "/away", "/refused", "/none", "/closed")
CANARY = "canary.person@example.org"


class Body(BaseModel):
    age: int


class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0


def settings(key: str | None) -> Settings:
    hashed = None if key is None else SecretStr(hashlib.sha256(key.encode()).hexdigest())
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", operator_key_sha256=hashed)


def make(key: str | None = KEY) -> FastAPI:
    opens = operator(settings(key))
    api = create_api("Shop", "A shop.", admit=opens.admit, public=OPEN)

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
def client() -> Iterator[TestClient]:
    with TestClient(make(), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic dGhl", "Bearer "])
def test_without_the_operators_key_a_read_api_answers_401(client: TestClient, given: str | None) -> None:
    for path in ("/secret", "/closed"):  # the door refuses; a route behind an open door does as well
        answer = client.get(path, headers={} if given is None else {"Authorization": given})

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_operators_key_opens_it(client: TestClient) -> None:
    assert client.get("/secret", headers={"Authorization": f"Bearer {KEY}"}).json() == "open"


def test_where_no_key_is_set_nobody_gets_in() -> None:
    with TestClient(make(key=None)) as client:
        assert client.get("/secret", headers={"Authorization": "Bearer "}).status_code == 401
        assert client.get("/secret", headers={"Authorization": f"Bearer {KEY}"}).status_code == 401


def test_an_answer_to_a_wrong_request_names_the_place_and_never_the_value(client: TestClient) -> None:
    answer = client.post("/things", json={"age": CANARY})

    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert answer.json()["errors"] == [{"place": "body.age", "code": "WRONG_TYPE"}]
    assert CANARY not in answer.text


def test_what_is_away_is_a_503_that_says_try_again(client: TestClient) -> None:
    answer = client.get("/away")

    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("path", "status", "code"), [("/refused", 422, "UNKNOWN_CLINIC"), ("/none", 404, "UNKNOWN_ROUTE")]
)
def test_every_refusal_is_a_problem_with_a_code(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/clock", "/status", "/metrics", "/docs"])
@pytest.mark.parametrize("key", [None, KEY])
def test_what_a_process_says_of_itself_is_not_at_the_port_of_its_api(
    client: TestClient, path: str, key: str | None
) -> None:
    answer = client.get(path, headers={} if key is None else {"Authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_ROUTE")


@pytest.mark.parametrize("path", ["/openapi.json", "/redoc", "/docs/oauth2-redirect", "/static-offline-docs/a.png"])
def test_nor_is_what_its_api_is_like(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 404
