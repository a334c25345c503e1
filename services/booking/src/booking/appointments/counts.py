"""What becomes of commands about appointments, counted: answers by result, steps outside the state table."""

from collections import Counter
from collections.abc import Iterable

import prometheus_client

from booking.appointments.domain.batch import EventAnswer
from booking.door.transactions import RefusalCounts
from booking.values.refusals import IDENTITY_CONFLICT
from chassis.process.metrics import Metrics


class AnswerCounts:
    """Counters in the process's registry. Labels are our own words, and the sources that clients were given."""

    def __init__(self, metrics: Metrics) -> None:
        self.refusals = RefusalCounts(metrics)
        self._answers = prometheus_client.Counter(
            "booking_answers", "Events taken, by result", ["result"], **metrics.kit
        )
        self._warnings = prometheus_client.Counter(
            "booking_warnings",
            "Warnings given: what was dropped, or is odd, of events that were taken, by source",
            ["source", "code"],
            **metrics.kit,
        )
        self._conflicts = prometheus_client.Counter(
            "booking_identity_conflicts",
            "Events refused because their names belong to two appointments, by source (D53)",
            ["source"],
            **metrics.kit,
        )
        self._illegal = prometheus_client.Counter(
            "booking_illegal_transitions", "Steps that the state table lacks, accepted (R33)", **metrics.kit
        )

    def answered(self, answers: Iterable[EventAnswer]) -> None:
        """Count the answers to a batch."""
        results: Counter[str] = Counter()
        for answer in answers:
            if answer.refusal is not None:
                self.refusals.refused(answer.refusal)
                if answer.refusal.code == IDENTITY_CONFLICT:
                    self._conflicts.labels(answer.source).inc()
            elif answer.result is not None:
                results[answer.result.value] += 1
                if answer.is_illegal_step:
                    self._illegal.inc()
                if answer.result is answer.recorded_result:
                    for warned in answer.warnings:
                        self._warnings.labels(answer.source, warned.code).inc()
        for result, number in results.items():
            self._answers.labels(result).inc(number)
