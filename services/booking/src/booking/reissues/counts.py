"""Appointments that were given a new version because something behind them changed, counted."""

import prometheus_client

from chassis.process.metrics import Metrics


class ReissueCounts:
    """Counters in the process's registry."""

    def __init__(self, metrics: Metrics) -> None:
        def counter(name: str, text: str) -> prometheus_client.Counter:
            return prometheus_client.Counter(name, text, namespace="attend", registry=metrics.registry)

        self._policies = counter("booking_policy_reissued", "Appointments given the rules of a changed policy")
        self._flags = counter("booking_flags_reissued", "Appointments given what bars messages to their patient (D44)")

    def policies(self, appointments: int) -> None:
        """Count appointments that a change of policy gave a new version."""
        self._policies.inc(appointments)

    def flags(self, appointments: int) -> None:
        """Count appointments that a patient's flags gave a new version."""
        self._flags.inc(appointments)
