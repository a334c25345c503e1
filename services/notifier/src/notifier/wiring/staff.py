"""How what staff ask for is put together: timeline, work list, sending modes, contacts, preferences."""

from collections.abc import Callable
from typing import Any

import httpx2
from fastapi import APIRouter

from chassis.api.client_access import ClientAccess
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.settings import Settings
from notifier.staff.contacts.http import routes as contact_routes
from notifier.staff.patient_opt_outs.http import routes as patient_opt_out_routes
from notifier.staff.preferences.http import routes as preference_routes
from notifier.staff.sending_modes.http import routes as sending_mode_routes
from notifier.staff.work_list.http import routes as work_list_routes
from notifier.staff.work_list.store import PostgresDesk
from notifier.timeline.http import routes as timeline_routes
from notifier.timeline.services import Addresses, AllParts, reading_client
from notifier.timeline.store import OwnLedger
from notifier.values.addresses import Peppers
from notifier.wiring.waking import Waking


def reading_of(settings: Settings) -> httpx2.AsyncClient:
    """Return the client that asks the other parts; the caller closes it."""
    return reading_client(settings.read_key, settings.part_timeout_s)


def staff_routers(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    reading: httpx2.AsyncClient,
    wake: Callable[[], None],
    peppers: Peppers,
    operator: Any,
    asking: ClientAccess,
) -> tuple[APIRouter, ...]:
    """Return the routers."""
    addresses = Addresses(settings.booking_url, settings.records_url, settings.reminders_url)
    waking = Waking(settings, peppers)
    parts = AllParts(reading, addresses, settings.part_timeout_s, OwnLedger(pool, clock, peppers, settings.sending))
    return (
        contact_routes(pool, clock, peppers, operator),
        preference_routes(pool, clock, asking, waking.of_patient),
        patient_opt_out_routes(pool, clock, peppers, asking, waking.of_address),
        timeline_routes(parts, asking),
        sending_mode_routes(pool, clock, settings.sending_mode, wake, operator),
        work_list_routes(pool, PostgresDesk(pool, peppers), clock, settings.sending, wake, operator),
    )
