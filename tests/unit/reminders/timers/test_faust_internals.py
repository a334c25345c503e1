"""Faust's internals that the timers stand on. When one changes, this says which, and what to read again."""

import hashlib
import inspect
from importlib import import_module, metadata
from typing import Any

import pytest

from reminders.timers.app import READ_AGAINST

READ = {
    "faust.app.base:App._create_directories": "a9f571c3b04abec3",
    "faust.app.base:App._new_transport": "42db531312dd776f",
    "faust.app.base:App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.app.base:App._stop_consumer": "55854a5de12c3f52",
    "faust.app.base:BootStrategy._should_enable_web": "2b6c66a4448a58f3",
    "faust.stores.base:Store": "1ae56041fe0e0c16",
    "faust.tables.base:Collection.on_rebalance": "0812ad692171a8fd",
    "faust.tables.base:Collection.on_recovery_completed": "b1526fb39ea0e77e",
    "faust.tables.base:Collection._new_store_by_url": "343a8125107d3f69",
    "faust.tables.manager:TableManager.on_partitions_revoked": "382852adff42ab99",
    "faust.tables.manager:TableManager.on_rebalance": "2d2c23a07bf54328",
    "faust.tables.recovery:Recovery.on_recovery_completed": "6ef567acf072e46d",
    "faust.tables.recovery:Recovery._restart_recovery": "6bd8a8558a2dffe4",
    "faust.tables.recovery:Recovery._slurp_changelogs": "7825c7e50f766d5a",
    "faust.transport.consumer:Consumer._filter_tps_with_pending_acks": "f6f9239774234e7e",
    "faust.transport.consumer:Consumer._filter_committable_offsets": "dc5e9baf5d994485",
    "faust.transport.consumer:Consumer._new_offset": "1d2c7ea89a7ad4f1",
    "faust.transport.consumer:Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer:Consumer.ack": "5fcf41cf45153475",
    "faust.transport.consumer:Consumer.wait_empty": "e4662fe24f094819",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130ff4b0afd8",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.getmany": "26fc5fc9f3b667e1",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0870ec53dea75083",
    "faust.serializers.schemas:Schema.decode": "b0d9ac280321c55a",
    "faust.streams:Stream.noack": "921a6f5c674d32d4",
    "faust.tables.manager:TableManager.on_start": "365dd25fbc0e0684",
    "faust.tables.manager:TableManager._update_channels": "88e3941facc934d6",
    "faust.tables.recovery:Recovery._wait": "ec7429b70176f8c6",
    "faust.tables.recovery:Recovery.on_rebalance": "aa4d997a1795ceae",
    "faust.tables.recovery:Recovery.on_stop": "766b9af50a72dc22",
    "faust.tables.recovery:Recovery._publish_stats": "48939a846a9af3a6",
    "faust.transport.consumer:Consumer._wait_next_records": "6218e1969a636b3f",
    "faust.transport.consumer:Consumer.getmany": "4b168d84882a70d6",
    "faust.types.tuples:ConsumerMessage": "5edc45d571eb42a2",
    "mode.services:Service.wait_first": "feade6a31f8a6789",
    "aiokafka.producer.producer:AIOKafkaProducer.send_batch": "bf42b0f0c5c0646d",
    "aiokafka.producer.producer:AIOKafkaProducer.commit_transaction": "c7f9677c89413f97",
    "aiokafka.producer.producer:AIOKafkaProducer.stop": "43ef97147111893b",
    "aiokafka.producer.message_accumulator:BatchBuilder": "8050802ca7514186",
    "mode.services:Service.crash": "14980000465df0af",
    "mode.threads:WorkerThread": "e213e6b441f98671",
    "aiokafka.consumer.consumer:AIOKafkaConsumer.start": "2f1ba70443327538",
}
"""What was read → the beginning of the sha256 of its source then."""


def source_of(name: str) -> str:
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    found = getattr(found, "fun", found)  # a Service.task
    return inspect.getsource(getattr(found, "__wrapped__", found))


def test_faust_is_the_version_that_was_read() -> None:
    installed = metadata.version("faust-streaming")

    assert installed == READ_AGAINST, (
        f"faust-streaming is {installed}, the subclasses in reminders/timers were read against {READ_AGAINST}. "
        "Run the tests below, read what changed, then set READ_AGAINST."
    )


@pytest.mark.parametrize("name", READ)
def test_what_the_timers_stand_on_is_as_it_was_read(name: str) -> None:
    now = hashlib.sha256(source_of(name).encode()).hexdigest()[:16]

    assert now == READ[name], (
        f"{name} is not what it was when reminders/timers was written. Read it, check the module of "
        f"reminders/timers that names it, run the integration tests, then put {now} here."
    )
