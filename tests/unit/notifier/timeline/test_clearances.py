"""What clears a visit stands in its timeline, and what it lacks is said of it as it is now."""

from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest

from notifier.timeline.domain.entries import ClearanceFact, Lacking, of_clearances
from notifier.timeline.handle import Booked
from notifier.timeline.services import Addresses, AllParts
from notifier.timeline.store import OwnLedger

VISIT = UUID("01890000-0000-7000-8000-000000000001")
AT = "2027-03-11T09:00:00Z"
WORD = {"kind": "consent", "form": "mri", "state": "cleared", "version": 1, "recorded_at": AT, "client": "desk"}
LACK = {"kind": "financial", "form": None, "code": "MISSING", "title": "Payment", "whom": "the patient"}
CLEARED = {"standing": {"lacking": [LACK]}, "history": [{**WORD, "result": "applied"}, {**WORD, "result": "repeat"}]}
FACT = ClearanceFact("consent", "mri", "cleared", 1, datetime(2027, 3, 11, 9, tzinfo=UTC), "desk")


def parts(cleared: httpx2.Response) -> AllParts:
    """Return the parts, of which booking alone answers."""

    def answered(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/clearances"):
            return cleared
        return httpx2.Response(200, json={"source": "local", "source_id": "v1", "history": []})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answered))
    return AllParts(http, Addresses("http://booking", None, None), 1.0, OwnLedger.__new__(OwnLedger))


@pytest.mark.parametrize(
    ("cleared", "told"),
    [
        (httpx2.Response(200, json=CLEARED), ((FACT,), (Lacking("financial", None, "MISSING", "Payment"),))),
        (httpx2.Response(404), ((), ())),
    ],
)
async def test_what_changed_is_read_and_a_booking_of_the_release_before_knows_of_none(
    cleared: httpx2.Response, told: tuple[tuple[ClearanceFact, ...], tuple[Lacking, ...]]
) -> None:
    assert await parts(cleared).booked(VISIT) == Booked("local", "v1", None, (), *told)


def test_a_change_is_a_sentence_with_its_reason() -> None:
    (entry,) = of_clearances([FACT])
    assert (entry.what, entry.text) == ("clearance.cleared", "clearance consent (mri) is cleared, by desk")
