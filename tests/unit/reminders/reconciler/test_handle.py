"""The reconciler: nothing in a healthy system, and each kind of difference found, looked at twice, and mended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from reminders.reconciler.domain import SETTLED_AFTER, BookingState, Difference, TimersState, difference, unwanted
from reminders.reconciler.handle import BEHIND, Found, Reconciler
from tests.support.reminders.builders import LONG_AGO, NOW, VISIT, id_of

PARTITIONS = 3


def stand(name: str = "visit", version: int = 1, schedule_gen: int = 1, **changes: Any) -> BookingState:
    """Say where an appointment stands: booked long ago, and ahead."""
    return replace(BookingState(id_of(name), version, schedule_gen, "booked", VISIT, LONG_AGO), **changes)


def held(
    version: int = 1, schedule_gen: int = 1, *, starts_at: datetime | None = VISIT, waiting: bool = True
) -> TimersState:
    return TimersState(version, schedule_gen, starts_at or VISIT, waiting)


UNREADABLE = replace(held(), unreadable=True)


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
        (stand(), held(version=2, schedule_gen=2), Difference.BEHIND),
        (stand(), held(version=2, waiting=False), Difference.BEHIND),
        (stand(since=NOW - timedelta(seconds=59)), held(version=2), None),
        (stand(), held(starts_at=VISIT + timedelta(hours=1)), Difference.DIFFERENT),
        (stand(), held(starts_at=VISIT + timedelta(hours=1), waiting=False), None),
        (stand(starts_at=None, status="cancelled"), held(), Difference.UNWANTED),
        (stand(barred="DECEASED"), held(), Difference.UNWANTED),
        (stand(barred="of a later release"), held(), Difference.UNWANTED),
        (stand(barred="DO_NOT_CONTACT"), held(waiting=False), None),
        (stand(barred="NO_CONSENT", since=NOW - timedelta(seconds=59)), held(), None),
        (stand(version=2, barred="DECEASED"), held(), None),
        (stand(since=NOW - timedelta(seconds=59)), None, None),
        (stand(since=NOW - SETTLED_AFTER), None, Difference.MISSING),
        (stand(), UNREADABLE, Difference.DIFFERENT),
        (stand(status="cancelled"), UNREADABLE, Difference.DIFFERENT),
        (stand(version=2), UNREADABLE, None),
        (stand(since=NOW - timedelta(seconds=59)), UNREADABLE, None),
    ],
)
def test_what_has_settled_is_compared_and_a_later_version_is_none_of_bookings(
    booked: BookingState, row: TimersState | None, expected: Difference | None
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
        (stand(barred="NO_CONSENT"), held(), Difference.UNWANTED),
        (stand(version=2, status="cancelled"), held(), None),
        (None, UNREADABLE, Difference.UNWANTED),
        (stand(), UNREADABLE, Difference.DIFFERENT),
    ],
)
def test_what_waits_must_be_known_to_booking_and_booked(
    booked: BookingState | None, row: TimersState | None, expected: Difference | None
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
        asked: Of how many appointments booking was asked where they stand.
        unplannable: Appointments of which `offer` makes no row.
        untaken: Appointments with which `offer` and `forget` do nothing.
        live: The partitions of this worker, of `PARTITIONS`.
        read: The partitions that booking was asked for.
        in_hand: How many were mended after each look.
        begun: Partitions that began anew.
        planned: Those noted as planned.
    """

    stands: dict[UUID, BookingState] = field(default_factory=dict)
    rows: dict[UUID, TimersState] = field(default_factory=dict)
    elsewhere: set[UUID] = field(default_factory=set)
    lag: int = 0
    asked: int = 0
    unplannable: set[UUID] = field(default_factory=set)
    untaken: set[UUID] = field(default_factory=set)
    now: datetime = NOW
    offered: list[UUID] = field(default_factory=list)
    forgotten: list[UUID] = field(default_factory=list)
    live: Sequence[int] = range(3)
    read: list[int] = field(default_factory=list)
    in_hand: list[int] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    planned: dict[int, int] = field(default_factory=dict)

    def book(self, *stands: BookingState) -> None:
        """Book as it should be: booking and the timers agree."""
        for one in stands:
            self.stands[one.appointment_id] = one
            waiting = one.status == "booked" and one.barred is None
            row = held(one.version, one.schedule_gen, starts_at=one.starts_at, waiting=waiting)
            self.rows[one.appointment_id] = row

    async def ahead(self, partition: int) -> AsyncIterator[Sequence[BookingState]]:
        """See `Booking`: pages of two."""
        self.read.append(partition)
        ids = sorted(one for one in self.stands if one.int % PARTITIONS == partition)
        for start in range(0, len(ids), 2):
            yield [self.stands[one] for one in ids[start : start + 2]]

    async def states(self, appointment_ids: Sequence[UUID]) -> dict[UUID, BookingState]:
        self.asked += len(appointment_ids)
        return {one: self.stands[one] for one in appointment_ids if one in self.stands}

    async def snapshots(self, appointment_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        return {one: one.bytes for one in appointment_ids if one in self.stands}

    def partitions(self) -> Sequence[int]:
        return self.live

    def owns(self, appointment_id: UUID) -> bool:
        return appointment_id not in self.elsewhere and appointment_id.int % PARTITIONS in self.live

    def held(self, appointment_id: UUID) -> TimersState | None:
        return self.rows.get(appointment_id)

    def waiting(self) -> Iterator[Sequence[UUID]]:
        yield [one for one, row in self.rows.items() if row.waiting and self.owns(one)]

    async def behind(self) -> int:
        return self.lag

    def begun_anew(self) -> Mapping[int, int]:
        return dict(self.begun)

    async def note_planned(self, begun: Mapping[int, int]) -> None:
        self.planned |= begun

    async def offer(self, snapshots: Sequence[bytes]) -> set[UUID]:
        ids = {UUID(bytes=key) for key in snapshots}
        for one in [self.stands[key] for key in sorted(ids - self.untaken)]:
            self.offered.append(one.appointment_id)
            self.in_hand[-1] += 1
            if one.appointment_id not in self.unplannable:
                self.book(one)
        return ids & self.untaken

    async def forget(self, appointment_ids: Sequence[UUID]) -> set[UUID]:
        for one in sorted(set(appointment_ids) - self.untaken):
            self.forgotten.append(one)
            self.in_hand[-1] += 1
            self.rows[one] = replace(self.rows[one], waiting=False)
        return set(appointment_ids) & self.untaken

    async def reconcile(self, meanwhile: Callable[[], None] = lambda: None) -> Found:
        """Make the first pass of a worker; `meanwhile` happens between the two looks."""
        return await self.reconciler(meanwhile).reconcile()

    def reconciler(self, meanwhile: Callable[[], None] = lambda: None, most: int = 100) -> Reconciler:
        async def settle() -> None:
            self.in_hand.append(0)
            meanwhile()

        return Reconciler(self, self, lambda: self.now, settle, most)


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


async def test_a_row_of_another_start_is_planned_anew(both: Both) -> None:
    both.rows[id_of("visit 2")] = held(3, 3, starts_at=VISIT + timedelta(days=1))

    assert (await both.reconcile()).mended == {Difference.DIFFERENT: 1}
    assert both.rows[id_of("visit 2")].starts_at == VISIT


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_later_version_than_bookings_is_told_and_left_alone(both: Both, waiting: bool) -> None:
    both.rows[id_of("visit 2")] = later = held(4, 3, waiting=waiting)

    found = await both.reconcile()

    assert (found.behind, found.mended.total(), both.offered, both.forgotten) == (1, 0, [], [])
    assert both.rows[id_of("visit 2")] == later


async def test_a_version_that_booking_commits_between_the_two_looks_is_not_behind(both: Both) -> None:
    both.rows[id_of("visit 2")] = held(4, 3)

    def meanwhile() -> None:
        both.stands[id_of("visit 2")] = stand("visit 2", 4, 3)

    assert (await both.reconcile(meanwhile)).behind == 0


async def test_timers_of_what_is_not_booked_any_more_are_cancelled(both: Both) -> None:
    both.rows[id_of("no")] = held()

    assert (await both.reconcile()).mended == {Difference.UNWANTED: 1}
    assert not both.rows[id_of("no")].waiting


async def test_timers_of_a_patient_to_whom_no_message_may_go_are_cancelled(both: Both) -> None:
    both.stands[id_of("visit 2")] = replace(both.stands[id_of("visit 2")], barred="DECEASED")

    assert (await both.reconcile()).mended == {Difference.UNWANTED: 1}
    assert not both.rows[id_of("visit 2")].waiting
    assert (await both.reconcile()).mended.total() == 0


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


@pytest.mark.parametrize(("unknown", "cancelled"), [(100, 100), (101, 0)])
async def test_so_many_that_booking_does_not_know_are_cancelled_and_not_one_more(
    both: Both, unknown: int, cancelled: int
) -> None:
    """Below 1,000 appointments a hundred of them."""
    both.book(*(stand(f"kept {n}") for n in range(200)))
    for n in range(unknown):
        both.rows[id_of(f"lost {n}")] = held()

    found = await both.reconcile()

    assert found.mended[Difference.UNWANTED] == len(both.forgotten) == cancelled
    assert (found.left is None) == bool(cancelled)


@pytest.mark.parametrize(("unknown", "cancelled"), [(200, 200), (201, 0)])
async def test_of_many_appointments_a_tenth_may_be_unknown_and_not_one_more(
    both: Both, unknown: int, cancelled: int
) -> None:
    both.book(*(stand(f"kept {n}") for n in range(1800 - 6 if cancelled else 1801 - 6)))
    for n in range(unknown):
        both.rows[id_of(f"lost {n}")] = held()

    found = await both.reconciler(most=1000).reconcile()

    assert found.mended[Difference.UNWANTED] == cancelled


async def test_a_lost_table_is_mended_in_one_pass_so_many_at_a_time(both: Both) -> None:
    both.book(*(stand(f"more {n}") for n in range(30)))
    both.rows.clear()

    found = await both.reconciler(most=5).reconcile()

    assert found.mended == {Difference.MISSING: 37}
    assert max(both.in_hand) <= 5 + 2  # a page more
    assert both.asked <= 37 + 37  # each once before it is mended, and once as one that waits
    assert both.rows.keys() == both.stands.keys()


async def test_of_what_booking_does_not_know_no_more_is_kept_in_hand_than_may_be(both: Both) -> None:
    for n in range(50):
        both.rows[id_of(f"lost {n}")] = held()
    reconciler = both.reconciler(most=20)

    counts = [(await reconciler.reconcile()).mended[Difference.UNWANTED] for _ in range(4)]

    assert counts == [20, 20, 10, 0]


async def test_booking_is_asked_for_the_partitions_of_this_worker_alone(both: Both) -> None:
    both.live = [1]
    both.book(*(stand(f"more {n}") for n in range(20)))
    both.rows.clear()

    found = await both.reconcile()

    own = [one for one in both.stands if one.int % PARTITIONS == 1]
    assert both.read == [1]
    assert found.mended == {Difference.MISSING: len(own)}
    assert both.rows.keys() == set(own)


async def test_rows_without_a_timer_give_others_their_turn(both: Both) -> None:
    """Nothing is asked about them, so nothing else would."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    class Resting(Both):
        def waiting(self) -> Iterator[Sequence[UUID]]:
            return iter([[]] * 1000)

    running = asyncio.ensure_future(others())
    await Resting().reconcile()
    running.cancel()

    assert turns >= 1000


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


async def test_a_whole_pass_notes_what_had_begun_anew_before_it_and_no_more(both: Both) -> None:
    both.begun = {1: 510}
    del both.rows[id_of("visit 3")]

    await both.reconcile(meanwhile=lambda: both.begun.update({2: 7}))

    assert both.planned == {1: 510}


@pytest.mark.parametrize(("lag", "ghosts"), [(BEHIND + 1, 0), (0, 150)])
async def test_a_pass_that_left_something_notes_nothing(both: Both, lag: int, ghosts: int) -> None:
    both.begun, both.lag = {1: 510}, lag
    both.rows |= {id_of(f"ghost {n}"): held() for n in range(ghosts)}

    assert (await both.reconcile()).left is not None

    assert both.planned == {}


YOUNG = stand("young", since=NOW - timedelta(seconds=30))
"""Its event may have been taken before its partition began anew."""


@pytest.fixture
def young(both: Both) -> Both:
    """Give one more appointment, too new to compare and without a row, in a partition that began anew."""
    both.stands[YOUNG.appointment_id] = YOUNG
    both.begun = {YOUNG.appointment_id.int % PARTITIONS: 510}
    return both


async def test_what_was_too_new_in_a_partition_that_began_anew_is_planned_at_the_second_look(young: Both) -> None:
    def meanwhile() -> None:
        young.now = NOW + SETTLED_AFTER

    found = await young.reconcile(meanwhile)

    assert (found.mended, found.left) == ({Difference.MISSING: 1}, None)
    assert young.offered == [YOUNG.appointment_id]
    assert young.planned == young.begun


async def test_a_pass_that_found_something_too_new_twice_in_a_partition_that_began_anew_notes_nothing(
    young: Both,
) -> None:
    """A pass that called it no difference noted the partition as planned, and it had no timer for an hour."""
    found = await young.reconcile()

    assert (found.mended.total(), found.left) == (0, "1 without timers are too new to compare")
    assert young.offered == []
    assert young.planned == {}


async def test_what_is_new_and_gets_its_row_between_the_two_looks_keeps_nothing_from_being_noted(young: Both) -> None:
    """New ones come all the time: a busy partition would never be noted as planned."""
    found = await young.reconcile(lambda: young.book(YOUNG))

    assert (found.mended.total(), found.left, young.planned) == (0, None, young.begun)


async def test_what_is_too_new_in_a_partition_that_did_not_begin_anew_is_on_its_way(young: Both) -> None:
    young.begun = {(YOUNG.appointment_id.int + 1) % PARTITIONS: 510}

    found = await young.reconcile()

    assert (found.mended.total(), found.left, young.in_hand) == (0, None, [])
    assert young.planned == young.begun


@pytest.mark.parametrize("difference", [Difference.MISSING, Difference.DIFFERENT, Difference.UNWANTED])
async def test_what_was_not_taken_is_neither_mended_nor_unplannable_and_nothing_is_noted(
    both: Both, difference: Difference
) -> None:
    """A partition was noted as planned of which the breaker had kept all."""
    both.begun = {0: 1, 1: 510, 2: 7}
    lost = id_of("ghost" if difference is Difference.UNWANTED else "visit 3")
    both.rows.pop(lost, None)
    if difference is not Difference.MISSING:
        both.rows[lost] = held(4, 9)
    both.untaken = {lost}
    reconciler = both.reconciler()

    found = await reconciler.reconcile()

    assert (found.mended.total(), found.unplannable) == (0, 0)
    assert found.left == "1 to mend were not taken"
    assert both.planned == {}

    both.untaken.clear()

    assert (await reconciler.reconcile()).mended == {difference: 1}
    assert both.planned == both.begun


async def test_all_that_was_left_is_told(young: Both) -> None:
    young.rows |= {id_of(f"ghost {n}"): held() for n in range(150)}
    young.rows[id_of("visit 3")] = held(4, 9)
    young.untaken = {id_of("visit 3")}

    assert (await young.reconcile()).left == (
        "booking does not know 150 of 156 appointments with timers: none cancelled"
        "; 1 without timers are too new to compare; 1 to mend were not taken"
    )
