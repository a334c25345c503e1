"""How what comes in from carriers is put together: routes, mailbox, look-up, and what waits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from chassis.api.app import refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import Run
from notifier.address_keys.backfill import Rekeying
from notifier.callbacks.carrier_routes import CALLBACKS, Callbacks
from notifier.callbacks.door import Door
from notifier.callbacks.handle.intake import Intake
from notifier.callbacks.handle.replay import Replayed, replay
from notifier.callbacks.http import routes as unreadable_routes
from notifier.callbacks.secrets import CallbackSecrets
from notifier.callbacks.store import PostgresUnreadables
from notifier.callbacks.unsubscribe import routes as unsubscribe_routes
from notifier.carriers.http_client import new_client
from notifier.carriers.kept_callbacks import reader
from notifier.carriers.meta.http import add_meta
from notifier.carriers.senders import Senders
from notifier.carriers.smtp.http import add_bounces
from notifier.carriers.smtp.maildir import BounceMailbox
from notifier.carriers.twilio.http import add_twilio
from notifier.carriers.twilio.search import LookUp
from notifier.opt_outs.http import routes as opt_out_routes
from notifier.receipts.store import PostgresReceipts
from notifier.receipts.unmatched import WaitingReceipts
from notifier.replies.http import routes as reply_routes
from notifier.replies.store import PostgresReplies
from notifier.settings import Settings, several
from notifier.values.addresses import Peppers
from notifier.wiring.waking import Waking
from schemas.notifications import Channel


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a process that serves callbacks runs.

    Attributes:
        mailbox: None where no Maildir is set.
    """

    routers: tuple[APIRouter, ...]
    waiting: WaitingReceipts
    mailbox: BounceMailbox | None
    look_up: LookUp
    rekeying: Rekeying

    def parts(self) -> dict[str, Run]:
        """Return what is to be run, by name."""
        mailbox: dict[str, Run] = {} if self.mailbox is None else {"bounces": self.mailbox.run}
        return {
            "waiting receipts": self.waiting.run,
            "look-up": self.look_up.run,
            "rekeying": self.rekeying.run,
            **mailbox,
        }


def inbound(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    metrics: Metrics,
    health: Health,
    committed: Callable[[], None],
    operator: Any,
    accounts: Senders,
    peppers: Peppers,
) -> Inbound:
    """Return the inbound parts of this process."""
    lifted = Waking(settings, peppers).of_address
    receipts, replies = PostgresReceipts(pool, peppers), PostgresReplies(pool, peppers, lifted)
    door = Door(metrics)
    secrets = secrets_of(settings, accounts)
    kept = PostgresUnreadables(pool, clock)
    intake = Intake(receipts, replies, kept, peppers, clock, door.count, committed)
    callbacks = Callbacks(intake, lambda: secrets, settings.callback_base_url, door)
    folder = settings.bounce_maildir
    mailbox = None if folder is None else BounceMailbox(folder, intake, door.count)
    health.add_status("unmatched_receipts", receipts.unmatched)
    health.add_status("unreadable_callbacks", kept.count)
    read_again = reader(lambda: secrets.rest[Channel.WHATSAPP])

    async def replay_one(unreadable_id: int, by: str) -> Replayed | None:
        return await replay(kept, intake, read_again, unreadable_id, by, clock.now())

    desk = (
        reply_routes(pool, clock, operator),
        opt_out_routes(pool, clock, peppers, operator, lifted),
        unreadable_routes(kept, replay_one, operator),
    )
    links = unsubscribe_routes(pool, clock, door, lambda: secrets.unsubscribe, peppers)
    twilio = new_client(settings.twilio_base_url, settings.carrier_timeout_s, 1)
    look_up = LookUp(pool, twilio, accounts.sms, peppers, intake)
    waiting = WaitingReceipts(receipts, clock, committed)
    return Inbound((carriers_routes(callbacks), links, *desk), waiting, mailbox, look_up, Rekeying(pool, peppers))


def carriers_routes(callbacks: Callbacks) -> APIRouter:
    """Return the routes that carriers call."""
    own = refuses({400: ("MALFORMED",), 401: ("BAD_SIGNATURE",), 408: ("BODY_TOO_SLOW",)})
    router = APIRouter(prefix=CALLBACKS, tags=["callbacks"], responses=own)
    for add in (add_twilio, add_meta, add_bounces):
        add(router, callbacks)
    return router


def secrets_of(settings: Settings, accounts: Senders) -> CallbackSecrets:
    """Return every secret by which a callback may prove itself, each for its account."""
    return CallbackSecrets(
        twilio=accounts.twilio_tokens(),
        meta=accounts.meta_secrets(),
        rest={channel: of.rest for channel, of in accounts.accounts.items()},
        meta_verify=several(settings.meta_verify_token),
        bounces=several(settings.bounce_secret),
        unsubscribe=several(settings.unsubscribe_secret),
    )
