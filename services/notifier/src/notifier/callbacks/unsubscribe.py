"""The page behind an email's unsubscribe link. Opening it changes nothing: mail scanners open every link (RFC 8058)."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from chassis.api.app import Problem, refuses
from chassis.api.problems import away
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.callbacks.door import Door
from notifier.gate.domain.visit import Visit
from notifier.opt_outs.domain.one_click import read_token
from notifier.opt_outs.store import stop
from notifier.replies.store import written_about
from notifier.values.addresses import Address, Peppers
from notifier.values.kinds import Category
from notifier.wording.domain.language import language
from notifier.wording.sentences import Unsubscribe, direction, unsubscribing
from schemas.notifications import Channel

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_NOT_OURS = 401


class _ForPeople(APIRoute):
    """A route whose refusals are pages for who asks for pages, as browsers do; for programs they are problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except (Problem, Unavailable) as error:
                if "text/html" not in request.headers.get("accept", "").lower():
                    raise
                return _refused(request, away(error) if isinstance(error, Unavailable) else error)

        return answer


def routes(pool: Pool, clock: Clock, door: Door, secrets: Callable[[], Sequence[str]], peppers: Peppers) -> APIRouter:
    """Return the routes."""
    own = refuses({401: ("BAD_SIGNATURE",), 408: ("BODY_TOO_SLOW",)})
    router = APIRouter(prefix="/callbacks/unsubscribe", tags=["callbacks"], responses=own, route_class=_ForPeople)

    def of(token: str) -> tuple[Address, Category]:
        found = read_token(token, secrets(), peppers)
        if found is None:
            raise door.unsigned("unsubscribe")
        return found

    @router.get(
        "/{token}", summary="Ask whether to stop emails of a kind; changes nothing", response_class=HTMLResponse
    )
    async def ask_unsubscribe(token: str, request: Request) -> Response:
        address, category = of(token)
        async with pool.transaction(isolation="read_committed") as connection:
            visits = await written_about(connection, address, Channel.EMAIL)
        spoken, words = _spoken(request, visits)
        form = f'<form method="post"><button>{words.button}</button></form>'
        return _page(spoken, words.question, [_heading(words.question), *_what(words, category, visits), form])

    @router.post(
        "/{token}",
        summary="Stop emails of a kind: a mail program's one click, or the page's button",
        response_class=HTMLResponse,
    )
    async def confirm_unsubscribe(token: str, request: Request) -> Response:
        await door.read(request, "unsubscribe")
        address, category = of(token)
        async with pool.transaction(isolation="read_committed") as connection:
            await stop(connection, address, [Channel.EMAIL], [category], "unsubscribe", clock.now())
            visits = await written_about(connection, address, Channel.EMAIL)
        door.count("unsubscribe", "opted-out")
        spoken, words = _spoken(request, visits)
        return _page(spoken, words.question, [f"<p>{words.done}</p>", *_what(words, category, visits)])

    return router


def _what(words: Unsubscribe, category: Category, visits: Sequence[Visit]) -> Iterator[str]:
    """Give who sends the emails, by name where messages may say it (D35), and which of them are stopped."""
    if names := sorted({visit.clinic_name for visit in visits if not visit.clinic_sensitive}):
        yield f"<p><strong>{'<br>'.join(map(escape, names))}</strong></p>"
    yield f"<p>{words.reminders if category is Category.REMINDERS else words.notices}</p>"


def _refused(request: Request, problem: Problem) -> Response:
    """Return the page of a refusal: what is wrong and what to do, under the same status."""
    spoken, words = _spoken(request)
    headers = problem.response_headers()
    if problem.status == _NOT_OURS:
        return _page(spoken, words.void, [_heading(words.void), f"<p>{words.instead}</p>"], problem.status, headers)
    return _page(spoken, words.later, [f"<p>{words.later}</p>"], problem.status, headers)


def _spoken(request: Request, visits: Sequence[Visit] = ()) -> tuple[str, Unsubscribe]:
    """Return the patient's language, else the browser's first that there are words in, else the clinic's, else English.

    Args:
        visits: What the address was written to about, the newest first.
    """
    words = unsubscribing()
    patients = next((visit.language for visit in visits if visit.language), None)
    browsers = (tag.partition(";")[0].strip() for tag in request.headers.get("accept-language", "")[:200].split(","))
    clinics = visits[0].clinic_languages if visits else ()
    spoken = language(patients, [*browsers, *clinics], words)
    return spoken, words[spoken]


def _heading(text: str) -> str:
    return f"<h1>{text}</h1>"


def _page(
    spoken: str, title: str, body: Sequence[str], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    style = (
        "body{font:18px/1.5 sans-serif;max-width:30em;margin:3em auto;padding:0 1em}h1{font-size:1.3em}"
        "button{font:inherit;padding:.4em 1em}"
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    html = f'<html lang="{spoken}" dir="{direction(spoken)}">'
    said = "".join(body)
    page = f"<!doctype html>{html}<head>{head}<style>{style}</style></head><body>{said}</body></html>"
    return HTMLResponse(page, status, {**_HEADERS, **(headers or {})})
