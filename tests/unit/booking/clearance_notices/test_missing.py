"""Who is told what his visit lacks, how many days before, and until when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from booking.clearance_notices.domain import NearVisit, Notices, notices_of
from booking.clearance_notices.handle import tell_what_is_missing
from booking.clearance_notices.messages import clearance_missing
from booking.clearances.domain.policy import ClearancePolicy, Mode, Requirement
from booking.clearances.domain.standing import NOTHING_REQUIRED, Lack, Standing
from booking.work_list.domain import CLEARANCE_MISSING, Flag
from schemas.clearance_notices import ClearanceMissing
from schemas.wire import decode
from tests.support.examples import example

NOW = datetime(2027, 3, 5, 10, tzinfo=UTC)
STARTS = NOW + timedelta(days=7)
LACKING = Standing(Mode.ENFORCE, (), (Lack("consent", None, "MISSING", "the patient", None, None, "Consent form"),))
CLEARED, UNCLEARED = UUID(int=1), UUID(int=2)


def policy(service_type: str | None = None, days: tuple[int, ...] = (7, 2), **given: Any) -> ClearancePolicy:
    made = ClearancePolicy("EYE", 1, service_type, Mode.OBSERVE, (Requirement("consent"),), days, "desk", NOW)
    return made._replace(**given)


def near(appointment_id: UUID = UNCLEARED, days: int = 7, starts_at: datetime = STARTS) -> NearVisit:
    return NearVisit(appointment_id, UUID(int=9), 3, 2, starts_at, days, starts_at - timedelta(days=days))


def test_a_service_type_with_a_policy_of_its_own_has_its_own_days_or_none() -> None:
    told = [policy(), policy("MRI", (3,)), policy("X-ray", ()), policy("Eyes", (1,), unset=True)]

    assert notices_of(told) == ([Notices(None, 7), Notices(None, 2), Notices("MRI", 3)], ["MRI", "X-ray"])


def test_who_requires_nothing_tells_nobody() -> None:
    assert notices_of([policy(requires=())]) == ([], [])
    assert notices_of([policy(unset=True)]) == ([], [])
    assert notices_of([]) == ([], [])


def test_d15_a_notice_leaves_until_a_quarter_of_its_lead_is_left() -> None:
    assert near(days=7).not_after == STARTS - timedelta(hours=42)
    assert near(days=2).not_after == STARTS - timedelta(hours=12)


@dataclass
class Memory:
    """Visits of one clinic, as one transaction sees them."""

    near: Sequence[NearVisit]
    standings: Mapping[UUID, Standing]
    kept: list[tuple[UUID, bool]] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    told: list[UUID] = field(default_factory=list)

    async def lock_next(self, clinic_id: str, zone: str, until: datetime, size: int) -> Sequence[NearVisit]:
        return self.near[:size]

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        return {one: self.standings[one] for one in appointment_ids}

    async def keep(
        self, looked_at: Sequence[NearVisit], lacking: Collection[UUID], slot: str, now: datetime
    ) -> Collection[tuple[UUID, int]]:
        new = [one for one in looked_at if one.appointment_id not in {kept for kept, _ in self.kept}]
        self.kept += [(one.appointment_id, one.appointment_id in lacking) for one in new]
        return {(one.appointment_id, one.days) for one in new}

    async def raise_flags(self, flags: Sequence[Flag], now: datetime) -> None:
        self.flags += flags

    async def publish(self, lacking: Sequence[NearVisit], clinic_id: str, caused_by: str, now: datetime) -> None:
        self.told += [one.appointment_id for one in lacking]


async def tell(memory: Memory, now: datetime = NOW) -> int:
    return await tell_what_is_missing(memory, "EYE", "Europe/London", ("10:00", NOW), 500, now)


async def test_only_who_lacks_something_is_told_and_on_the_work_list_and_both_were_looked_at() -> None:
    memory = Memory([near(CLEARED), near()], {CLEARED: NOTHING_REQUIRED, UNCLEARED: LACKING})

    assert await tell(memory) == 2
    assert memory.kept == [(CLEARED, False), (UNCLEARED, True)]
    assert memory.flags == [Flag(UNCLEARED, CLEARANCE_MISSING, 3)]
    assert memory.told == [UNCLEARED]


async def test_what_another_transaction_looked_at_meanwhile_is_not_told_again() -> None:
    memory = Memory([near()], {UNCLEARED: LACKING})

    await tell(memory)
    await tell(memory)

    assert (memory.told, len(memory.flags)) == ([UNCLEARED], 1)


async def test_d15_who_is_looked_at_too_late_is_on_the_work_list_and_not_told() -> None:
    memory = Memory([near()], {UNCLEARED: LACKING})

    await tell(memory, near().not_after + timedelta(seconds=1))

    assert (memory.told, [one.code for one in memory.flags]) == ([], [CLEARANCE_MISSING])


def test_the_event_is_the_same_for_one_schedule_and_number_of_days_and_names_nobody() -> None:
    first, again = (clearance_missing(near(), "EYE", f"slot-{n}", NOW + n * timedelta(hours=1)) for n in range(2))
    sooner = clearance_missing(near(days=2), "EYE", "slot", NOW)

    assert first.envelope.id == again.envelope.id != sooner.envelope.id
    assert first.key == str(UNCLEARED)
    said = decode(ClearanceMissing, first.value)
    assert (said.days, said.schedule_gen, said.due, said.not_after) == (7, 2, NOW, near().not_after)
    assert set(said.model_dump()) == set(decode(ClearanceMissing, example("clearance.missing.v1")).model_dump())
