"""What the installation runs: each process, its command, its settings' prefix and its ports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from chassis.process.errors import AttendError

KAFKA_PORT = 19092
POSTGRES_PORT = 15432
SMTP_PORT = 8125
CARRIER_PORT = 8126
DATABASE = "attend"


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the installation.

    Attributes:
        name: What `attend status` and `attend logs` call it.
        package: The Python package that is run with `python -m`; also schema and role are named after it.
        port: The default port at which others bring or ask something; None where it has none.
        protocol: What is spoken at that port: `http`, an API, or `mllp`, messages of HL7 v2.
    """

    name: str
    package: str
    role: str
    port: int | None
    operations_port: int
    protocol: Literal["http", "mllp"] = "http"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments for the Python interpreter."""
        return ("-m", self.package, self.role)


ALL = (
    Service("booking", "booking", "run", 8100, 8110),
    Service("booking-mllp", "booking", "mllp", 2575, 8116, "mllp"),
    Service("records", "records", "run", 8101, 8111),
    Service("reminders-worker", "reminders", "worker", None, 8114),
    Service("reminders-projector", "reminders", "projector", None, 8115),
    Service("reminders-api", "reminders", "api", 8102, 8112),
    Service("notifier", "notifier", "run", 8103, 8113),
)
PACKAGES = ("booking", "records", "reminders", "notifier")
"""The services, in the order in which they are migrated: later ones may use what earlier ones made."""


def named(names: Iterable[str]) -> tuple[Service, ...]:
    """Return the services of these names, all of them if there are none."""
    known = {service.name: service for service in ALL}
    chosen = list(names) or list(known)
    if unknown := [name for name in chosen if name not in known]:
        raise AttendError("NO_SERVICE", f"no service {unknown[0]!r}: one of {', '.join(known)}")
    return tuple(known[name] for name in chosen)


def fixed_ports(run: Iterable[Service]) -> set[int]:
    """Return the ports that an installation with these services listens on where all of them are free."""
    own = {port for service in run for port in (service.port, service.operations_port) if port}
    return own | {KAFKA_PORT, POSTGRES_PORT, SMTP_PORT, CARRIER_PORT}


def prefix_of(package: str) -> str:
    """Return the prefix of the service's own settings, `RECORDS_` for records."""
    return f"{package.upper()}_"


def role_of(package: str) -> str:
    """Return the database role of the service."""
    return f"attend_{package}"


def place_of(package: str) -> Path | None:
    """Return the folder of an installed service's package without importing it, None if it is not installed."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def has_migrations(package: str) -> bool:
    """Say whether the installed service has a schema of its own."""
    place = place_of(package)
    return place is not None and any((place / "migrations").glob("*.sql"))


def settings_for(
    service: Service, database_url: str, port: int | None, operations_port: int, common: Mapping[str, str]
) -> dict[str, str]:
    """Return a process's settings as environment variables: those of the installation and its own."""
    prefix = prefix_of(service.package)
    own = {f"{prefix}DATABASE_URL": database_url, f"{prefix}OPERATIONS_PORT": str(operations_port)}
    if port is not None:
        own[f"{prefix}{service.protocol.upper()}_PORT"] = str(port)
    return {**common, **own}
