"""How the roles of reminders are put together, one a process: what the rooms make is connected here alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from fastapi import FastAPI

from chassis.api.app import create_api, operator
from chassis.api.booking_rights import BookingRights, booking_rights
from chassis.api.client_access import ClientAccess
from chassis.api.operations import listeners
from chassis.delivery.consumer import Applied, BatchConsumer, Subscription
from chassis.delivery.group_positions import GroupPositions
from chassis.kafka import topics
from chassis.outbox.relay import Relay
from chassis.postgres import migrator
from chassis.postgres.clock_check import AgreedClock, ClockCheck, DatabaseClockCheck
from chassis.postgres.database import Connection, Pool, create_pool
from chassis.postgres.retention import Retention
from chassis.process.clock import Clock, clock_from
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import LISTENERS, Run, run_all
from chassis.status import watch
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Runner
from reminders import retention
from reminders.clinic_days.job import ClinicDays
from reminders.clinic_days.messages import clinic_event
from reminders.clinic_days.store import keep_clinics
from reminders.planning.domain.schedule import KEPT_AFTER_VISIT
from reminders.planning.handle import RemindersOwner
from reminders.planning.messages import RecordWording
from reminders.planning.metrics import engine_reports, show_recovery
from reminders.planning.replay import replays
from reminders.planning.visit_reader import cause_of, read_visit
from reminders.projector import http, messages
from reminders.projector.codes import CODES
from reminders.projector.handle import PublishedEvent, record
from reminders.projector.job import close
from reminders.projector.store import PostgresBooks
from reminders.reconciler.booking_api import BookingApi, booking_client
from reminders.reconciler.handle import Reconciler
from reminders.reconciler.job import ReconcilerJob, settle
from reminders.reconciler.worker_timers import EngineTimers
from reminders.settings import SERVICE, Settings
from reminders.timers.engine import Engine, Names, Reports
from schemas.topics import APPOINTMENTS, CLINICS, NOTIFICATIONS, REMINDERS, REMINDERS_REPLAYS, TIMERS_CHANGELOG

WORKER, PROJECTOR = "reminders-worker", "reminders-projector"
TABLE = TIMERS_CHANGELOG.name.removeprefix(f"{WORKER}-").removesuffix("-changelog")
GATHER_MS = 50
"""How long the broker gathers what trickles in for the projector: nobody waits for a reminder's record."""
POOL_SIZE = 8
"""Connections of the projector: a batch in flight for each topic, closing and health."""


async def run_worker(settings: Settings, stop: asyncio.Event, clock: Clock | None = None) -> None:
    """Plan and hand over until `stop` is set, by the settings' clock or another one.

    Raises:
        BaseExceptionGroup: A part failed: the process ends, its supervisor starts it again.
    """
    used = (APPOINTMENTS, REMINDERS_REPLAYS, REMINDERS, TIMERS_CHANGELOG)
    await topics.check(settings.kafka_bootstrap_servers, used, settings.topic_prefix)
    clock, metrics = clock or clock_from(settings.clock_file), Metrics(WORKER)
    clocks = ClockCheck(clock, "the broker's")
    engine = engine_of(settings, clock, engine_reports(metrics, settings.topic_name(APPOINTMENTS)), clocks)
    show_recovery(metrics, lambda: engine.recovering)
    health = Health(WORKER, clock)
    clocks.watch(health)
    health.add_check("timers", engine.reason)
    health.add_idle("timers", engine.idle)

    async def lag() -> int | None:
        return sum((await engine.lag()).values()) if engine.ready else None

    async def rows() -> int:
        return engine.rows

    async def partitions() -> str:
        return ", ".join(map(str, sorted(engine.live)))

    async def recovery() -> str | None:
        progress = engine.recovering
        if progress is None:
            return None
        return f"{progress['rows']} rows read, {progress['left']} left, {progress['left_s'] or '?'} s"

    health.add_next_wake(engine.next_due)
    health.add_status("lag", lag)
    health.add_status("rows", rows)
    health.add_status("partitions", partitions)
    health.add_status("recovery", recovery)
    async with reconciling(settings, clock, metrics, engine, clocks) as reconciler:
        reconciler.watch(health)
        if reconciler.is_on:
            engine.plan_anew(reconciler.hasten)
        parts: dict[str, Run] = {
            "timers": engine.run,
            "reconciler": reconciler.run,
            **listeners(settings, health, metrics),
        }
        await run_all(stop, health, parts, vital=(*LISTENERS, "timers"))  # Faust cannot be started twice in a process


@asynccontextmanager
async def reconciling(
    settings: Settings, clock: Clock, metrics: Metrics, engine: Engine, clocks: ClockCheck
) -> AsyncIterator[ReconcilerJob]:
    """Give the reconciler of a worker; without booking's address and key it only says that it is off."""

    def ready() -> bool:
        return engine.ready and clocks.reason() is None

    if settings.booking_url is None or settings.booking_key is None:
        yield ReconcilerJob(None, ready, metrics, settings.reconcile_every_s)
        return
    timers = EngineTimers(engine, settings.topic_name(APPOINTMENTS), APPOINTMENTS.partitions, clock.now)
    async with booking_client(settings.booking_url, settings.booking_key.get_secret_value()) as client:
        reconciler = Reconciler(BookingApi(client), timers, clock.now, settle)
        yield ReconcilerJob(reconciler, ready, metrics, settings.reconcile_every_s)


def engine_of(settings: Settings, clock: Clock, reports: Reports, clocks: ClockCheck | None = None) -> Engine:
    """Return the timers of one worker, not started."""
    names = Names(
        app=settings.group(WORKER),
        table=TABLE,
        sources=(settings.topic_name(APPOINTMENTS), settings.topic_name(REMINDERS_REPLAYS)),
        events=settings.topic_name(REMINDERS),
        partitions=APPOINTMENTS.partitions,
    )
    owner = RemindersOwner(read_visit, cause_of, RecordWording(clock.now))
    return Engine(
        settings.kafka_bootstrap_servers,
        names,
        owner,
        KEPT_AFTER_VISIT,
        clock.now,
        stepped=settings.clock_file is not None,
        reports=reports,
        clocks=clocks,
        order_of=worker_positions(settings).order,
        keep_ids_every_s=settings.keep_ids_every_s,
        table_standby_replicas=settings.standbys,
        **({"consumer_group_instance_id": settings.slot} if settings.slot else {}),
    )


def subscriptions(settings: Settings) -> tuple[Subscription[Any], ...]:
    """Return what the projector listens to, and what becomes of it."""

    def apply(connection: Connection, events: Sequence[PublishedEvent]) -> Awaitable[Applied]:
        return record(PostgresBooks(connection), events)

    return (
        Subscription(REMINDERS, messages.reminder_event, apply),
        Subscription(NOTIFICATIONS, messages.notification_event, apply),
        Subscription(CLINICS, clinic_event, keep_clinics),
    )


def replayable(settings: Settings) -> tuple[Subscription[Any], ...]:
    """Return what `dead-letters replay` does with each topic's letters, those of the worker too (G8)."""
    return (*subscriptions(settings), *replays(settings))


def worker_positions(settings: Settings) -> GroupPositions:
    """Return the worker's positions, which Kafka keeps: those of its sources, and of its changelog for want of any."""
    topics_read = (APPOINTMENTS, REMINDERS_REPLAYS, TIMERS_CHANGELOG)
    names = [settings.topic_name(topic) for topic in topics_read]
    return GroupPositions(settings.kafka_bootstrap_servers, settings.group(WORKER), names)


async def run_projector(settings: Settings, stop: asyncio.Event) -> None:
    """Keep the reminder records until `stop` is set."""
    clock, metrics = clock_from(settings.clock_file), Metrics(PROJECTOR)
    await topics.check(settings.kafka_bootstrap_servers, (REMINDERS, NOTIFICATIONS, CLINICS), settings.topic_prefix)
    async with await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=POOL_SIZE) as pool:
        await migrator.check(pool, SERVICE, SERVICE)
        consumer = BatchConsumer(
            PROJECTOR, settings, pool, subscriptions(settings), clock, metrics, gather_ms=GATHER_MS
        )
        relay, clocks = Relay(pool, settings, metrics, clock, [REMINDERS]), DatabaseClockCheck(pool, clock)
        await clocks.compare()
        agreed = AgreedClock(clock, clocks)
        days = Runner(pool, agreed, ClinicDays(), SlotMetrics(metrics))
        daily = Retention(pool, retention.jobs(settings), agreed)
        health = Health(PROJECTOR, clock)
        clocks.watch(health)
        watch(health, metrics, pool, [consumer], [relay])
        days.watch(health, relay.idle)
        parts: dict[str, Run] = {
            "consumer": consumer.run,
            "days": days.run,
            "relay": relay.run,
            "closing": partial(close, pool, agreed),
            "clocks": clocks.run,
            "retention": daily.run,
            **listeners(settings, health, metrics),
        }
        await run_all(stop, health, parts)


async def run_api(settings: Settings, stop: asyncio.Event) -> None:
    """Answer questions about reminders until `stop` is set."""
    clock, metrics = clock_from(settings.clock_file), Metrics("reminders-api")
    async with await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=4) as pool:
        await migrator.check(pool, SERVICE, SERVICE)
        health = Health("reminders-api", clock)
        async with booking_rights(settings.booking_url) as rights:
            api = reading_api(settings, pool, rights)
            await run_all(stop, health, listeners(settings, health, metrics, api))


def reading_api(settings: Settings, pool: Pool, rights: BookingRights | None = None) -> FastAPI:
    """Return the API that answers questions about reminders; without booking's word on rights no client is known."""
    key = operator(settings)
    access = ClientAccess(key, rights, http.OPEN_TO_CLIENTS)
    api = create_api("Attend reminders", "What became of every reminder.", admit=access.admit, codes=CODES)
    api.include_router(http.routes(pool, access, key))
    return api


def unplugged() -> FastAPI:
    """Return the API with nothing behind it: to be described, not asked."""
    return reading_api(Settings.model_construct(), cast("Pool", None))
