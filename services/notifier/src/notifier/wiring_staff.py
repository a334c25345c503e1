"""How what staff ask for is put together: why, work list, sending modes, contacts; a part of `wiring`."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx2
from fastapi import APIRouter

from chassis.clock import Clock
from notifier.adapters import contacts, preferences, sending, why, work_list
from notifier.adapters.desk import PostgresDesk
from notifier.adapters.other_parts import Addresses, OtherParts, reading_client
from notifier.settings import Settings
from notifier.values.addresses import Peppers


def reading_of(settings: Settings) -> httpx2.AsyncClient:
    """Return the client that asks the other parts; the caller closes it."""
    return reading_client(settings.read_key, settings.part_timeout_s)


def staff_routers(
    settings: Settings,
    pool: asyncpg.Pool,
    clock: Clock,
    reading: httpx2.AsyncClient,
    wake: Callable[[], None],
    peppers: Peppers,
    operator: Any,
) -> tuple[APIRouter, ...]:
    """Return the routers.

    Args:
        settings: What the process was told.
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        reading: See `reading_of`.
        wake: Wakes lanes and relay after a change.
        peppers: Make the keys of addresses.
        operator: The dependency that lets only the operator's key in.
    """
    addresses = Addresses(settings.booking_url, settings.records_url, settings.reminders_url)
    parts = why.AllParts(OtherParts(reading, addresses, settings.part_timeout_s), pool)
    return (
        contacts.routes(pool, clock, peppers, operator),
        preferences.routes(pool, clock, operator),
        why.routes(parts, operator),
        sending.routes(pool, clock, settings.sending_mode, wake, operator),
        work_list.routes(pool, PostgresDesk(pool, peppers), clock, settings.sending, wake, operator),
    )
