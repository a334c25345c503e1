"""What every process with consumers and relays says of itself: readiness, idleness, lag, outbox age, dead letters."""

from collections.abc import Sequence

from chassis.delivery import dead_letter
from chassis.delivery.consumer import BatchConsumer
from chassis.outbox.relay import Relay
from chassis.postgres.database import Pool
from chassis.process.health import Health
from chassis.process.metrics import Metrics


def watch(
    health: Health, metrics: Metrics, pool: Pool, consumers: Sequence[BatchConsumer], relays: Sequence[Relay]
) -> None:
    """Add the checks, idle tests and figures of the delivery core to a process's health."""
    for consumer in consumers:
        health.add_check(f"consumer {consumer.name}", consumer.reason)
        health.add_liveness(f"consumer {consumer.name}", consumer.dead)
        health.add_idle(f"consumer {consumer.name}", consumer.idle)
    for number, relay in enumerate(relays):
        health.add_check(f"relay {number}", relay.reason)
        health.add_idle(f"relay {number}", relay.idle)

    async def lag() -> int:
        return sum(sum(consumer.lag.values()) for consumer in consumers)

    async def outbox_age_s() -> float:
        return round(max([await relay.age_s() for relay in relays], default=0.0), 3)

    async def dead_letters() -> int:
        return await dead_letter.count(pool)

    if consumers:
        health.add_status("lag", lag)
    if relays:
        health.add_status("outbox_age_s", outbox_age_s)
    health.add_status("dead_letters", dead_letters)
