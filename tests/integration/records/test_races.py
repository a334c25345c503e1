"""All three topics at once on the same few patients: no deadlock, nothing parked for ever, nothing twice."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import batched
from random import Random
from typing import Any

import pytest

from chassis.delivery.consumer import Applied
from chassis.postgres.database import Pool
from records.domain import is_opening
from records.handle import on_appointments, on_patients, on_providers
from schemas.appointments import Status
from schemas.lean_models import AppointmentReading
from tests.integration.records.test_stories import tell
from tests.support.records.builders import id_of, known, registered, seen

pytestmark = pytest.mark.integration

PATIENTS, PROVIDERS, CLINICS, VISITS = 30, 6, ("EYE", "SKIN", "HEART"), 600
LANES = 6
Work = Callable[[], Coroutine[Any, Any, Applied]]


def some_visits(random: Random) -> list[AppointmentReading]:
    """Return visits of a few patients, in an order in which neither patients nor clinics are sorted."""
    return [
        seen(
            f"visit {n}",
            status=random.choice([Status.BOOKED, Status.BOOKED, Status.PENDING, Status.FULFILLED]),
            patient=f"patient {random.randrange(PATIENTS)}",
            clinic=random.choice(CLINICS),
            provider=random.choice([None, *(f"dr {d}" for d in range(PROVIDERS))]),
            ever_booked=False,
        )
        for n in range(VISITS)
    ]


async def lane(batches: list[Work]) -> list[Applied]:
    """Tell the stories one after the other, as a partition does."""
    return [await batch() for batch in batches]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_r3_d5_d6_whatever_meets_whatever_every_booked_pair_ends_with_one_complete_file(
    pool: Pool, seed: int
) -> None:
    random = Random(seed)
    visits = some_visits(random)
    lanes: list[list[Work]] = [
        [lambda part=part: tell(pool, on_appointments, part) for part in batched(visits[n::LANES], 20)]  # type: ignore[misc]
        for n in range(LANES)
    ]
    people = [registered(f"patient {n}", main_file=f"FILE-2026-{n:06d}") for n in range(PATIENTS)]
    doctors = [known(f"dr {n}") for n in range(PROVIDERS)]
    random.shuffle(people)
    lanes.append([lambda part=part: tell(pool, on_patients, part) for part in batched(people, 5)])  # type: ignore[misc]
    lanes.append([lambda part=part: tell(pool, on_providers, part) for part in batched(doctors, 2)])  # type: ignore[misc]

    told = await asyncio.gather(*map(lane, lanes))

    assert all(counts == Applied([], []) for lane_told in told for counts in lane_told)
    booked = [visit for visit in visits if is_opening(visit)]
    pairs = {(visit.patient_id, visit.clinic_id) for visit in booked}
    rows = await pool.fetch("SELECT patient_id::text, clinic_id, status, number, provider_id::text FROM sub_file")
    assert sorted((row["patient_id"], row["clinic_id"]) for row in rows) == sorted(pairs)
    assert {row["status"] for row in rows} == {"ACTIVE"}
    with_provider = {(visit.patient_id, visit.clinic_id) for visit in booked if visit.provider_id}
    assert {(row["patient_id"], row["clinic_id"]) for row in rows if row["provider_id"]} == with_provider
    assert {row["provider_id"] for row in rows} <= {None, *(id_of(f"dr {n}") for n in range(PROVIDERS))}
