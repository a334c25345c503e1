"""The states of a notification, and every step between them.

```
            ┌────────── temporary refusal, backoff ──────────┐
            ▼                                                │
   ──▶ queued ──── claimed under the gate ───▶ sending ──────┤
          │                                      │           │
          │ the gate says no                     ├─▶ accepted ◀─┐
          ▼                                      ├─▶ failed  ◀──┤ a late answer
       skipped                                   └─▶ unknown ───┘ settles it
```

`queued` waits for its instant. `sending` has an attempt row and a lease: the carrier may be called now.
`unknown` may have been accepted and is never sent again by the machine (G5). `accepted`, `failed` and
`skipped` are final. In-app notices are born `accepted` or `skipped`: no carrier stands between.
"""

from enum import StrEnum

from schemas.notifications import Outcome


class State(StrEnum):
    """Where a notification stands."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


STEPS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENDING, State.SKIPPED, State.FAILED}),
    State.SENDING: frozenset({State.QUEUED, State.ACCEPTED, State.FAILED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.FAILED}),
    State.ACCEPTED: frozenset(),
    State.FAILED: frozenset(),
    State.SKIPPED: frozenset(),
}
"""From each state, the states that may follow. `queued` → `failed`: it was tried, and its deadline passed."""


def outcome_of(state: State) -> Outcome | None:
    """Return what the world is told of this state; None while the machine still works on it."""
    return None if state in {State.QUEUED, State.SENDING} else Outcome(state.value)
