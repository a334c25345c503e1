"""The Faust application: which of its parts are used, and which are replaced.

Used as they are: worker life cycle, group membership, co-partitioned assignment and standbys, the agent
and its stream, the table's place in all that. Replaced: consumer, store, recovery (each in its own file).
Faust's producer is started and sends nothing: `producer.py` has one for each partition. Left out: the web
server, which binds 0.0.0.0 under the worker command whatever the settings say (fact 7), topic
declaration (facts 12 and 14), the leader topic, folders on disk, the command line, which sets log
levels of its own (fact 8).
"""

import logging
from pathlib import Path
from typing import Any, cast

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.tables.table import Table
from faust.transport.drivers.aiokafka import Transport
from faust.types import TP

from reminders.timers.consumer import AwaitedConsumer
from reminders.timers.recovery import FencingRecovery
from reminders.timers.source_reader import SourceReader
from reminders.timers.store import PartitionedStore

READ_AGAINST = "0.15.3"
"""The version of faust-streaming whose internals the subclasses of this package rely on."""

SESSION_S, HEARTBEAT_S, REBALANCE_S = 6.0, 2.0, 6.0
COMMIT_INTERVAL_S = 0.5
POLLED = 1000
"""Records unpacked in one go: with 4,000, 10 MB of objects, an event took 5 % more CPU, and the event loop was later
(medians of four interleaved runs)."""


class TimersTransport(Transport):
    """aiokafka with our consumer."""

    Consumer = AwaitedConsumer


class GatingTableManager(TableManager):
    """Shuts the gate to firing at the very start of a revocation (fact 9); starts without Faust's sleep of 1 s."""

    @property
    def recovery(self) -> FencingRecovery:
        """Return our recovery."""
        if self._recovery is None:
            self._recovery = FencingRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast(FencingRecovery, self._recovery)

    async def on_start(self) -> None:
        """Do what Faust does, at once."""
        await self._update_channels()
        await self.recovery.start()

    async def quiet(self) -> None:
        """Wait until nothing of ours is being written."""
        await self.recovery.quiet()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Suspend firing, then do what Faust does."""
        for table in self.values():
            cast(PartitionedStore, table.data).suspend()
        super().on_partitions_revoked(revoked)


class TimersTable(Table[bytes, bytes]):
    """A table of packed rows with its own store; never written through the mapping interface."""

    def _new_store(self) -> PartitionedStore:
        return PartitionedStore(
            "timers://", self.app, self,
            table_name=self.name, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw",
            loop=self.loop,
        )  # fmt: skip


class QuietBoot(BootStrategy):
    """No web server."""

    enable_web = False


class TimersApp(faust.App):
    """One table of timers beside one source topic."""

    BootStrategy = QuietBoot
    source_reader: SourceReader
    """How partitions are read; it may be another before the start."""

    def _new_transport(self) -> TimersTransport:
        return TimersTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> TimersTransport:
        return TimersTransport(self.conf.broker_producer, self)

    def _create_directories(self) -> None:
        """Make none: nothing is kept on disk."""


class LateConsumer:
    """Hands on what is acknowledged to the application's consumer, which Faust makes when it starts."""

    def __init__(self, app: TimersApp) -> None:
        self._app = app

    def acknowledge(self, message: Any) -> None:
        """See `AwaitedConsumer`."""
        cast(AwaitedConsumer, self._app.consumer).acknowledge(message)

    def acknowledge_before(self, message: Any, offset: int) -> None:
        """See `AwaitedConsumer`."""
        cast(AwaitedConsumer, self._app.consumer).acknowledge_before(message, offset)

    def release(self, message: Any) -> None:
        """See `AwaitedConsumer`."""
        cast(AwaitedConsumer, self._app.consumer).release(message)


def build(app_id: str, bootstrap: str, partitions: int, **overrides: Any) -> TimersApp:
    """Return the application, not started.

    Args:
        partitions: Of source and changelog; both exist already.
    """
    for chatty in ("faust", "mode", "reminders.timers"):  # every service's start and stop, tables of offsets
        logging.getLogger(chatty).setLevel("WARNING")
    settings: dict[str, Any] = {
        "broker": [f"kafka://{server.strip()}" for server in bootstrap.split(",")],
        "store": "memory://",
        "datadir": Path("/nonexistent"),
        "topic_partitions": partitions,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "web_enabled": False,
        "consumer_auto_offset_reset": "earliest",
        "broker_session_timeout": SESSION_S,
        "broker_heartbeat_interval": HEARTBEAT_S,
        "broker_rebalance_timeout": REBALANCE_S,
        "broker_request_timeout": 30.0,
        "broker_commit_interval": COMMIT_INTERVAL_S,
        "broker_max_poll_records": POLLED,
        "stream_buffer_maxsize": 64,
        "TableManager": GatingTableManager,
    }
    app = TimersApp(app_id, **{**settings, **overrides})
    app.source_reader = SourceReader()
    return app


def add_table(app: TimersApp, name: str, partitions: int) -> TimersTable:
    """Add the table of timers; its changelog is `<app id>-<name>-changelog`."""
    table = TimersTable(app, name=name, partitions=partitions, key_type=bytes, value_type=bytes)
    app.tables.add(table)
    return table
