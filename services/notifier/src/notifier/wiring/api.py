"""How the notifier's API is put together: ledger, inbox, what staff ask for, and what carriers call."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from fastapi import FastAPI

from chassis.api.app import Bounds, OperatorKey, create_api, operator
from chassis.api.booking_rights import BookingRights
from chassis.api.client_access import ClientAccess
from chassis.postgres.database import Pool
from chassis.process.clock import Clock, RealClock
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from notifier.callbacks.carrier_routes import CALLBACKS
from notifier.callbacks.door import LARGEST_WEBHOOK
from notifier.carriers.senders import read_senders
from notifier.inbox.access import InboxAccess
from notifier.inbox.http import routes as inbox_routes
from notifier.inbox.store import PostgresInbox
from notifier.inbox.streams import Streams
from notifier.ledger import http as ledger_http
from notifier.ledger.domain.plain_english import REASONS
from notifier.outcomes import http as outcomes_http
from notifier.outcomes.store import PostgresOutcomes
from notifier.outcomes.waiting import WaitingForOutcomes
from notifier.settings import Settings
from notifier.staff.patient_opt_outs import http as patient_opt_outs_http
from notifier.staff.preferences import http as preferences_http
from notifier.timeline import http as timeline_http
from notifier.values.addresses import Peppers
from notifier.values.codes import CODES
from notifier.wiring.callbacks import Inbound, inbound
from notifier.wiring.staff import reading_of, staff_routers

OPEN_TO_CLIENTS = (
    *ledger_http.OPEN_TO_CLIENTS,
    *timeline_http.OPEN_TO_CLIENTS,
    *outcomes_http.OPEN_TO_CLIENTS,
    *preferences_http.OPEN_TO_CLIENTS,
    *patient_opt_outs_http.OPEN_TO_CLIENTS,
)
"""What an API client may ask here (decision 0048)."""

NEVER_SENT = {reason.value: f"In `errors` of GATE_SHUT: {words}." for reason, words in REASONS.items()}


def api_of(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    inbox: PostgresInbox,
    streams: Streams,
    stop: asyncio.Event,
    heard: Inbound,
    reading: Any,
    committed: Callable[[], None],
    peppers: Peppers,
    key: OperatorKey,
    rights: BookingRights | None = None,
) -> FastAPI:
    """Return the API.

    Args:
        heard: What comes in from carriers.
        reading: The client that asks the other services.
        rights: Booking's word on what a client may see; None: no client is known.
    """
    inboxes, outcomes = InboxAccess(inbox, key), PostgresOutcomes(pool)
    access = ClientAccess(key, rights, OPEN_TO_CLIENTS, inboxes.knows)
    api = create_api(
        "Attend notifier",
        "Messages, preferences and the providers' inbox.",
        admit=access.admit,
        public=(CALLBACKS,),
        bounds=Bounds(body=2 * LARGEST_WEBHOOK),
        codes={**NEVER_SENT, **CODES},
    )
    routers = (
        ledger_http.routes(pool, access),
        outcomes_http.routes(outcomes, WaitingForOutcomes(outcomes.newest, stop), access),
        inbox_routes(inbox, clock, streams, stop, inboxes),
        *staff_routers(settings, pool, clock, reading, committed, peppers, key, access),
        *heard.routers,
    )
    for router in routers:
        api.include_router(router)
    return api


def unplugged() -> FastAPI:
    """Return the API with nothing behind it: to be described, not asked."""
    settings, clock, metrics = Settings.model_construct(), RealClock(), Metrics("notifier")
    pool, peppers, key = cast("Pool", None), Peppers((b"",)), operator(settings)

    def nothing() -> None:
        pass

    inbox, health = PostgresInbox(pool), Health("notifier", clock)
    streams, accounts = Streams(inbox.newest, inbox.standing), read_senders(settings)
    heard = inbound(settings, pool, clock, metrics, health, nothing, key, accounts, peppers)
    return api_of(
        settings, pool, clock, inbox, streams, asyncio.Event(), heard, reading_of(settings), nothing, peppers, key
    )
