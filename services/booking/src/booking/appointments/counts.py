"""What becomes of commands about appointments, counted: answers by result, steps outside the state table."""

from collections import Counter
from collections.abc import Iterable

from booking.appointments.domain.batch import EventAnswer
from booking.door.transactions import RefusalCounts
from booking.values.refusals import IDENTITY_CONFLICT
from chassis.process.metrics import Metrics


class AnswerCounts:
    """Counters in the process's registry. Labels are our own words, and the sources that clients were given."""

    def __init__(self, metrics: Metrics) -> None:
        self.refusals = RefusalCounts(metrics)
        self._answers = metrics.counter("booking_answers", "Events that were taken, by result.", ["result"])
        told = "Warnings that were given: what was dropped, or is odd, of events that were taken."
        self._warnings = metrics.counter("booking_warnings", told, ["source", "code"])
        told = "Events that were refused because their names belong to two appointments (D53)."
        self._conflicts = metrics.counter("booking_identity_conflicts", told, ["source"])
        told = "Steps that the state table lacks; they were accepted (R33)."
        self._illegal = metrics.counter("booking_illegal_transitions", told)

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
