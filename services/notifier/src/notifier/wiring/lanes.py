"""How the lanes are put together, with their carriers, and what is shown of them."""

from collections.abc import Sequence
from datetime import timedelta

from chassis.outbox.relay import Relay
from chassis.postgres.clock_check import ClockCheck
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.health import Health
from notifier.carriers.http_client import new_client
from notifier.carriers.meta.carrier import WhatsAppCarrier
from notifier.carriers.port import Carrier
from notifier.carriers.senders import Senders
from notifier.carriers.smtp.carrier import EmailCarrier
from notifier.carriers.twilio.carrier import SmsCarrier
from notifier.lanes.handle.lane import Lane
from notifier.lanes.handle.limits import Limits
from notifier.lanes.metrics import LaneMetrics
from notifier.lanes.store import PostgresLedger, Workload
from notifier.ledger.domain.states import NotificationState
from notifier.settings import Settings
from notifier.values.addresses import Peppers
from notifier.wording.renderer import Templates
from schemas.notifications import Channel


def lanes(
    settings: Settings,
    accounts: Senders,
    templates: Templates,
    channels: Sequence[Channel],
    pool: Pool,
    clock: Clock,
    metrics: LaneMetrics,
    clocks: ClockCheck,
    relay: Relay,
    peppers: Peppers,
) -> tuple[Lane, ...]:
    """Return the lanes of this process; a message that changes its channel wakes the other lane."""
    by_channel = accounts.accounts
    ledger = PostgresLedger(pool, timedelta(seconds=settings.lease_s), by_channel, peppers)
    made: dict[Channel, Lane] = {}

    def wake(channel: Channel) -> None:
        if channel in made:
            made[channel].wake()

    for channel in channels:
        made[channel] = Lane(
            channel,
            ledger,
            _carrier(settings, channel, accounts, templates),
            by_channel[channel],
            _limits(settings, channel),
            settings.sending,
            clock,
            metrics,
            clocks.reason,
            relay.wake,
            wake,
        )
    return tuple(made.values())


def watch_lanes(
    health: Health, settings: Settings, pool: Pool, clock: Clock, clocks: ClockCheck, senders: Sequence[Lane]
) -> None:
    """Add to `/status` what the ledger holds, the mode that counts, and where each breaker stands."""
    workload = Workload(pool, [lane.channel for lane in senders], clock, settings.sending_mode)
    if senders:
        health.add_check("clocks", clocks.reason)
        for lane in senders:
            health.add_check(f"{lane.channel.value} lane", lane.reason)
        health.add_idle("lanes", workload.idle)
        health.add_next_wake(workload.next_wake)
    health.add_status("unknown", lambda: workload.count(NotificationState.UNKNOWN))
    health.add_status("queued", lambda: workload.count(NotificationState.QUEUED))
    health.add_status("sending_mode", workload.mode)

    async def breakers() -> str:
        return ", ".join(each for lane in senders for each in _standings(lane))

    if senders:
        health.add_status("breakers", breakers)


def _standings(lane: Lane) -> list[str]:
    """Return where each breaker of a lane stands, with its account where there are several."""
    if len(lane.breakers) == 1:
        return [f"{lane.channel.value} {breaker.value}" for breaker in lane.breakers.values()]
    return [f"{lane.channel.value} {account} {breaker.value}" for account, breaker in lane.breakers.items()]


def _limits(settings: Settings, channel: Channel) -> Limits:
    return Limits(
        settings.slots(channel),
        settings.carrier_timeout_s,
        settings.per_second(channel),
        settings.breaker_failures,
        settings.breaker_open_s,
    )


def _carrier(settings: Settings, channel: Channel, accounts: Senders, templates: Templates) -> Carrier:
    timeout_s = settings.carrier_timeout_s
    if channel is Channel.EMAIL:
        return EmailCarrier(accounts.mail, templates)
    calls_at_once = settings.slots(channel) * len(accounts.accounts[channel].every)
    if channel is Channel.SMS:
        return SmsCarrier(new_client(settings.twilio_base_url, timeout_s, calls_at_once), accounts.sms, templates)
    return WhatsAppCarrier(new_client(settings.meta_base_url, timeout_s, calls_at_once), accounts.whatsapp)
