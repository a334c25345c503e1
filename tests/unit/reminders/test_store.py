"""What the store says of a recovery under way, by which a recovery that stands still is noticed."""

from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP

from reminders.timers.app import add_table, build
from reminders.timers.store import PartitionedStore


def a_store() -> tuple[PartitionedStore, str]:
    table = add_table(build("timers-of-a-test", "localhost:1", 12), "timers", 12)
    return cast(PartitionedStore, table.data), table.changelog_topic_name


def record(partition: int) -> Any:
    return SimpleNamespace(message=SimpleNamespace(partition=partition, key=b"visit", value=None))


async def test_a_recovery_is_under_way_from_the_assignment_on_and_counts_what_it_replays() -> None:
    store, changelog = a_store()
    assert store.recovering is None

    assigned = {TP(changelog, 3)}
    await store.on_rebalance(assigned, set(), assigned)
    assert store.recovering == 0

    store.apply_changelog_batch([record(3), record(3)], bytes, bytes)
    assert store.recovering == 2


async def test_after_a_revocation_none_is_under_way() -> None:
    store, changelog = a_store()
    await store.on_rebalance({TP(changelog, 3)}, set(), {TP(changelog, 3)})

    store.suspend()

    assert store.recovering is None
