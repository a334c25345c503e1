"""Appointments that were given a new version because something behind them changed, counted."""

from prometheus_client import Counter

from chassis.process.metrics import Metrics


class ReissueCounts:
    """Counters in the process's registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._policies = Counter(
            "booking_policy_reissued", "Appointments given the rules of a changed policy", **metrics.kit
        )
        self._flags = Counter(
            "booking_flags_reissued", "Appointments given what bars messages to their patient (D44)", **metrics.kit
        )

    def policies(self, appointments: int) -> None:
        """Count appointments that a change of policy gave a new version."""
        self._policies.inc(appointments)

    def flags(self, appointments: int) -> None:
        """Count appointments that a patient's flags gave a new version."""
        self._flags.inc(appointments)
