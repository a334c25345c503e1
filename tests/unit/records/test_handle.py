"""The three stories on a store in memory; the integration tests tell them again on PostgreSQL."""

from dataclasses import replace
from random import Random

import pytest
from structlog.testing import capture_logs

from chassis.delivery.consumer import Applied
from chassis.process.errors import RejectedEvent
from records.domain import Erased
from records.handle import on_appointments, on_patients, on_providers
from schemas.appointments import Status
from schemas.subfiles import SubFileStatus
from tests.support.records.builders import NOW, MemoryStore, id_of, known, registered, seen


async def a_clinic() -> MemoryStore:
    store = MemoryStore()
    await on_patients(store, [registered()], NOW)
    await on_providers(store, [known()], NOW)
    return store


async def test_r1_a_booking_opens_a_file_and_tells_the_world() -> None:
    store = await a_clinic()

    counts = await on_appointments(store, [seen()], NOW)

    assert store.only().number == "FILE-2026-000007-EYE-01"
    assert store.published == [store.only()]
    assert counts == Applied([], [])


async def test_r3_r8_the_same_events_again_are_counted_and_change_nothing() -> None:
    store = await a_clinic()
    events = [seen(), seen(version=2, status=Status.CANCELLED), seen("another visit")]
    await on_appointments(store, events, NOW)

    counts = await on_appointments(store, events, NOW)

    assert counts == Applied(repeat=[1, 2], stale=[0])
    assert store.published == [store.only()]


async def test_r8_duplicates_ten_times_and_shuffled_open_the_same_files() -> None:
    store = await a_clinic()
    events = [seen(f"visit {n}", clinic=clinic) for n in range(10) for clinic in ("EYE", "SKIN")] * 10
    Random(8).shuffle(events)

    for start in range(0, len(events), 17):
        await on_appointments(store, events[start : start + 17], NOW)

    assert {file.number for file in store.files.values()} == {"FILE-2026-000007-EYE-01", "FILE-2026-000007-SKIN-01"}
    assert len(store.published) == 2


async def test_r7_a_missing_main_file_is_warned_of_with_ids_only_and_the_rest_goes_on() -> None:
    store = await a_clinic()

    with capture_logs() as logs:
        counts = await on_appointments(store, [seen(patient="bob"), seen("another visit")], NOW)

    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert warning["event"] == "sub_files.parked"
    assert warning["count"] == 1
    assert counts == Applied([], [])
    assert {file.status for file in store.files.values()} == {SubFileStatus.ACTIVE, SubFileStatus.PARKED}


@pytest.mark.parametrize("main_file_first", [True, False])
async def test_d5_the_file_is_complete_whichever_comes_first(main_file_first: bool) -> None:
    store = MemoryStore()
    if main_file_first:
        await on_patients(store, [registered()], NOW)
    await on_appointments(store, [seen()], NOW)
    if not main_file_first:
        assert store.only().status is SubFileStatus.PARKED
        await on_patients(store, [registered()], NOW)

    assert store.only().status is SubFileStatus.ACTIVE
    assert store.only().number == "FILE-2026-000007-EYE-01"


async def test_d5_a_second_snapshot_completes_nothing_again() -> None:
    store = MemoryStore()
    await on_appointments(store, [seen()], NOW)
    await on_patients(store, [registered()], NOW)

    counts = await on_patients(store, [Erased(id_of("bob")), registered(), registered(version=2)], NOW)

    assert counts == Applied(repeat=[1], stale=[])
    assert [file.version for file in store.published] == [1, 2]


@pytest.mark.parametrize("provider_first", [True, False])
async def test_d6_the_provider_is_assigned_whichever_comes_first(provider_first: bool) -> None:
    store = MemoryStore()
    await on_patients(store, [registered()], NOW)
    if provider_first:
        await on_providers(store, [known()], NOW)
    await on_appointments(store, [seen()], NOW)
    if not provider_first:
        assert store.only().provider_id is None
        await on_providers(store, [known()], NOW)

    assert store.only().provider_id == id_of("dr who")


async def test_d6_a_wish_alone_is_kept_and_not_published() -> None:
    store = MemoryStore()
    await on_appointments(store, [seen(provider=None)], NOW)

    await on_appointments(store, [seen(version=2, provider="dr who")], NOW)

    assert store.only().wanted_provider_id == id_of("dr who")
    assert len(store.published) == 1


async def test_a_tombstone_erases_the_main_file_and_completes_nothing() -> None:
    store = MemoryStore()
    await on_appointments(store, [seen()], NOW)

    counts = await on_patients(store, [registered(), Erased(id_of("ann"))], NOW)

    assert counts == Applied([], [])
    assert store.only().status is SubFileStatus.PARKED
    assert store.patients == {}


async def test_a_snapshot_after_the_tombstone_counts() -> None:
    store = MemoryStore()
    await on_appointments(store, [seen()], NOW)

    await on_patients(store, [Erased(id_of("ann")), registered(version=4)], NOW)

    assert store.only().status is SubFileStatus.ACTIVE


async def test_a_providers_tombstone_leaves_files_as_they_are() -> None:
    store = await a_clinic()
    await on_appointments(store, [seen()], NOW)

    counts = await on_providers(store, [Erased(id_of("dr who"))], NOW)

    assert counts == Applied([], [])
    assert store.only().provider_id == id_of("dr who")


async def test_d2_overflow_is_refused_for_good_with_its_code() -> None:
    store = await a_clinic()
    await on_appointments(store, [seen()], NOW)

    full = replace(store.only(), ordinal=99, status=SubFileStatus.CLOSED)
    store.files = {full.sub_file_id: full}

    with pytest.raises(RejectedEvent) as refused:
        await on_appointments(store, [seen("another visit")], NOW, replace_closed=True)

    assert refused.value.code == "SUB_FILE_ORDINAL_OVERFLOW"
