"""`GET /v1/outcomes`: what became of the messages about one's own visits, as it becomes so (0048)."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import Problem, refuses
from chassis.api.booking_rights import SeenVisit
from chassis.api.client_access import AWAY, Asker, ClientAccess
from chassis.process.errors import Unavailable
from notifier.outcomes.bodies import OutcomePage, OutcomeView
from notifier.outcomes.place import Place
from notifier.outcomes.store import PostgresOutcomes
from notifier.outcomes.waiting import WaitingForOutcomes

LONGEST_PAGE = 1_000
LONGEST_WAIT_S = 30
LOOKS = 10
"""Pages of others' outcomes passed over for one answer: after them it is empty, and says that there is more."""

OPEN_TO_CLIENTS = (("GET", "/v1/outcomes"),)
"""What an API client may ask here, of its own sources and clinics (decision 0048)."""


def routes(outcomes: PostgresOutcomes, waiting: WaitingForOutcomes, access: ClientAccess) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["outcomes"])

    @router.get(
        "/outcomes",
        summary="What became of messages, as it becomes so: a feed to go on reading",
        responses=refuses({410: ("CURSOR_TOO_OLD",), 422: ("BAD_CURSOR",), 503: AWAY}),
    )
    async def get_outcomes(
        asker: Annotated[Asker, Depends(access)],
        after: Annotated[
            str | None,
            Query(max_length=200, description="`next_after` of the page before. Left out: all that is kept."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
        wait_s: Annotated[
            int, Query(ge=0, le=LONGEST_WAIT_S, description="How long to wait for the first, if there is none yet.")
        ] = 0,
    ) -> OutcomePage:
        """Outcomes of one's own visits in one order, without gaps: what is committed late is not passed over.

        An outcome may come twice only if it is asked for twice. 410 CURSOR_TOO_OLD: what followed was removed.
        """
        place = await outcomes.horizon() if after is None else Place.read(after)
        until = time.monotonic() + wait_s
        page = await _page(outcomes, asker, place, limit)
        while not page.items and not page.more:
            place = Place.read(page.next_after)
            if not await waiting.beyond(place, until - time.monotonic()):
                break
            page = await _page(outcomes, asker, place, limit)
        if after is not None and Place.read(after) < await outcomes.horizon():  # looked at after what was read
            raise Problem(
                410, "CURSOR_TOO_OLD", "Some of what followed `after` was removed by now. Ask without `after` for what "
                "is kept, and for single visits GET /v1/notifications, which keeps all.",
            )  # fmt: skip
        return page

    return router


async def _page(outcomes: PostgresOutcomes, asker: Asker, place: Place, limit: int) -> OutcomePage:
    """Return the next page of what he sees; others' outcomes are passed over, up to a bound."""
    for _ in range(LOOKS):
        rows = await outcomes.after(place, limit)
        more = len(rows) == limit
        if rows:
            place = rows[-1][0]
        items = await _seen(asker, [row for _, row in rows])
        if items or not more:
            return OutcomePage(items=items, next_after=place.text(), more=more)
    return OutcomePage(items=[], next_after=place.text(), more=True)


async def _seen(asker: Asker, rows: Sequence[Mapping[str, Any]]) -> list[OutcomeView]:
    """Return those of these outcomes whose visits he sees, with the names that their sources gave the visits."""
    named = await _named(asker, {row["appointment_id"] for row in rows})
    return [
        _view(row, named.get(row["appointment_id"]))
        for row in rows
        if asker.is_operator or row["appointment_id"] in named
    ]


def _view(row: Mapping[str, Any], visit: SeenVisit | None) -> OutcomeView:
    names = (None, None) if visit is None else (visit.source, visit.source_id)
    return OutcomeView.model_validate(dict(row) | {"source": names[0], "source_id": names[1]})


async def _named(asker: Asker, visits: set[UUID]) -> Mapping[UUID, SeenVisit]:
    """Ask booking; the operator reads on without the names while it is away, or where nobody said where it answers."""
    try:
        return await asker.seen(visits)
    except (Unavailable, Problem):
        if asker.is_operator:
            return {}
        raise
