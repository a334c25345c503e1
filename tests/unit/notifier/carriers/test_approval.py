"""Which WhatsApp templates are approved: asked page by page, and told by the command that checks the senders."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from notifier.carriers.meta.approval import MISSING, Approvals, NoAnswer, approvals, asked, report
from notifier.carriers.meta.carrier import MetaAccount, WhatsAppTemplate
from schemas.notifications import Kind

REMINDER = WhatsAppTemplate("visit_reminder", "visit_reminder_neutral", {"en": "en_GB", "de": "de"})
ACCOUNT = MetaAccount("123", SecretStr("hush"), "v23.0", "456", {Kind.REMINDER: REMINDER})


def template(name: str, language: str, status: str = "APPROVED") -> dict[str, str]:
    return {"name": name, "language": language, "status": status, "id": "1"}


async def answered(handler: Callable[[httpx2.Request], httpx2.Response]) -> Approvals:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler), base_url="http://carrier") as client:
        return await asked(client, ACCOUNT)


async def test_all_pages_are_asked_for_by_the_account_that_holds_the_templates() -> None:
    seen: list[httpx2.Request] = []

    def page(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        first: dict[str, Any] = {
            "data": [template("visit_reminder", "en_GB")],
            "paging": {"cursors": {"after": "MQ"}, "next": "http://elsewhere/?access_token=x"},
        }
        last = {"data": [template("visit_reminder", "de", "PENDING")], "paging": {"cursors": {"after": "Mg"}}}
        return httpx2.Response(200, json=last if "after" in request.url.params else first)

    said = await answered(page)

    assert said == {("visit_reminder", "en_GB"): "APPROVED", ("visit_reminder", "de"): "PENDING"}
    assert {(request.url.host, request.url.path) for request in seen} == {("carrier", "/v23.0/456/message_templates")}
    assert [request.url.params.get("after") for request in seen] == [None, "MQ"]
    assert {request.headers["Authorization"] for request in seen} == {"Bearer hush"}


def test_each_name_is_looked_for_in_each_language_that_it_is_mapped_to() -> None:
    said = {("visit_reminder", "en_GB"): "APPROVED", ("visit_reminder_neutral", "de"): "REJECTED"}

    assert [(one.name, one.language, one.status) for one in approvals(ACCOUNT, said)] == [
        ("visit_reminder", "de", MISSING),
        ("visit_reminder", "en_GB", "APPROVED"),
        ("visit_reminder_neutral", "de", "REJECTED"),
        ("visit_reminder_neutral", "en_GB", MISSING),
    ]


async def test_what_is_not_approved_is_told_line_by_line() -> None:
    said = [template(REMINDER.name, "en_GB"), template(REMINDER.name, "de", "PAUSED"), template(REMINDER.neutral, "de")]

    def page(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"data": said})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(page), base_url="http://carrier") as client:
        assert await report(client, ACCOUNT) == [
            "WhatsApp 456: 2 of 4 templates are APPROVED",
            "WhatsApp 456: visit_reminder in de (reminder) is PAUSED",
            "WhatsApp 456: visit_reminder_neutral in en_GB (reminder) is MISSING",
        ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx2.Response(401, json={"error": {"message": "hush"}}), "HTTP_401"),
        (httpx2.Response(200, content=b"<html>"), "UNREADABLE"),
        (httpx2.Response(200, json=[]), "UNREADABLE"),
        (httpx2.Response(200, json={"data": [{"name": 7}]}), "UNREADABLE"),
        (httpx2.Response(200, json={"data": [], "paging": {"next": "x", "cursors": {"after": "A"}}}), "TOO_MANY_PAGES"),
    ],
)
async def test_what_meta_does_not_say_is_told_without_its_words(answer: httpx2.Response, reason: str) -> None:
    with pytest.raises(NoAnswer, match=reason) as caught:
        await answered(lambda _: httpx2.Response(answer.status_code, content=answer.content))
    assert "hush" not in str(caught.value)


async def test_a_carrier_that_cannot_be_reached_is_told() -> None:
    def broken(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(NoAnswer, match="ConnectError"):
        await answered(broken)
