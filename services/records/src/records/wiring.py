"""How records is put together: the topics, routes and parts of one process, and what each of them is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI

from chassis.api.app import create_api, operator
from chassis.api.booking_rights import BookingRights, booking_rights
from chassis.api.client_access import ClientAccess
from chassis.api.operations import listeners
from chassis.delivery import high_water
from chassis.delivery.consumer import Applied, BatchConsumer, Subscription
from chassis.kafka import topics
from chassis.outbox.relay import Relay
from chassis.postgres import migrator
from chassis.postgres.database import Connection, Pool, create_pool
from chassis.postgres.retention import Retention, settled_dead_letters
from chassis.process.clock import Clock, RealClock, clock_from
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import LISTENERS, Run, run_all
from chassis.status import watch
from records.adapters import command_http, decoders, http
from records.adapters.codes import CODES
from records.adapters.command_store import PostgresCommandStore
from records.adapters.events import OWNED
from records.adapters.pages import count_parked
from records.adapters.store import PostgresStore
from records.domain_commands import Command
from records.handle import on_appointments, on_patients, on_providers
from records.handle_commands import Done, change_sub_file, log_change
from records.settings import Settings
from schemas.topics import APPOINTMENTS, PATIENTS, PROVIDERS, SUBFILES

SERVICE = "records"
GATHER_MS = 10
"""How long the broker gathers what trickles in: a sub-file is waited for."""
POOL_SIZE = 8
"""Connections: a batch in flight for each topic, the relay, the read API and health."""


@dataclass(frozen=True)
class Service:
    """The running parts of one process."""

    settings: Settings
    pool: Pool
    consumer: BatchConsumer
    relay: Relay
    retention: Retention
    health: Health
    metrics: Metrics
    api: FastAPI
    ends: high_water.Ends | None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume, publish and answer until `stop` is set or a part fails."""
        parts: dict[str, Run] = {
            "consumer": self.consumer.run,
            "relay": self.relay.run,
            "retention": self.retention.run,
            **listeners(self.settings, self.health, self.metrics, self.api),
        }
        if self.ends is not None:
            parts[high_water.PART] = self.ends.run
        await run_all(stop, self.health, parts, vital=(*LISTENERS, high_water.PART))


def subscriptions(settings: Settings) -> tuple[Subscription[Any], ...]:
    """Return what records listens to, and what becomes of it."""
    clock, known_providers = clock_from(settings.clock_file), set[str]()

    def with_store[E](
        story: Callable[..., Awaitable[Applied]], **policy: bool
    ) -> Callable[[Connection, Sequence[E]], Awaitable[Applied]]:
        def apply(connection: Connection, events: Sequence[E]) -> Awaitable[Applied]:
            return story(PostgresStore(connection, known_providers), events, clock.now(), **policy)

        return apply

    return (
        Subscription(
            APPOINTMENTS, decoders.appointment, with_store(on_appointments, replace_closed=settings.replace_closed)
        ),
        Subscription(PATIENTS, decoders.patient, with_store(on_patients)),
        Subscription(PROVIDERS, decoders.provider, with_store(on_providers)),
    )


def carrying_out(pool: Pool, clock: Clock, on_commit: Callable[[], None]) -> command_http.Carry:
    """Return what carries a person's command out, in one transaction, and logs it once that is committed."""

    async def carry(command: Command) -> Done | None:
        async with pool.transaction() as connection:
            done = await change_sub_file(PostgresCommandStore(connection, set()), command, clock.now())
        if done is not None:
            on_commit()
            log_change(command, done)
        return done

    return carry


def api_of(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    on_commit: Callable[[], None],
    rights: BookingRights | None = None,
) -> FastAPI:
    """Return the API; without booking's word on rights no client is known."""
    key = operator(settings)
    access = ClientAccess(key, rights, http.OPEN_TO_CLIENTS)
    api = create_api("Attend records", "A patient's sub-files at each clinic.", admit=access.admit, codes=CODES)
    api.include_router(http.routes(pool, access))
    api.include_router(command_http.routes(pool, carrying_out(pool, clock, on_commit), key))
    return api


def unplugged() -> FastAPI:
    """Return the API with nothing behind it: to be described, not asked."""
    return api_of(Settings.model_construct(), cast("Pool", None), RealClock(), lambda: None)


@asynccontextmanager
async def build(
    settings: Settings, listen: Callable[[Settings], Sequence[Subscription[Any]]] = subscriptions
) -> AsyncIterator[Service]:
    """Give the whole service, connected and checked but not yet running.

    Args:
        listen: What it listens to; a benchmark measures by giving its own.

    Raises:
        Misconfigured: The schema or a topic is not as this version needs it; says how to mend it.
    """
    clock, metrics = clock_from(settings.clock_file), Metrics(SERVICE)
    await topics.check(
        settings.kafka_bootstrap_servers, (APPOINTMENTS, PATIENTS, PROVIDERS, SUBFILES), settings.topic_prefix
    )
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=POOL_SIZE)
    try:
        await migrator.check(pool, SERVICE, SERVICE)
        ends = None if settings.rebuild else high_water.Ends(pool, settings, SERVICE, OWNED)
        if ends is not None:
            await ends.compare()
        relay = Relay(pool, settings, metrics, clock, [SUBFILES])
        consumer = BatchConsumer(SERVICE, settings, pool, listen(settings), clock, metrics, relay.wake, GATHER_MS)
        health = Health(SERVICE, clock)
        watch(health, metrics, pool, [consumer], [relay])
        health.add_status("parked", lambda: count_parked(pool))
        daily = Retention(pool, [settled_dead_letters(settings.keep_dead_letters_days)], clock)
        async with booking_rights(settings.booking_url) as rights:
            api = api_of(settings, pool, clock, relay.wake, rights)
            yield Service(settings, pool, consumer, relay, daily, health, metrics, api, ends)
    finally:
        await pool.close()
