"""The page behind a mail's link where it cannot do what it is for: a page for people, a problem for programs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx2
import pytest

from chassis.api.app import create_api
from chassis.postgres.database import Pool
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from notifier.callbacks.carrier_routes import CALLBACKS
from notifier.callbacks.door import LARGEST_BODY, Door
from notifier.callbacks.unsubscribe import routes
from notifier.opt_outs.domain.one_click import token_of
from notifier.values.kinds import Category
from notifier.wording.sentences import unsubscribing
from tests.support.notifier.builders import PEPPERS

BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
OURS = token_of(PEPPERS.of("ada@example.org").key, Category.REMINDERS, "s")
OF_AN_OLD_SECRET = token_of(PEPPERS.of("ada@example.org").key, Category.REMINDERS, "old")


class Away:
    """A database that cannot be reached."""

    @asynccontextmanager
    async def transaction(self, **_how: Any) -> AsyncIterator[Any]:
        raise Unavailable("DATABASE_UNAVAILABLE", "not there")
        yield


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    api = create_api("test", public=(CALLBACKS,))
    door = Door(Metrics("notifier"))
    api.include_router(routes(cast("Pool", Away()), RealClock(), door, lambda: ("s",), PEPPERS))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api), base_url="http://x") as client:
        yield client


@pytest.mark.parametrize("language", sorted(unsubscribing()))
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_is_not_ours_or_too_old_says_so_and_what_to_do_in_the_browsers_language(
    http: httpx2.AsyncClient, method: str, language: str
) -> None:
    said = unsubscribing()[language]
    asked = {"Accept": BROWSER, "Accept-Language": f"xx, {language.upper()}-XX;q=0.8, en;q=0.5"}

    for token in (OURS[:-9], f"{OURS}x", OF_AN_OLD_SECRET, "x", "%C3%A9" * 66, "<b>"):
        page = await http.request(method, f"{CALLBACKS}/unsubscribe/{token}", headers=asked)

        assert page.status_code == 401
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<h1>{said.void}</h1><p>{said.instead}</p>" in page.text
        assert f'<html lang="{language}"' in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("GET", b"", 503, "DATABASE_UNAVAILABLE"),
        ("POST", b"", 503, "DATABASE_UNAVAILABLE"),
        ("POST", b"x" * (LARGEST_BODY + 1), 413, "BODY_TOO_LARGE"),
    ],
)
async def test_what_cannot_be_done_now_is_said_by_the_same_status_to_people_and_to_programs(
    http: httpx2.AsyncClient, method: str, body: bytes, status: int, code: str
) -> None:
    link = f"{CALLBACKS}/unsubscribe/{OURS}"

    page = await http.request(method, link, content=body, headers={"Accept": BROWSER, "Accept-Language": "it"})
    told = await http.request(method, link, content=body)

    assert (page.status_code, told.status_code) == (status, status)
    assert f"<p>{unsubscribing()['it'].later}</p>" in page.text
    assert page.headers.get("retry-after") == told.headers.get("retry-after")
    assert (told.headers["content-type"], told.json()["code"]) == ("application/problem+json", code)
