"""What booking counts beside the delivery core: answers by result, refusals by code, steps outside the state table."""

from collections import Counter
from collections.abc import Iterable

import prometheus_client

from booking.domain.batch import Answer
from booking.values.refusals import Refused
from chassis.metrics import Metrics


class Counts:
    """Counters in the process's registry. Labels are our own words, never anything that was sent."""

    def __init__(self, metrics: Metrics) -> None:
        def counter(name: str, text: str, *labels: str) -> prometheus_client.Counter:
            return prometheus_client.Counter(name, text, labels, namespace="attend", registry=metrics.registry)

        self._answers = counter("booking_answers", "Events taken, by result", "result")
        self._refusals = counter("booking_refusals", "Commands refused, by code", "code")
        self._reissued = counter("booking_policy_reissued", "Appointments given the rules of a changed policy")
        self._barred = counter("booking_flags_reissued", "Appointments given what bars messages to their patient (D44)")
        self._illegal = counter("booking_illegal_transitions", "Steps that the state table lacks, accepted (R33)")

    def answered(self, answers: Iterable[Answer]) -> None:
        """Count the answers to a batch."""
        results: Counter[str] = Counter()
        for answer in answers:
            if answer.refusal is not None:
                self.refused(answer.refusal)
            elif answer.result is not None:
                results[answer.result.value] += 1
                if answer.is_illegal_step:
                    self._illegal.inc()
        for result, number in results.items():
            self._answers.labels(result).inc(number)

    def refused(self, refusal: Refused) -> None:
        """Count a command that was refused."""
        self._refusals.labels(refusal.code).inc()

    def reissued(self, appointments: int) -> None:
        """Count appointments that a change of policy gave a new version."""
        self._reissued.inc(appointments)

    def barred(self, appointments: int) -> None:
        """Count appointments that a patient's flags gave a new version."""
        self._barred.inc(appointments)
