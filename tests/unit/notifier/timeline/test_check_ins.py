"""R34: who was let in although something lacked, and who was not, stands in the timeline of the visit."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from notifier.timeline.domain.check_ins import (
    CheckInFact,
    RefusedFact,
    let_in,
    of_check_ins,
    of_refused,
)
from notifier.timeline.domain.entries import Lacking
from notifier.timeline.services import Addresses, AllParts
from notifier.timeline.store import OwnLedger

VISIT = UUID("01890000-0000-7000-8000-000000000001")
NOW = datetime(2027, 3, 11, 9, tzinfo=UTC)
FORM = Lacking("consent", "mri", "OLD_FORM", "Consent form")
OVERRIDDEN = CheckInFact(2, NOW, "local", "Ms Desk", True, True, "Dr Who agreed", (FORM,))
REFUSED = RefusedFact(1, NOW, "NOT_CLEARED", "booked", "local", "Ms Desk", (FORM,))
ALTHOUGH = "et in although the visit lacked Consent form (old form)"

IN: list[tuple[CheckInFact, str, str]] = [
    (OVERRIDDEN, "check-in.overridden", f"L{ALTHOUGH}, by override of Ms Desk (local): Dr Who agreed"),
    (replace(OVERRIDDEN, overridden=False, by=None), "check-in.uncleared", f"L{ALTHOUGH}, by local: Dr Who agreed"),
    (
        replace(OVERRIDDEN, at_desk=False, overridden=False, reason=None, by=None),
        "check-in.uncleared",
        f"L{ALTHOUGH}, as local reports",
    ),
]


@pytest.mark.parametrize(("fact", "what", "told"), IN)
def test_r34_who_was_let_in_uncleared_is_told_with_what_lacked_and_by_whose_word(
    fact: CheckInFact, what: str, told: str
) -> None:
    [entry] = of_check_ins([fact])
    assert (entry.what, entry.reason) == (what, fact.reason)
    assert told.casefold().startswith(entry.text.casefold())
    found = let_in("checked-in", [fact])
    assert found is not None
    assert (found.text, found.lacking) == (told, (FORM,))


@pytest.mark.parametrize(
    ("status", "facts", "text"),
    [
        ("booked", [OVERRIDDEN], None),
        ("fulfilled", [], None),
        (None, [OVERRIDDEN], None),
        (
            "fulfilled",
            [OVERRIDDEN, replace(OVERRIDDEN, lacking=(), overridden=False, reason=None)],
            "Let in, by Ms Desk (local)",
        ),
    ],
)
def test_r34_how_he_came_in_is_said_of_who_is_in(
    status: str | None, facts: list[CheckInFact], text: str | None
) -> None:
    found = let_in(status, facts)
    assert (found and found.text) == text


def test_a_check_in_of_a_cleared_visit_is_told_by_its_version_alone() -> None:
    assert of_check_ins([replace(OVERRIDDEN, lacking=())]) == []


WHY = {
    "NOT_CLEARED": "the visit lacks Consent form (old form)",
    "ILLEGAL_TRANSITION": "the visit is booked",
    "ALREADY_CANCELLED": "the visit is booked",
    "CHANGED_MEANWHILE": "the visit is another patient's",
}


@pytest.mark.parametrize("code", WHY)
def test_r34_who_was_turned_away_is_told_with_why(code: str) -> None:
    [entry] = of_refused([replace(REFUSED, code=code)])
    assert (entry.what, entry.reason) == ("check-in.refused", code)
    assert entry.text == f"check-in refused, asked for by Ms Desk (local): {WHY[code]}"


LACK = {"kind": "consent", "form": "mri", "code": "OLD_FORM", "title": "Consent form", "whom": "the patient"}
AT = NOW.isoformat()
CHECK_IN = {
    "version": 2, "checked_at": AT, "client": "local", "by": "Ms Desk", "at_desk": True, "overridden": True,
    "reason": "Dr Who agreed", "lacking": [LACK], "mode": "enforce",
}  # fmt: skip
TURNED_AWAY = {
    "version": 1, "refused_at": AT, "code": "NOT_CLEARED", "status": "booked", "client": "local", "by": "Ms Desk",
    "lacking": [LACK], "checked": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"check_ins": [CHECK_IN], "refused_check_ins": [TURNED_AWAY]}, ((OVERRIDDEN,), (REFUSED,))),
        ({"check_ins": [CHECK_IN]}, ((OVERRIDDEN,), ())),
        ({}, ((), ())),
    ],
    ids=["whole", "a booking of the release before", "one before it"],
)
async def test_check_ins_are_read_of_the_visit(more: dict[str, Any], told: tuple[Any, Any]) -> None:
    def answered(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/clearances"):
            return httpx2.Response(404)
        return httpx2.Response(200, json={"source": "local", "source_id": "v1", "history": [], **more})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answered))
    parts = AllParts(http, Addresses("http://booking", None, None), 1.0, OwnLedger.__new__(OwnLedger))
    found = await parts.booked(VISIT)
    assert (found.check_ins, found.refused) == told
