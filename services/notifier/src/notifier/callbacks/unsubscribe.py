"""The page behind an email's unsubscribe link. Opening it changes nothing: mail scanners open every link (RFC 8058)."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from chassis.api.app import refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.callbacks.door import Door
from notifier.opt_outs.domain.one_click import read_token
from notifier.opt_outs.store import stop
from notifier.values.addresses import Address, Peppers
from notifier.values.kinds import Category
from notifier.wording.domain.language import LAST_RESORT
from notifier.wording.sentences import direction, unsubscribing
from schemas.notifications import Channel

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def routes(pool: Pool, clock: Clock, door: Door, secrets: Callable[[], Sequence[str]], peppers: Peppers) -> APIRouter:
    """Return the routes."""
    own = refuses({401: ("BAD_SIGNATURE",), 408: ("BODY_TOO_SLOW",)})
    router = APIRouter(prefix="/callbacks/unsubscribe", tags=["callbacks"], responses=own)

    def of(token: str) -> tuple[Address, Category]:
        found = read_token(token, secrets(), peppers)
        if found is None:
            raise door.unsigned("unsubscribe")
        return found

    @router.get(
        "/{token}", summary="Ask whether to stop emails of a kind; changes nothing", response_class=HTMLResponse
    )
    async def ask_unsubscribe(token: str, request: Request) -> Response:
        of(token)
        language, (question, button, _) = _spoken(request)
        form = f'<form method="post"><button>{button}</button></form>'
        return _page(language, question, f"<p>{question}</p>{form}")

    @router.post(
        "/{token}",
        summary="Stop emails of a kind: a mail program's one click, or the page's button",
        response_class=HTMLResponse,
    )
    async def confirm_unsubscribe(token: str, request: Request) -> Response:
        await door.read(request, "unsubscribe")
        address, category = of(token)
        await stop(pool, address, [Channel.EMAIL], [category], "unsubscribe", clock.now())
        door.count("unsubscribe", "opted-out")
        language, (question, _, done) = _spoken(request)
        return _page(language, question, f"<p>{done}</p>")

    return router


def _spoken(request: Request) -> tuple[str, tuple[str, str, str]]:
    """Return the first language of the browser that there are words in, else English."""
    words = unsubscribing()
    for wanted in request.headers.get("accept-language", "")[:200].lower().split(","):
        if (language := wanted.strip()[:2]) in words:
            return language, words[language]
    return LAST_RESORT, words[LAST_RESORT]


def _page(language: str, title: str, body: str) -> Response:
    style = "body{font:18px/1.5 sans-serif;max-width:30em;margin:3em auto;padding:0 1em}button{font:inherit}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    html = f'<html lang="{language}" dir="{direction(language)}">'
    page = f"<!doctype html>{html}<head>{head}<style>{style}</style></head><body>{body}</body></html>"
    return HTMLResponse(page, headers=_HEADERS)
