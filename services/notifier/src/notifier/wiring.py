"""How the notifier is put together: the only file that names concrete classes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from chassis import migrate, topics
from chassis.clock import Clock, clock_from
from chassis.consumer import Applied, BatchConsumer, Subscription
from chassis.database import Connection, create_pool
from chassis.delivery import watch
from chassis.health import Health
from chassis.http import create_api, operator, serve
from chassis.lifecycle import run_all
from chassis.metrics import Metrics
from chassis.outbox import Relay
from notifier.adapters import http, inbox, incoming, why
from notifier.adapters.bell import Bell
from notifier.adapters.carriers.composing import Sender
from notifier.adapters.carriers.email import EmailCarrier, SmtpServer
from notifier.adapters.carriers.http import new_client
from notifier.adapters.carriers.sms import SmsCarrier, TwilioAccount
from notifier.adapters.carriers.whatsapp import MetaAccount, WhatsAppCarrier
from notifier.adapters.clock_check import ClockCheck
from notifier.adapters.fanout_store import PostgresFanoutStore
from notifier.adapters.ledger import PostgresLedger
from notifier.adapters.other_parts import Addresses, OtherParts, reading_client
from notifier.adapters.templates import Templates
from notifier.adapters.watch import LaneMetrics, Workload
from notifier.domain.states import State
from notifier.domain.transitions import VisitReading
from notifier.handle.fanout import Counted, DueSeen, on_appointments, on_due
from notifier.handle.loop import Carrier, Lane, Limits
from notifier.settings import Settings
from schemas.notifications import Channel
from schemas.topics import APPOINTMENTS, NOTIFICATIONS, REMINDERS

SERVICE = "notifier"
LANES = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
POOL_SIZE = 12
"""Connections: four partition batches, three for each lane, the relay, the API and health."""


@dataclass(frozen=True)
class Service:
    """The running parts of one process: fan-out with the API, or some lanes, or all of them."""

    settings: Settings
    consumer: BatchConsumer | None
    lanes: tuple[Lane, ...]
    relay: Relay
    clocks: ClockCheck
    api: FastAPI

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set or a part fails."""
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "relay": self.relay.run(stop),
            "http": serve(self.api, self.settings.http_host, self.settings.http_port, stop),
            "clocks": self.clocks.run(stop),
            **{f"{lane.channel.value} lane": lane.run(stop) for lane in self.lanes},
        }
        if self.consumer is not None:
            parts["consumer"] = self.consumer.run(stop)
        await run_all(stop, **parts)


def subscriptions(settings: Settings) -> tuple[Subscription[Any], ...]:
    """Return what fan-out listens to, and what becomes of it."""
    clock, sending, link = clock_from(settings.clock_file), settings.sending, settings.appointment_link

    async def appointments(connection: Connection, events: Sequence[VisitReading]) -> Applied:
        store = PostgresFanoutStore(connection, link)
        return _applied(await on_appointments(store, events, sending, clock.now()))

    async def reminders(connection: Connection, events: Sequence[DueSeen | None]) -> Applied:
        due = [event for event in events if event is not None]
        counted = await on_due(PostgresFanoutStore(connection, link), due, sending, clock.now())
        return Applied(counted.applied + len(events) - len(due), counted.repeat, counted.stale)

    return (
        Subscription(APPOINTMENTS, incoming.appointment, appointments),
        Subscription(REMINDERS, incoming.due, reminders),
    )


@asynccontextmanager
async def build(
    settings: Settings, stop: asyncio.Event, *, fanout: bool = True, lanes: Sequence[Channel] = LANES
) -> AsyncIterator[Service]:
    """Give the parts of this process, connected and checked but not yet running.

    Args:
        settings: What it was told.
        stop: Ends the inbox streams.
        fanout: Consume the topics and serve the API too.
        lanes: The lanes to run here.

    Raises:
        Misconfigured: The schema or a topic is not as this version needs it; says how to mend it.
    """
    clock, metrics = clock_from(settings.clock_file), Metrics(SERVICE)
    needed = (APPOINTMENTS, REMINDERS, NOTIFICATIONS)
    await topics.check(settings.kafka_bootstrap_servers, needed, settings.topic_prefix)
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=POOL_SIZE)
    reading = reading_client(settings.read_key, settings.part_timeout_s)
    try:
        await migrate.check(pool, SERVICE, SERVICE)
        relay, clocks = Relay(pool, settings, metrics, clock, [NOTIFICATIONS]), ClockCheck(pool, clock)
        await clocks.compare()
        senders = _lanes(settings, lanes, pool, clock, LaneMetrics(metrics.registry), clocks, relay)
        bell = Bell()

        def committed() -> None:
            relay.wake()
            bell.ring()
            for lane in senders:
                lane.wake()

        listen = subscriptions(settings)
        consumer = BatchConsumer(SERVICE, settings, pool, listen, clock, metrics, committed) if fanout else None
        health = Health(SERVICE, clock)
        watch(health, metrics, pool, [consumer] if consumer else [], [relay])
        _watch_lanes(health, settings, pool, clock, clocks, [lane.channel for lane in senders])
        health.add_idle("outbox after the lanes", relay.idle)  # what a lane settled while the first look was taken
        api = create_api("Attend notifier", health, metrics, "Messages, preferences and the providers' inbox.")
        if fanout:
            api.include_router(http.routes(pool, clock, operator(settings)))
            api.include_router(inbox.routes(pool, clock, bell, stop, operator(settings)))
            api.include_router(why.routes(_parts(settings, reading, pool), operator(settings)))
        yield Service(settings, consumer, senders, relay, clocks, api)
    finally:
        await reading.aclose()
        await pool.close()


def _parts(settings: Settings, reading: httpx2.AsyncClient, pool: asyncpg.Pool) -> why.AllParts:
    addresses = Addresses(settings.booking_url, settings.records_url, settings.reminders_url)
    return why.AllParts(OtherParts(reading, addresses, settings.part_timeout_s), pool)


def _applied(counted: Counted) -> Applied:
    return Applied(counted.applied, counted.repeat, counted.stale)


def _lanes(
    settings: Settings,
    channels: Sequence[Channel],
    pool: asyncpg.Pool,
    clock: Clock,
    metrics: LaneMetrics,
    clocks: ClockCheck,
    relay: Relay,
) -> tuple[Lane, ...]:
    ledger = PostgresLedger(pool, timedelta(seconds=settings.lease_s))
    made: dict[Channel, Lane] = {}

    def wake(channel: Channel) -> None:
        if channel in made:
            made[channel].wake()

    for channel in channels:
        made[channel] = Lane(
            channel,
            ledger,
            _carrier(settings, channel),
            Limits(settings.slots(channel), settings.carrier_timeout_s),
            settings.sending,
            clock,
            metrics,
            clocks.reason,
            relay.wake,
            wake,
        )
    return tuple(made.values())


def _carrier(settings: Settings, channel: Channel) -> Carrier:
    templates, timeout_s = Templates(settings.templates), settings.carrier_timeout_s
    if channel is Channel.EMAIL:
        server = SmtpServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_tls,
            settings.smtp_username,
            settings.smtp_password,
            timeout_s * 0.45,
        )
        return EmailCarrier(server, Sender(settings.mail_from), templates)
    if channel is Channel.SMS:
        account = TwilioAccount(
            settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from, settings.callback_base_url
        )
        return SmsCarrier(new_client(settings.twilio_base_url, timeout_s, settings.sms_slots), account, templates)
    meta = MetaAccount(settings.meta_phone_number_id, settings.meta_access_token)
    return WhatsAppCarrier(new_client(settings.meta_base_url, timeout_s, settings.whatsapp_slots), meta)


def _watch_lanes(
    health: Health,
    settings: Settings,
    pool: asyncpg.Pool,
    clock: Clock,
    clocks: ClockCheck,
    channels: Sequence[Channel],
) -> None:
    workload = Workload(pool, channels, clock, holds=settings.sending.holds)
    if channels:
        health.add_check("clocks", clocks.reason)
        health.add_idle("lanes", workload.idle)
        health.add_next_wake(workload.next_wake)
    health.add_status("unknown", lambda: workload.count(State.UNKNOWN))
    health.add_status("queued", lambda: workload.count(State.QUEUED))

    async def mode() -> str:
        return settings.sending_mode.value

    health.add_status("sending_mode", mode)
