"""Where the demo and the end-to-end tests find a running installation."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("booking", "records", "reminders-worker", "notifier", "reminders-projector", "reminders-api")
"""In the direction in which work flows: who is idle in this order, one after the other, has handed nothing on."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A running system as a client of it sees it.

    Attributes:
        urls: Base URL of each process in `SERVICES`, and of the carriers' `sinks`.
        key: The bearer key of the client `local`, for booking.
        operator_key: The operator's, for the others.
        clock_file: The stepped clock that every process reads.
    """

    urls: dict[str, str]
    key: str
    operator_key: str
    clock_file: Path


def from_environment(environ: Mapping[str, str] = os.environ) -> Installation | None:
    """Return the installation that `ATTEND_*_URL` names, or None without `ATTEND_BOOKING_URL`.

    Also read: `ATTEND_KEY`, `ATTEND_OPERATOR_KEY` and `ATTEND_CLOCK_FILE`.
    """
    if "ATTEND_BOOKING_URL" not in environ:
        return None
    return Installation(
        urls={
            name: environ[f"ATTEND_{name.upper().replace('-', '_')}_URL"].rstrip("/") for name in (*SERVICES, "sinks")
        },
        key=environ["ATTEND_KEY"],
        operator_key=environ["ATTEND_OPERATOR_KEY"],
        clock_file=Path(environ["ATTEND_CLOCK_FILE"]),
    )
