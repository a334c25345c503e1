"""Where the demo and the end-to-end tests find a running installation."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("booking", "records", "reminders-worker", "notifier", "reminders-projector", "reminders-api")
"""The processes; each tells its clock, and whether it is idle."""

APIS = ("booking", "records", "reminders-api", "notifier")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running system as a client of it sees it.

    Attributes:
        urls: Base URL of the API of each service in `APIS`, and of the carriers' `sinks`.
        operations_urls: Base URL of the operations of each process in `SERVICES`.
        key: The bearer key of the client `local`, for booking.
    """

    urls: dict[str, str]
    operations_urls: dict[str, str]
    key: str
    operator_key: str
    clock_file: Path


def from_environment(environ: Mapping[str, str] = os.environ) -> Installation | None:
    """Return the installation that the environment names, or None without `ATTEND_BOOKING_URL`.

    Read are `ATTEND_*_URL`, `ATTEND_*_OPERATIONS_URL`, `ATTEND_KEY`, `ATTEND_OPERATOR_KEY` and `ATTEND_CLOCK_FILE`.
    """
    if "ATTEND_BOOKING_URL" not in environ:
        return None

    def named(name: str, kind: str = "") -> str:
        return environ[f"ATTEND_{name.upper().replace('-', '_')}_{kind}URL"].rstrip("/")

    return Installation(
        urls={name: named(name) for name in (*APIS, "sinks")},
        operations_urls={name: named(name, "OPERATIONS_") for name in SERVICES},
        key=environ["ATTEND_KEY"],
        operator_key=environ["ATTEND_OPERATOR_KEY"],
        clock_file=Path(environ["ATTEND_CLOCK_FILE"]),
    )
