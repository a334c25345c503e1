"""Who may come in is settled before a body is read, and what a request may bring has bounds (G9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel

from chassis.api.app import create_api
from chassis.api.door import Bounds
from chassis.process.errors import Unavailable

KEY = {"Authorization": "Bearer the-key"}
BOUNDS = Bounds(body=1_000, head=2_000, at_once=2)


class Body(BaseModel):
    values: list[object]


class Shop:
    """An API with a route whose body FastAPI reads, one that reads it itself, one that waits, and one in public."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.came, self.go = asyncio.Semaphore(0), asyncio.Event()
        self.away = False
        self.api = create_api("Shop", admit=self.admit, public=("/callbacks",), bounds=BOUNDS)
        self._add_routes(self.api)

    async def admit(self, key: str, _method: str, path: str) -> bool:
        if self.away:
            raise Unavailable("DATABASE_UNAVAILABLE", "gone")
        return key == "the-key" and not path.startswith("/closed")

    def _add_routes(self, api: FastAPI) -> None:
        @api.post("/things")
        async def things(body: Body) -> int:
            self.asked.append("things")
            return len(body.values)

        @api.post("/raw")
        @api.post("/callbacks/raw")
        @api.post("/callbacksish")
        async def raw(request: Request) -> int:
            self.asked.append("raw")
            return len(await request.body())

        @api.get("/slow")
        async def slow() -> None:
            self.came.release()
            await self.go.wait()


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def http(shop: Shop) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=shop.api), base_url="http://shop") as client:
        yield client


class Unread(httpx2.AsyncByteStream):
    """A body that must not be asked for."""

    def __init__(self) -> None:
        self.read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.read = True
        yield b"[]"


@pytest.mark.parametrize("path", ["/things", "/raw", "/nowhere"])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "NO_KEY"),
        (["Bearer other"], "WRONG_KEY"),
        (["bearer the-kez"], "WRONG_KEY"),
        (["Bearer  the-key-and-more"], "WRONG_KEY"),
        (["Basic the-key"], "UNREADABLE_KEY"),
        (["the-key"], "UNREADABLE_KEY"),
        ([""], "UNREADABLE_KEY"),
        (["Bearer"], "UNREADABLE_KEY"),
        (["Bearer  "], "UNREADABLE_KEY"),
        (["Bearer the key"], "WRONG_KEY"),
        (["Bearer the\tkey"], "UNREADABLE_KEY"),
        (["Bearer the-key", "Bearer the-key"], "UNREADABLE_KEY"),
        (["Bearer other", "Bearer the-key"], "UNREADABLE_KEY"),
        (["Bearer the-key", "Basic dXNlcg=="], "UNREADABLE_KEY"),
    ],
)
async def test_g9_without_a_key_nothing_of_a_body_is_read(
    shop: Shop, http: httpx2.AsyncClient, path: str, given: list[str], code: str
) -> None:
    body = Unread()

    answer = await http.post(path, content=body, headers=[("Authorization", one) for one in given])

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.json()["errors"] == [{"place": "header.authorization", "code": code}]
    assert "Bearer KEY" in answer.json()["detail"] or "attend key" in answer.json()["detail"]
    assert not any(word in answer.text for one in given for word in one.split() if "-" in word or "=" in word)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (body.read, shop.asked) == (False, [])


async def test_a_key_opens_only_what_it_is_for(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/things", json={"values": [1]}, headers=KEY)).json() == 1
    other = await http.post("/closed", json={}, headers=KEY)
    unknown = await http.post("/closed", json={}, headers={"Authorization": "Bearer of-nobody"})
    assert other.status_code == 401
    assert other.json() == unknown.json(), "which keys there are is nobody's to know"


@pytest.mark.parametrize("given", ["Bearer the-key", "bearer the-key", "BEARER   the-key  "])
async def test_a_key_is_read_whatever_the_case_of_its_scheme_and_the_space_around_it(
    http: httpx2.AsyncClient, given: str
) -> None:
    assert (await http.post("/raw", headers={"Authorization": given})).status_code == 200


async def test_a_body_that_says_it_is_too_long_is_refused_unread(shop: Shop, http: httpx2.AsyncClient) -> None:
    for path in ("/things", "/raw"):
        body = Unread()

        answer = await http.post(path, content=body, headers={**KEY, "Content-Length": "1001"})

        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
        assert (body.read, shop.asked) == (False, [])


@pytest.mark.parametrize("path", ["/things", "/raw", "/callbacks/raw"])
async def test_a_body_without_a_length_is_read_no_further_than_the_bound(http: httpx2.AsyncClient, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield b" " * 100

    answer = await http.post(path, content=endless(), headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert sent <= 1_200


@pytest.mark.parametrize(
    ("path", "headers"), [("/raw", {"X-Long": "x" * 2_000}), ("/raw?" + "q" * 2_000, {}), ("/" + "p" * 2_000, {})]
)
async def test_path_query_and_headers_have_a_bound(
    shop: Shop, http: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await http.post(path, headers={**KEY, **headers})

    assert (answer.status_code, answer.json()["code"]) == (431, "HEADERS_TOO_LARGE")
    assert shop.asked == []


async def test_only_what_is_named_public_is_open(shop: Shop, http: httpx2.AsyncClient) -> None:
    assert (await http.post("/callbacks/raw", content=b"abc")).json() == 3
    assert (await http.post("/callbacksish", content=b"abc")).status_code == 401
    assert (await http.post("/callbacks/../raw", content=b"abc")).status_code in {401, 404}
    assert shop.asked == ["raw"]


async def test_a_key_that_cannot_be_looked_up_now_is_no_refusal(shop: Shop, http: httpx2.AsyncClient) -> None:
    shop.away = True

    answer = await http.post("/raw", content=b"abc", headers=KEY)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_beyond_what_can_be_under_way_the_answer_is_503(shop: Shop, http: httpx2.AsyncClient) -> None:
    waiting = [asyncio.create_task(http.get("/slow", headers=KEY)) for _ in range(BOUNDS.at_once)]
    for _ in waiting:
        await shop.came.acquire()

    refused = await http.get("/slow", headers=KEY)
    shop.go.set()
    answers = [await task for task in waiting]

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "BUSY", "1")
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await http.get("/slow", headers=KEY)).status_code == 200


async def test_a_caller_that_hangs_up_leaves_its_place(shop: Shop, http: httpx2.AsyncClient) -> None:
    for _ in range(BOUNDS.at_once + 1):
        asked = asyncio.create_task(http.get("/slow", headers=KEY))
        await shop.came.acquire()
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked

    shop.go.set()
    assert (await http.get("/slow", headers=KEY)).status_code == 200


ANSWERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/raw", KEY),
    ("/raw", {}),
    ("/nowhere", KEY),
    ("/health/live", {}),
)


@pytest.mark.parametrize(("path", "key"), ANSWERS)
async def test_every_answer_tells_browsers_to_keep_to_it(
    http: httpx2.AsyncClient, path: str, key: dict[str, str]
) -> None:
    answer = await http.request("POST" if path == "/raw" else "GET", path, headers=key)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
