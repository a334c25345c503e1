"""The reconciler: nothing in a healthy system, and each kind of difference found, looked at twice, and mended."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from reminders.domain.reconciling import SETTLED_AFTER, Difference, Held, Stand, difference, unwanted
from reminders.handle import reconciling
from reminders.handle.reconciling import BEHIND, Found, Reconciler
from tests.unit.reminders.builders import LONG_AGO, NOW, VISIT, id_of


def stand(name: str = "visit", version: int = 1, schedule_gen: int = 1, **changes: Any) -> Stand:
    """Say where an appointment stands: booked long ago, and ahead."""
    return replace(Stand(id_of(name), version, schedule_gen, "booked", VISIT, LONG_AGO), **changes)


def held(version: int = 1, schedule_gen: int = 1, *, waiting: bool = True) -> Held:
    return Held(version, schedule_gen, waiting)


@pytest.mark.parametrize(
    ("booked", "row", "expected"),
    [
        (stand(), held(), None),
        (stand(), held(waiting=False), None),
        (stand(), None, Difference.MISSING),
        (stand(schedule_gen=2), held(), Difference.DIFFERENT),
        (stand(status="cancelled"), held(), Difference.UNWANTED),
        (stand(status="cancelled"), held(waiting=False), None),
        (stand(version=2, schedule_gen=2), held(), None),
        (stand(), held(version=2, schedule_gen=2), None),
        (stand(since=NOW - timedelta(seconds=59)), None, None),
        (stand(since=NOW - SETTLED_AFTER), None, Difference.MISSING),
    ],
)
def test_only_equal_versions_that_have_settled_are_compared(
    booked: Stand, row: Held | None, expected: Difference | None
) -> None:
    assert difference(booked, row, NOW) is expected


@pytest.mark.parametrize(
    ("booked", "row", "expected"),
    [
        (None, held(), Difference.UNWANTED),
        (None, held(waiting=False), None),
        (None, None, None),
        (stand(), held(), None),
        (stand(status="noshow"), held(), Difference.UNWANTED),
        (stand(version=2, status="cancelled"), held(), None),
    ],
)
def test_what_waits_must_be_known_to_booking_and_booked(
    booked: Stand | None, row: Held | None, expected: Difference | None
) -> None:
    assert unwanted(booked, row, NOW) is expected


@dataclass
class Both:
    """Booking and the timers in memory; `offer` and `forget` do what they promise.

    Attributes:
        stands: What booking has.
        rows: What the timers hold.
        elsewhere: Appointments of another worker.
        lag: Records still to be taken.
        asked: How often booking was asked for states.
        unplannable: Appointments of which `offer` makes no row.
    """

    stands: dict[UUID, Stand] = field(default_factory=dict)
    rows: dict[UUID, Held] = field(default_factory=dict)
    elsewhere: set[UUID] = field(default_factory=set)
    lag: int = 0
    asked: int = 0
    unplannable: set[UUID] = field(default_factory=set)
    offered: list[UUID] = field(default_factory=list)
    forgotten: list[UUID] = field(default_factory=list)

    def book(self, *stands: Stand) -> None:
        """Book as it should be: booking and the timers agree."""
        for one in stands:
            self.stands[one.appointment_id] = one
            self.rows[one.appointment_id] = held(one.version, one.schedule_gen, waiting=one.status == "booked")

    async def ahead(self) -> AsyncIterator[Sequence[Stand]]:
        """See `Booking`: pages of two."""
        ids = sorted(self.stands)
        for start in range(0, len(ids), 2):
            yield [self.stands[one] for one in ids[start : start + 2]]

    async def states(self, appointment_ids: Sequence[UUID]) -> dict[UUID, Stand]:
        self.asked += 1
        return {one: self.stands[one] for one in appointment_ids if one in self.stands}

    async def snapshots(self, appointment_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        return {one: one.bytes for one in appointment_ids if one in self.stands}

    def owns(self, appointment_id: UUID) -> bool:
        return appointment_id not in self.elsewhere

    def held(self, appointment_id: UUID) -> Held | None:
        return self.rows.get(appointment_id)

    def waiting(self) -> Iterator[Sequence[UUID]]:
        yield [one for one, row in self.rows.items() if row.waiting and self.owns(one)]

    async def behind(self) -> int:
        return self.lag

    async def offer(self, snapshots: Sequence[bytes]) -> None:
        for one in [self.stands[UUID(bytes=key)] for key in snapshots]:
            self.offered.append(one.appointment_id)
            if one.appointment_id not in self.unplannable:
                self.book(one)

    async def forget(self, appointment_ids: Sequence[UUID]) -> None:
        for one in appointment_ids:
            self.forgotten.append(one)
            self.rows[one] = replace(self.rows[one], waiting=False)

    async def reconcile(self, meanwhile: Callable[[], None] = lambda: None) -> Found:
        """Make the first pass of a worker; `meanwhile` happens between the two looks."""
        return await self.reconciler(meanwhile).reconcile()

    def reconciler(self, meanwhile: Callable[[], None] = lambda: None) -> Reconciler:
        async def settle() -> None:
            meanwhile()

        return Reconciler(self, self, lambda: NOW, settle)


@pytest.fixture
def both() -> Both:
    """Give seven appointments, booked and cancelled, all in order."""
    both = Both()
    both.book(*(stand(f"visit {n}", n + 1, n + 1) for n in range(5)), stand("no", status="cancelled"))
    both.book(stand("begun", starts_at=NOW - timedelta(hours=1)))
    return both


async def test_a_healthy_system_counts_nothing(both: Both) -> None:
    found = await both.reconcile()

    assert (found.mended.total(), found.left, both.offered, both.forgotten) == (0, None, [], [])
    assert found.compared == 7 + 6


async def test_a_row_that_is_missing_is_planned(both: Both) -> None:
    del both.rows[id_of("visit 3")]

    found = await both.reconcile()

    assert found.mended == {Difference.MISSING: 1}
    assert both.offered == [id_of("visit 3")]
    assert (await both.reconcile()).mended.total() == 0


async def test_a_row_of_another_schedule_is_planned_anew(both: Both) -> None:
    both.rows[id_of("visit 2")] = held(3, 9)

    assert (await both.reconcile()).mended == {Difference.DIFFERENT: 1}
    assert both.rows[id_of("visit 2")].schedule_gen == 3


async def test_timers_of_what_is_not_booked_any_more_are_cancelled(both: Both) -> None:
    both.rows[id_of("no")] = held()

    assert (await both.reconcile()).mended == {Difference.UNWANTED: 1}
    assert not both.rows[id_of("no")].waiting


async def test_timers_of_what_booking_does_not_know_are_cancelled(both: Both) -> None:
    both.rows[id_of("ghost")] = held()

    assert (await both.reconcile()).mended == {Difference.UNWANTED: 1}
    assert both.forgotten == [id_of("ghost")]
    assert (await both.reconcile()).mended.total() == 0


async def test_what_settles_between_the_two_looks_is_nothing(both: Both) -> None:
    del both.rows[id_of("visit 0")]
    both.rows[id_of("visit 1")] = held(2, 9)
    both.rows[id_of("ghost")] = held()

    def meanwhile() -> None:
        both.rows[id_of("visit 0")] = held()
        both.stands[id_of("visit 1")] = stand("visit 1", 3, 9)
        both.book(stand("ghost"))

    assert (await both.reconcile(meanwhile)).mended.total() == 0
    assert both.offered == both.forgotten == []


async def test_only_its_own_partitions_are_compared(both: Both) -> None:
    both.elsewhere = {id_of("visit 0"), id_of("ghost")}
    del both.rows[id_of("visit 0")]
    both.rows[id_of("ghost")] = held()

    assert (await both.reconcile()).mended.total() == 0


async def test_while_behind_nothing_is_compared(both: Both) -> None:
    both.lag = BEHIND + 1
    both.rows.clear()

    found = await both.reconcile()

    assert found.compared == 0
    assert found.left is not None


async def test_a_booking_that_lost_its_memory_cancels_nothing(both: Both) -> None:
    both.book(*(stand(f"lost {n}") for n in range(101)))
    both.stands.clear()
    before = dict(both.rows)

    found = await both.reconcile()

    assert found.mended.total() == 0
    assert "none cancelled" in str(found.left)
    assert both.rows == before


async def test_more_than_one_pass_can_mend_is_left_for_the_next(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "MOST", 2)
    both.rows.clear()

    counts = [(await both.reconcile()).mended[Difference.MISSING] for _ in range(5)]

    assert counts == [2, 2, 2, 1, 0]


async def test_what_cannot_be_planned_is_no_difference_and_is_tried_once_a_version(both: Both) -> None:
    """It was counted as missing, and written to the dead letters again, in every pass."""
    lost = id_of("visit 4")
    del both.rows[lost], both.rows[id_of("visit 3")]
    both.unplannable = {lost}
    reconciler = both.reconciler()

    first, second = await reconciler.reconcile(), await reconciler.reconcile()
    both.stands[lost] = stand("visit 4", 6, 5)
    both.unplannable.clear()
    third, fourth = await reconciler.reconcile(), await reconciler.reconcile()

    assert [found.mended for found in (first, second, third, fourth)] == [
        {Difference.MISSING: 1}, {}, {Difference.MISSING: 1}, {},
    ]  # fmt: skip
    assert [found.unplannable for found in (first, second, third, fourth)] == [1, 1, 0, 0]
    assert sorted(both.offered) == sorted([lost, id_of("visit 3"), lost])
