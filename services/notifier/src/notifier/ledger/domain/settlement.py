"""What an answer makes of a notification. The ledger only moves forward (G5, G6).

| answer | in `sending` | in `unknown` |
|---|---|---|
| accepted | accepted | accepted |
| rejected | this channel is closed (REFUSED); the next at once | the same |
| rejected: he told the carrier STOP | passed over while the opt-out stands (OPTED_OUT); the next at once | the same |
| not accepted | again after its backoff; beyond the channel's budget closed (NOT_ACCEPTED), the next at once. The | - |
| | last channel stays open to the deadline while the fault is ours | |
| unsure, or the lease ran out | unknown; where a double is preferred closed (OUTCOME_UNKNOWN), the next at once | - |
| not started | gated again at once, and its attempt is none | - |

Accepted is heard, too, of a message that waits for its next channel only because this outcome was unknown.

*The next at once*: back to the queue, where the gate finds the next channel, or that there is none (D32). After
the deadline nothing is tried any more: failed.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier.gate.domain.chain import TRIED, Step
from notifier.gate.domain.decision import ORDINARY, Send, Skip, Terms, Wait
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.backoff import retry_at
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import (
    Accepted,
    CarrierResult,
    NotAccepted,
    Notification,
    NotStarted,
    Rejected,
    Unsure,
)
from notifier.ledger.domain.states import NotificationState
from notifier.opt_outs.domain.refusals import is_opt_out
from notifier.values.kinds import PATIENT
from schemas.notifications import DeliveryState, Kind
from schemas.reminders import Reason
from schemas.wire import notification_id

OURS = frozenset({Fault.ACCOUNT, Fault.SENDER})
"""What only a person here can mend: it says nothing of the message."""

_LATE = frozenset({Reason.TOO_LATE, Reason.PAST_VISIT})


def settle(
    held: Notification, attempt_id: UUID, answer: CarrierResult, now: datetime, jitter: float, terms: Terms = ORDINARY
) -> Notification | None:
    """Return the notification after this answer, or None if the answer changes nothing.

    An answer to another attempt than the current one changes nothing, nor does one after a final
    state. One that comes after the lease ran out settles `unknown` only if it is final: a late
    temporary refusal must not bring the message back into the queue (G5).

    Args:
        terms: The budget and the clinic's policy as of the call; receipts need none.
    """
    if held.attempt_id != attempt_id:
        return None
    if held.state is NotificationState.QUEUED and isinstance(answer, Accepted):
        return _accepted_after_all(held, now)
    if held.state not in {NotificationState.SENDING, NotificationState.UNKNOWN}:
        return None
    match answer:
        case Accepted():
            return replace(_outcome(held, NotificationState.ACCEPTED, None), accepted_at=held.accepted_at or now)
        case Rejected(code=code):
            return close_step(held, Reason.OPTED_OUT if is_opt_out(code) else Reason.REFUSED, now)
    if held.state is NotificationState.UNKNOWN:
        return None
    match answer:
        case NotStarted():
            return _given_back(held, now)
        case NotAccepted():
            return _try_again(held, answer, now, jitter, terms)
        case Unsure():
            return run_out(held, now, terms)


def defer(
    held: Notification, decision: Send, clinic_id: str, now: datetime, wait: timedelta, *, is_our_fault: bool = False
) -> Notification:
    """Return a message that may leave while its account may not call: it waits, and its channel's budget runs.

    Once the budget is over the channel is closed, as if it had been called and had refused (D32, D33). Not so the last
    channel while the fault is our account's: nothing would be won, and once it is mended the message can leave.
    """
    placed = place(held, decision, clinic_id)
    began = placed.step_began_at or now
    if is_our_fault and decision.terms.is_last:
        return replace(placed, step_began_at=began, next_attempt_at=now + wait)
    if now + wait > min(began + decision.terms.budget, decision.not_after):
        return close_step(placed, Reason.NOT_ACCEPTED, now)
    return replace(placed, step_began_at=began, next_attempt_at=now + wait)


def close_step(held: Notification, reason: Reason, now: datetime) -> Notification:
    """Return the notification with its present channel closed, queued for the next one; after its deadline failed.

    Args:
        reason: Why the channel is closed for it: one of `chain.TRIED`, or OPTED_OUT, which is asked again at each gate.
    """
    if held.lane is None:
        return _outcome(held, NotificationState.FAILED, reason)
    closed = replace(held, steps=(*held.steps, Step(held.lane, reason)), step_began_at=None, step_attempts=0)
    if held.not_after is None or now > held.not_after:
        return _outcome(closed, NotificationState.FAILED, reason)
    return replace(closed, state=NotificationState.QUEUED, next_attempt_at=now, reason=None)


def place(held: Notification, decision: Send | Wait, clinic_id: str) -> Notification:
    """Return a queued notification on the channel that the gate gave it; on another one its attempts count anew."""
    channel = decision.channel if isinstance(decision, Wait) else decision.route.channel
    stays = channel is held.lane
    return held.but(
        lane=channel,
        not_after=decision.not_after,
        next_attempt_at=max(decision.until, held.next_attempt_at)
        if isinstance(decision, Wait)
        else held.next_attempt_at,
        reason=decision.reason if isinstance(decision, Wait) else None,
        clinic_id=clinic_id,
        steps=held.steps + decision.closed,
        step_began_at=held.step_began_at if stays else None,
        step_attempts=held.step_attempts if stays else 0,
    )


def start(held: Notification, decision: Send, visit: Visit, attempt_id: UUID, now: datetime) -> Notification:
    """Return the notification with its next attempt under way: from now on it may have told what the gate saw."""
    return replace(
        telling(place(held, decision, visit.clinic_id), decision.kind, visit, now),
        state=NotificationState.SENDING,
        attempts=held.attempts + 1,
        attempt_id=attempt_id,
        step_began_at=held.step_began_at or now,
        step_attempts=held.step_attempts + 1,
    )


def telling(held: Notification, kind: Kind, visit: Visit, now: datetime) -> Notification:
    """Return the notification with what it tells now: of which kind, to whom, and which start."""
    owner = visit.patient_id if held.recipient == PATIENT else visit.provider_id
    return held.but(
        kind=kind,
        recipient_id=held.recipient_id or owner,
        said_starts_at=visit.starts_at,
        said_at=now,
        clinic_id=visit.clinic_id,
    )


def shut(held: Notification, decision: Skip) -> Notification:
    """Return the notification as the shut gate leaves it, with the channels passed over."""
    return skip(replace(held, steps=held.steps + decision.closed) if decision.closed else held, decision.reason)


def skip(held: Notification, reason: Reason) -> Notification:
    """Return the notification that will not be sent any more, for this reason.

    One that was called on some channel has failed if no channel or no time is left; all others are skipped.
    """
    if held.attempts and reason in _LATE:
        return _outcome(held, NotificationState.FAILED, Reason.TOO_LATE)
    if reason in TRIED:
        return _outcome(held, NotificationState.FAILED, reason)
    return _outcome(held, NotificationState.SKIPPED, reason)


def run_out(held: Notification, now: datetime, terms: Terms = ORDINARY) -> Notification:
    """Return the notification after its call ended, or its lease, and nobody knows what became of it."""
    if terms.double_over_miss:
        return close_step(held, Reason.OUTCOME_UNKNOWN, now)
    return _outcome(held, NotificationState.UNKNOWN, Reason.OUTCOME_UNKNOWN)


def undelivered(held: Notification, attempt_id: UUID, now: datetime) -> Notification | None:
    """Return the notification after its carrier reported that it did not arrive, or None if that changes nothing.

    Before its deadline the next channel is tried (design §6); after it the message stays accepted, and undelivered.
    Who has received it has received it, whatever is reported later (G6).
    """
    known = held.delivery_state in {DeliveryState.DELIVERED, DeliveryState.READ}
    if held.attempt_id != attempt_id or held.state is not NotificationState.ACCEPTED or known or held.lane is None:
        return None
    told = replace(held, delivery_state=DeliveryState.UNDELIVERED)
    if held.not_after is not None and now <= held.not_after:
        return close_step(told, Reason.UNDELIVERED, now)
    if held.delivery_state is DeliveryState.UNDELIVERED:
        return None
    return replace(told, version=held.version + 1)


def again(held: Notification, now: datetime) -> Notification:
    """Return the new notification that a person's resend makes of a failed or unknown one (G5).

    It is gated as ever. Sending the same one again twice makes one: its id follows from the old one's.
    """
    ordinal = held.ordinal + 1
    return Notification(
        notification_id=notification_id((held.notification_id, ordinal), held.recipient, held.kind),
        kind=held.kind,
        recipient=held.recipient,
        appointment_id=held.appointment_id,
        schedule_gen=held.schedule_gen,
        reminder_id=held.reminder_id,
        caused_by=str(held.notification_id),
        state=NotificationState.QUEUED,
        lane=held.lane,
        not_after=held.not_after,
        next_attempt_at=now,
        clinic_id=held.clinic_id,
        ordinal=ordinal,
        replaces=held.replaces,
        recipient_id=held.recipient_id,
    )


def _accepted_after_all(held: Notification, now: datetime) -> Notification | None:
    """Return a message whose last call turns out accepted while it waits for the next channel; None if refused."""
    called = [step for step in held.steps if step.reason in TRIED]
    if not called or called[-1].reason is not Reason.OUTCOME_UNKNOWN:
        return None
    taken = replace(held, lane=called[-1].channel)
    return replace(_outcome(taken, NotificationState.ACCEPTED, None), accepted_at=held.accepted_at or now)


def _given_back(held: Notification, now: datetime) -> Notification:
    """Return a claimed message whose call never began: its attempt counts no more, and it is gated again at once."""
    begun, on_channel = held.attempts - 1, held.step_attempts - 1
    return replace(held, state=NotificationState.QUEUED, next_attempt_at=now, attempts=begun, step_attempts=on_channel)


def _try_again(held: Notification, answer: NotAccepted, now: datetime, jitter: float, terms: Terms) -> Notification:
    ends = (held.step_began_at or now) + terms.budget
    last = min(ends, held.not_after or now)
    if terms.is_last and answer.fault in OURS and held.not_after:
        last = held.not_after
    then = retry_at(now, max(held.step_attempts, 1), last, jitter, answer.retry_after)
    if then is None:
        return close_step(held, Reason.NOT_ACCEPTED, now)
    return replace(held, state=NotificationState.QUEUED, next_attempt_at=then)


def _outcome(held: Notification, state: NotificationState, reason: Reason | None) -> Notification:
    return held.but(state=state, reason=reason, version=held.version + 1)
