"""What a lane shows of itself in metrics."""

from collections.abc import Sequence

from chassis.process.metrics import Metrics
from notifier.lanes.domain.breaker import BreakerState
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Notification
from schemas.notifications import Channel

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class LaneMetrics:
    """See `lanes.handle.ports.Watch`."""

    def __init__(self, metrics: Metrics) -> None:
        account = ("lane", "account")
        told = "Messages by lane, outcome and reason."
        self._outcomes = metrics.counter("notifications", told, ("lane", "outcome", "reason"))
        told = "How long calls to carriers take."
        self._seconds = metrics.histogram("carrier_call_seconds", told, ("lane",), SECONDS)
        told = "1 for where the breaker of each account stands in this process: closed, open, half-open."
        self._breaker = metrics.gauge("lane_breaker", told, (*account, "standing"))
        told = "How often messages were due and no call began for too long."
        self._standstills = metrics.counter("lane_standstills", told, account)
        told = "Refusals that are not the message's fault, by whose they are."
        self._refusals = metrics.counter("carrier_refusals", told, (*account, "fault"))
        told = "Messages whose decision raised: failed as UNDECIDABLE, or kept while there are too many."
        self._undecidable = metrics.counter("undecidable_messages", told, ("lane",))

    def settled(self, lane: Channel, notifications: Sequence[Notification]) -> None:
        for one in notifications:
            self._outcomes.labels(lane.value, one.state.value, one.reason.value if one.reason else "").inc()

    def stands(self, lane: Channel, account: str, breaker: BreakerState) -> None:
        for standing in BreakerState:
            self._breaker.labels(lane.value, account, standing.value).set(standing is breaker)

    def stands_still(self, lane: Channel, account: str) -> None:
        self._standstills.labels(lane.value, account).inc()

    def undecidable(self, lane: Channel, number: int) -> None:
        self._undecidable.labels(lane.value).inc(number)

    def refused(self, lane: Channel, account: str, fault: Fault) -> None:
        self._refusals.labels(lane.value, account, fault.value).inc()

    def called(self, lane: Channel, seconds: float) -> None:
        self._seconds.labels(lane.value).observe(seconds)
