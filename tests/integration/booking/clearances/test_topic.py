"""The topic `clearances` on real Kafka: each change once, and a database that knows them all may go on."""

import pytest

from booking.owned import OWNED
from chassis.delivery.high_water import Ends
from chassis.process.errors import Misconfigured
from schemas.clearances import ClearanceChanged
from schemas.topics import CLEARANCES
from tests.integration.booking.clearances.words import DESK, consent, said, visit
from tests.support.booking.door import Door, published, running, settings_on
from tests.support.installation import Installation
from tests.support.waiting import until


async def test_each_change_is_published_once_under_its_visits_id(served: Door, installation: Installation) -> None:
    key = await served.client(DESK)
    signed = {"signed_at": "2026-01-10T10:00:00Z"}
    async with running(served):
        path = await visit(served)
        for body in (consent(**signed), consent(**signed), consent("c-2", state="withdrawn", **signed)):
            await said(served, path, body, key)
        await until(lambda: _is_out(served), "the outbox is published", within_s=20)
    told = await published(installation, CLEARANCES)
    events = [ClearanceChanged.model_validate(value) for _, value in told]
    assert [(one.version, one.state.value, one.form) for one in events] == [
        (1, "cleared", "mri"),
        (2, "withdrawn", "mri"),
    ]
    assert {name for name, _ in told} == {path.rpartition("/")[2]}
    ends = Ends(served.pool, settings_on(installation), "booking", OWNED)
    await ends.compare()
    await served.pool.execute("DELETE FROM clearance")  # as a database that was put back
    with pytest.raises(Misconfigured, match="clearances"):
        await ends.compare()


async def _is_out(door: Door) -> bool:
    return not await door.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")
