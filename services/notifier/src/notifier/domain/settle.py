"""What a carrier's answer makes of a notification. The ledger only moves forward (G5, G6)."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from notifier.domain.backoff import retry_at
from notifier.domain.ledger import Accepted, Answer, NotAccepted, Notification, NotStarted, Rejected, Unsure
from notifier.domain.states import State
from schemas.reminders import Reason


def settle(held: Notification, attempt_id: UUID, answer: Answer, now: datetime, jitter: float) -> Notification | None:
    """Return the notification after this answer, or None if the answer changes nothing.

    An answer to another attempt than the current one changes nothing, nor does one after a final
    state. One that comes after the lease ran out settles `unknown` only if it is final: a late
    temporary refusal must not bring the message back into the queue (G5).

    Args:
        held: The notification as held under its row's lock.
        attempt_id: The attempt that was answered.
        answer: The answer.
        now: Domain time.
        jitter: Between 0 and 1, random.
    """
    if held.attempt_id != attempt_id or held.state not in {State.SENDING, State.UNKNOWN}:
        return None
    match answer:
        case Accepted():
            return _outcome(held, State.ACCEPTED, None)
        case Rejected():
            return _outcome(held, State.FAILED, Reason.REFUSED)
    if held.state is State.UNKNOWN:
        return None
    match answer:
        case NotStarted():
            return replace(held, state=State.QUEUED, next_attempt_at=now)
        case NotAccepted(retry_after=asked):
            again = retry_at(now, held.attempts, held.not_after or now, jitter, asked)
            if again is None:
                return _outcome(held, State.FAILED, Reason.TOO_LATE)
            return replace(held, state=State.QUEUED, next_attempt_at=again)
        case Unsure():
            return _outcome(held, State.UNKNOWN, Reason.OUTCOME_UNKNOWN)


def skip(held: Notification, reason: Reason) -> Notification:
    """Return the notification as the shut gate leaves it.

    One that a carrier has refused before, and that ran out of time, has failed; others are skipped.
    """
    late = reason in {Reason.TOO_LATE, Reason.PAST_VISIT}
    if held.attempts and late:
        return _outcome(held, State.FAILED, Reason.TOO_LATE)
    return _outcome(held, State.SKIPPED, reason)


def run_out(held: Notification) -> Notification:
    """Return the notification after its lease ran out in `sending`: nobody knows what became of the call."""
    return _outcome(held, State.UNKNOWN, Reason.OUTCOME_UNKNOWN)


def _outcome(held: Notification, state: State, reason: Reason | None) -> Notification:
    return replace(held, state=state, reason=reason, version=held.version + 1)
