"""How a process of the notifier is put together: database, fan-out, lanes, API and what keeps them going."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from chassis.api.app import operator
from chassis.api.booking_rights import booking_rights
from chassis.api.operations import listeners
from chassis.delivery import high_water
from chassis.delivery.consumer import Applied, BatchConsumer, Subscription
from chassis.kafka import topics
from chassis.outbox.relay import Relay
from chassis.postgres import migrator
from chassis.postgres.clock_check import AgreedClock, DatabaseClockCheck
from chassis.postgres.database import Connection, create_pool
from chassis.postgres.retention import Retention
from chassis.process.clock import Clock, clock_from
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import LISTENERS, Run, run_all
from chassis.status import watch
from notifier.address_keys.peppers import check as check_peppers
from notifier.address_keys.peppers import peppers_of
from notifier.carriers.senders import read_senders
from notifier.fanout.domain.versions import VisitReading
from notifier.fanout.handle.appointments import on_appointments
from notifier.fanout.handle.clearances import on_missing
from notifier.fanout.handle.people import on_people
from notifier.fanout.handle.reminders import Seen, on_reminders
from notifier.fanout.messages import appointment, clearances
from notifier.fanout.messages import people as people_read
from notifier.fanout.messages import reminders as reminders_read
from notifier.fanout.store import PostgresFanoutStore
from notifier.inbox.store import PostgresInbox
from notifier.inbox.streams import Streams
from notifier.lanes.handle.lane import Lane
from notifier.lanes.metrics import LaneMetrics
from notifier.lanes.rate_limit import know
from notifier.ledger.messages import OWNED
from notifier.ledger.told_before import ToldBefore
from notifier.retention import jobs
from notifier.settings import Settings
from notifier.wiring.api import api_of
from notifier.wiring.callbacks import Inbound, inbound
from notifier.wiring.lanes import lanes as lanes_of
from notifier.wiring.lanes import watch_lanes
from notifier.wiring.staff import reading_of
from notifier.wording.renderer import checked
from schemas.clearance_notices import ClearanceMissing
from schemas.notifications import Channel
from schemas.topics import APPOINTMENTS, CLEARANCES, NOTIFICATIONS, PATIENT_REPLIES, PATIENTS, PROVIDERS, REMINDERS

SERVICE = "notifier"
LANES = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
POOL_SIZE = 13
"""Connections: five partition batches, three for each lane, the relay, the API and health."""


@dataclass(frozen=True)
class Service:
    """The running parts of one process: fan-out with the API, or some lanes, or all of them."""

    settings: Settings
    consumer: BatchConsumer | None
    lanes: tuple[Lane, ...]
    relay: Relay
    clocks: DatabaseClockCheck
    api: FastAPI | None
    streams: Streams
    health: Health
    metrics: Metrics
    ends: high_water.Ends
    inbound: Inbound | None = None
    retention: Retention | None = None
    told_before: ToldBefore | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set or a part fails."""
        lanes: dict[str, Run] = {f"{lane.channel.value} lane": lane.run for lane in self.lanes}
        parts: dict[str, Run] = {
            "relay": self.relay.run,
            **listeners(self.settings, self.health, self.metrics, self.api),
            "clocks": self.clocks.run,
            high_water.PART: self.ends.run,
            "streams": self.streams.run,
        }
        if self.consumer is not None:
            parts["consumer"] = self._consume
        if self.told_before is not None:
            parts["told before"] = self.told_before.run
        if self.inbound is not None:
            parts |= self.inbound.parts()
        if self.retention is not None:
            parts["retention"] = self.retention.run
        # what a lane has in flight is known to it alone: one that failed begins anew with its process
        await run_all(stop, self.health, {**parts, **lanes}, vital=(*LISTENERS, high_water.PART, *lanes))

    async def _consume(self, stop: asyncio.Event) -> None:
        """Read the topics, once it is known what the release before has told."""
        if self.told_before is not None:
            await self.told_before.first(stop)
        if self.consumer is not None:
            await self.consumer.run(stop)


def subscriptions(settings: Settings, clock: Clock | None = None) -> tuple[Subscription[Any], ...]:
    """Return what fan-out listens to, and what becomes of it by the settings' clock or another one."""
    clock, sending, link = clock or clock_from(settings.clock_file), settings.sending, settings.appointment_link
    peppers = peppers_of(settings)

    async def appointments(connection: Connection, events: Sequence[VisitReading]) -> Applied:
        store = PostgresFanoutStore(connection, link, peppers)
        return await on_appointments(store, events, sending, clock.now())

    async def reminders(connection: Connection, events: Sequence[Seen | None]) -> Applied:
        said = {place: event for place, event in enumerate(events) if event is not None}
        store, places = PostgresFanoutStore(connection, link, peppers), list(said)
        told = await on_reminders(store, list(said.values()), sending, clock.now())
        return Applied(repeat=[places[number] for number in told.repeat])

    async def missing(connection: Connection, events: Sequence[ClearanceMissing | None]) -> Applied:
        said = {place: event for place, event in enumerate(events) if event is not None}
        store, places = PostgresFanoutStore(connection, link, peppers), list(said)
        told = await on_missing(store, list(said.values()), sending, clock.now())
        return Applied(repeat=[places[number] for number in told.repeat])

    async def people(connection: Connection, events: Sequence[tuple[str, ...]]) -> Applied:
        store = PostgresFanoutStore(connection, link, peppers)
        return await on_people(store, [one for event in events for one in event], sending, clock.now())

    return (
        Subscription(APPOINTMENTS, appointment, appointments),
        Subscription(REMINDERS, reminders_read, reminders),
        Subscription(CLEARANCES, clearances, missing),
        Subscription(PATIENTS, people_read, people),
        Subscription(PROVIDERS, people_read, people),
    )


@asynccontextmanager
async def build(
    settings: Settings, stop: asyncio.Event, *, fanout: bool = True, lanes: Sequence[Channel] = LANES
) -> AsyncIterator[Service]:
    """Give the parts of this process, connected and checked but not yet running.

    Raises:
        Misconfigured: The senders, the templates, a secret, the schema or a topic is not as this version needs it;
            says how to mend it.
    """
    peppers = peppers_of(settings)
    accounts, templates = read_senders(settings), checked(settings.templates)
    clock, metrics = clock_from(settings.clock_file), Metrics(SERVICE)
    needed = (APPOINTMENTS, REMINDERS, CLEARANCES, PATIENTS, PROVIDERS, NOTIFICATIONS, PATIENT_REPLIES)
    await topics.check(settings.kafka_bootstrap_servers, needed, settings.topic_prefix)
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=POOL_SIZE, plans="custom")
    opened = AsyncExitStack()
    reading, rights = reading_of(settings), await opened.enter_async_context(booking_rights(settings.booking_url))
    try:
        await migrator.check(pool, SERVICE, SERVICE)
        ends = high_water.Ends(pool, settings, SERVICE, OWNED)
        await ends.compare()
        await check_peppers(pool, peppers)
        relay = Relay(pool, settings, metrics, clock, [NOTIFICATIONS, PATIENT_REPLIES])
        clocks = DatabaseClockCheck(pool, clock)
        await clocks.compare()
        for channel in lanes:
            await know(pool, channel, accounts.accounts[channel].every)
        senders = lanes_of(
            settings, accounts, templates, lanes, pool, clock, LaneMetrics(metrics), clocks, relay, peppers
        )
        inbox = PostgresInbox(pool)
        open_streams = Streams(inbox.newest, inbox.standing)

        def committed() -> None:
            relay.wake()
            open_streams.ring()
            for lane in senders:
                lane.wake()

        agreed = AgreedClock(clock, clocks)
        listen = subscriptions(settings, agreed)
        consumer = BatchConsumer(SERVICE, settings, pool, listen, clock, metrics, committed) if fanout else None
        health = Health(SERVICE, clock)
        watch(health, metrics, pool, [consumer] if consumer else [], [relay])
        watch_lanes(health, settings, pool, clock, clocks, senders)
        health.add_idle("outbox after the lanes", relay.idle)  # what a lane settled while the first look was taken
        api = heard = None
        if fanout:
            key = operator(settings)
            heard = inbound(settings, pool, clock, metrics, health, committed, key, accounts, peppers)
            api = api_of(
                settings, pool, clock, inbox, open_streams, stop, heard, reading, committed, peppers, key, rights
            )
        daily = Retention(pool, jobs(settings), agreed) if fanout else None
        before = ToldBefore(pool, clock) if fanout else None  # a month: clocks that differ by hours do not matter
        yield Service(
            settings, consumer, senders, relay, clocks, api, open_streams, health, metrics, ends, heard, daily, before
        )
    finally:
        await opened.aclose()
        await reading.aclose()
        await pool.close()
