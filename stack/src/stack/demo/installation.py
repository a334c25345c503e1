"""Where the demo and the end-to-end tests find a running installation."""

from dataclasses import dataclass
from pathlib import Path

SERVICES = ("booking", "records", "reminders-worker", "notifier", "reminders-projector", "reminders-api")
"""The processes; each tells its clock, and whether it is idle."""

APIS = ("booking", "records", "reminders-api", "notifier")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running system as a client of it sees it."""

    urls: dict[str, str]
    operations_urls: dict[str, str]
    key: str
    operator_key: str
    clock_file: Path
