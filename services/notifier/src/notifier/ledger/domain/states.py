"""The states of a notification, and every step between them.

```
            ┌── refused for now, or this channel is closed and the next is to be tried ──┐
            ▼                                                                            │
   ──▶ queued ──── claimed under the gate ───▶ sending ──────────────────────────────────┤
          │                                      │                                       │
          │ the gate says no                     ├─▶ accepted ◀─┐── reported undelivered ┤
          ▼                                      ├─▶ failed  ◀──┤ a late answer          │
       skipped                                   └─▶ unknown ───┘── refused after all ───┘
```

`queued` waits for its instant. `sending` has an attempt row and a lease: the carrier may be called now.
`unknown` may have been accepted and is never sent again by the machine (G5), unless the carrier says that it was not,
or the clinic prefers a possible duplicate to a missed message (D32). `failed` is final but for a receipt of an earlier
call, and so is `skipped`, unless it was for want of somebody who comes in time (D58); `accepted` opens the chain again
only if the carrier reports, in time, that it did not arrive. In-app notices are born `accepted` or `skipped`: no
carrier stands between.
"""

from enum import StrEnum

from schemas.notifications import Outcome


class NotificationState(StrEnum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


STEPS: dict[NotificationState, frozenset[NotificationState]] = {
    NotificationState.QUEUED: frozenset(
        {NotificationState.SENDING, NotificationState.SKIPPED, NotificationState.FAILED, NotificationState.ACCEPTED}
    ),
    NotificationState.SENDING: frozenset(
        {NotificationState.QUEUED, NotificationState.ACCEPTED, NotificationState.FAILED, NotificationState.UNKNOWN}
    ),
    NotificationState.UNKNOWN: frozenset(
        {NotificationState.ACCEPTED, NotificationState.FAILED, NotificationState.QUEUED}
    ),
    NotificationState.ACCEPTED: frozenset({NotificationState.QUEUED}),
    NotificationState.FAILED: frozenset({NotificationState.ACCEPTED}),
    NotificationState.SKIPPED: frozenset({NotificationState.ACCEPTED, NotificationState.QUEUED}),
}
"""From each state, the states that may follow.

`queued` → `failed`: it was tried, and no channel or no time is left. To `accepted` from anywhere: a carrier reports
that it has what an earlier call handed over. `skipped` → `queued`: the patient, contact or provider for want of whom
it could not go has come (D58).
"""


def outcome_of(state: NotificationState) -> Outcome | None:
    """Return what the world is told of this state; None while the machine still works on it."""
    return None if state in {NotificationState.QUEUED, NotificationState.SENDING} else Outcome(state.value)
