"""D44: visits that two merged files reach, and batches so small that one visit fills them."""

from datetime import UTC, datetime

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.patients.handle import Rules
from tests.integration.booking.policies.policy import reissuer, worked_off
from tests.integration.booking.safety.test_barred_patients import BARRED, LOCAL, snapshots, visit
from tests.support.booking.builders import NOW
from tests.support.booking.door import Door


async def left_behind(door: Door, *names: str) -> None:
    """Book visits of `double`, who is barred and merged into `ann`, deceased, before the bookings commit."""
    await door.put("/v1/patients", {"patients": [{"id": "ann"}, {"id": "double"}]})
    await worked_off(door)
    read = [PlainJson().read(visit(name, "double"), Hints(LOCAL, NOW))[0] for name in names]
    orders = [order for order in read if isinstance(order, BookAppointment)]
    async with door.pool.acquire() as connection, connection.transaction():
        await accept(PostgresStore(connection), orders, {"local": LOCAL}, datetime.now(UTC), Rules())
        flags = [{"id": "ann", "deceased": True}, {"id": "double", **BARRED}]
        await door.put("/v1/patients", {"patients": flags})
        await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})


@pytest.mark.parametrize("batch", [1, 2, 3])
async def test_d44_a_visit_of_two_merged_files_with_jobs_of_both_counts_once(door: Door, batch: int) -> None:
    await left_behind(door, "v1", "v2", "v3")
    job = reissuer(door, batch)
    steps = [await job.step() for _ in range(3 // batch + 1)]
    assert sum(filter(None, steps)) == 3
    await worked_off(door, batch)
    assert [(found.version, found.barred) for found, _ in await snapshots(door)] == [(2, "DECEASED")] * 3


async def test_d44_visits_of_a_merge_that_another_process_works_off_keep_nobody_from_going_on(door: Door) -> None:
    """Their file's own jobs are looked at and ended, however few visits a batch has."""
    await left_behind(door, "v1", "v2")
    ((double, ann),) = await door.pool.fetch("SELECT patient_id, merged_into FROM patient_merge")
    job = reissuer(door, batch=1)
    async with door.pool.acquire() as connection, connection.transaction():
        assert await job.step() is not None  # the fences are raised
        held = await connection.fetch("SELECT FROM patient_reissue WHERE patient_id = $1 FOR UPDATE", ann)
        assert held
        for _ in range(4):
            await job.step()
        assert not await door.pool.fetchval(
            "SELECT EXISTS (SELECT FROM patient_reissue WHERE patient_id = $1 AND NOT looked)", double
        )
    await worked_off(door, batch=1)
    assert [found.barred for found, _ in await snapshots(door)] == ["DECEASED"] * 2
