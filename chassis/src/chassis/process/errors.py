"""What can go wrong. The class alone says what becomes of the message.

```
AttendError
├── RejectedEvent        never acceptable   → dead letter, go on
│   └── UndecodableEvent unreadable for ever
├── Unavailable          acceptable later   → roll back, back off, same record again
└── Misconfigured        start-up only, or a stop that needs a person → exit 78
```

Messages name the thing and the way out, never personal data: they are logged and stored.
"""


class AttendError(Exception):
    """The base of every error of this project.

    Attributes:
        code: UPPER_SNAKE, stable: callers and dashboards go by it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class RejectedEvent(AttendError):
    """An event that no retry will make acceptable.

    Attributes:
        place: Where in it, as a path; None: not said.
        event_id: Which event it is; None: that cannot be read, or is not said.
    """

    def __init__(self, code: str, message: str, place: str | None = None, event_id: str | None = None) -> None:
        super().__init__(code, message)
        self.place = place
        self.event_id = event_id


class UndecodableEvent(RejectedEvent):
    """An event that cannot be read at all."""


class Unavailable(AttendError):
    """Something needed is away for now; the same work may be tried again."""


class Misconfigured(AttendError):
    """The process must not go on until a person mends something; the message says what and how."""

    def __init__(self, message: str) -> None:
        super().__init__("MISCONFIGURED", message)
