"""What waits for a person: messages that failed, that may have arrived, or that found nobody to write to (B12).

| state | what a person may do |
|---|---|
| failed; skipped for want of patient or contact | send it again (while the visit is ahead); take it off the list |
| a notice to a provider whom nobody registered | take it off the list |
| unknown | say whether it arrived; send it again (while the visit is ahead); take it off the list |

A message sent again is a new one, gated as ever (G5). One taken off the list while *unknown* has failed, as DROPPED;
one that had failed already keeps its reason. What did not arrive goes on to the next channel of its chain.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from notifier.ledger.domain.notification import Accepted, Notification
from notifier.ledger.domain.settlement import close_step, settle
from notifier.ledger.domain.states import NotificationState
from notifier.values.kinds import KINDS, PATIENT
from schemas.notifications import Kind
from schemas.reminders import Reason


class Act(StrEnum):
    """What a person does with a message on the list."""

    RESEND = "resend"
    DROP = "drop"
    SETTLE = "settle"


BY_A_PERSON = "BY_A_PERSON"
"""Code and reference of an attempt whose outcome a person found out."""


def is_listed(held: Notification) -> bool:
    """Say whether a message in this state waits for a person."""
    if held.recipient != PATIENT:
        nobody = held.recipient_id is not None and held.reason is Reason.UNKNOWN_PROVIDER
        return nobody and held.state is NotificationState.SKIPPED
    wants = held.state is NotificationState.SKIPPED and held.reason in {Reason.NO_CONTACT, Reason.UNKNOWN_PATIENT}
    return wants or held.state in {NotificationState.FAILED, NotificationState.UNKNOWN}


def acts(kind: Kind, state: NotificationState, starts_at: datetime | None, now: datetime) -> tuple[Act, ...]:
    """Return what a person may do with a listed message; a notice to a provider leaves by itself once he is known.

    Args:
        starts_at: Start of the visit as the notifier knows it; None if not known.
    """
    ahead = starts_at is not None and starts_at > now
    resend = (Act.RESEND,) if ahead and KINDS[kind].recipient == PATIENT else ()
    return ((Act.SETTLE,) if state is NotificationState.UNKNOWN else ()) + resend + (Act.DROP,)


def dropped(held: Notification) -> Notification | None:
    """Return the message after a person took it off the list; None if that leaves it as it is."""
    if held.state is not NotificationState.UNKNOWN:
        return None
    return replace(held, state=NotificationState.FAILED, reason=Reason.DROPPED, version=held.version + 1)


def found_out(held: Notification, now: datetime, *, arrived: bool) -> Notification | None:
    """Return an unknown message after a person found out what became of it; None if it is not unknown."""
    if held.state is not NotificationState.UNKNOWN or held.attempt_id is None:
        return None
    if arrived:
        return settle(held, held.attempt_id, Accepted(BY_A_PERSON), now, 0)
    return close_step(held, Reason.UNDELIVERED, now)
