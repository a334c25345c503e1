"""What is refused at the door, counted by code."""

import prometheus_client

from booking.values.refusals import Refused
from chassis.process.metrics import Metrics


class RefusalCounts:
    """A counter in the process's registry. Labels are our own words, never anything that was sent."""

    def __init__(self, metrics: Metrics) -> None:
        self._refusals = prometheus_client.Counter(
            "booking_refusals", "Commands refused, by code", ["code"], **metrics.kit
        )

    def refused(self, refusal: Refused) -> None:
        """Count a command that was refused."""
        self._refusals.labels(refusal.code).inc()
