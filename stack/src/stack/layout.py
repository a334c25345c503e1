"""Which part listens where, and with what settings each process runs."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

from chassis.process.settings import FILE, secret_of
from stack import services
from stack.home import Home
from stack.ports import LOOPBACK, free_port, next_free

Ports = Literal["default", "free"]

SINKS_TOKEN = "the-sink-takes-any"  # noqa: S105  # of the sinks' account, on this machine
"""The sinks take any; they sign with this one what they send back."""

_LOGINS = ("DATABASE_ADMIN_URL", "DATABASE_URL", f"DATABASE_ADMIN_URL{FILE}", f"DATABASE_URL{FILE}")
"""Variables that end so are not handed on: a service gets its own login and works with the least rights."""


INBOUND_CLIENTS = '{"bookings-inbound": "local"}'
CLEARANCE_CLIENTS = '{"clearances-inbound": "local"}'
MLLP_CLIENT = "local"
"""Whose what comes in is, by topics and over MLLP, unless the environment says otherwise: the only client's here."""


@dataclass(frozen=True)
class Layout:
    """The ports of one run, all of 127.0.0.1.

    Attributes:
        http: By the name of each service at which others bring or ask something, over HTTP or MLLP.
    """

    kafka: int
    postgres: int
    smtp: int
    carrier: int
    http: dict[str, int]
    operations: dict[str, int]

    def url(self, name: str) -> str:
        """Return where the API of a service, or `sinks`, answers; empty where it has none."""
        port = self.carrier if name == "sinks" else self.http.get(name)
        protocol = next((one.protocol for one in services.ALL if one.name == name), "http")
        return f"{protocol}://{LOOPBACK}:{port}" if port else ""

    def operations_url(self, name: str) -> str:
        """Return where a service, or `sinks`, is asked how it is."""
        return f"http://{LOOPBACK}:{self.carrier if name == 'sinks' else self.operations[name]}"


def lay_out(ports: Ports, run: Iterable[services.Service]) -> Layout:
    """Choose the ports: the fixed ones, or any free ones. For a fixed one in use the next is taken that is nobody's."""
    run = tuple(run)
    taken = services.fixed_ports(run)

    def pick(default: int) -> int:
        port = next_free(default, taken - {default}) if ports == "default" else free_port(taken)
        taken.add(port)
        return port

    return Layout(
        kafka=pick(services.KAFKA_PORT),
        postgres=pick(services.POSTGRES_PORT),
        smtp=pick(services.SMTP_PORT),
        carrier=pick(services.CARRIER_PORT),
        http={service.name: pick(service.port) for service in run if service.port},
        operations={service.name: pick(service.operations_port) for service in run},
    )


def administrator_url() -> str | None:
    """Return the address of an existing database: DATABASE_ADMIN_URL, or its short name DATABASE_URL, or a file's."""
    return secret_of("DATABASE_ADMIN_URL") or secret_of("DATABASE_URL") or None


def with_login(url: str, user: str, password: str) -> str:
    """Return the database address with another login."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{server}"))


def _is_twice(name: str, told: Mapping[str, str]) -> bool:
    """Say whether a variable names a file with what is told beside it, as one of another installation does."""
    return name.endswith(FILE) and name.removesuffix(FILE) in told


class Environments:
    """Makes the settings of each process."""

    def __init__(
        self, home: Home, layout: Layout, bootstrap: Callable[[], str], admin_url: Callable[[], str],
        *, topic_prefix: str = "", clock_file: Path | None = None, sinks: bool = True,
        extra: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Hold what they are made from."""
        self._home = home
        self._layout = layout
        self._bootstrap = bootstrap
        self._admin_url = admin_url
        self._topic_prefix = topic_prefix
        self._clock_file = clock_file
        self._sinks = sinks
        self._extra = dict(extra or {})

    def common(self) -> dict[str, str]:
        """Return what every process is given, on top of this process's own environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.endswith(_LOGINS)}
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": self._bootstrap(),
            "ATTEND_TOPIC_PREFIX": self._topic_prefix,
            "ATTEND_OPERATOR_KEY_SHA256": self._home.secrets.operator_key_sha256,
            "ATTEND_INSTALLATION": hashlib.sha256(str(self._home.folder).encode()).hexdigest()[:12],
            "PYTHONUNBUFFERED": "1",
        }
        if self._clock_file:
            own["ATTEND_CLOCK_FILE"] = str(self._clock_file.absolute())
        return {**inherited, **own}

    def service(self, service: services.Service) -> dict[str, str]:
        """Return the settings of one service's process."""
        url = self.database_url(service.package)
        ports = self._layout.http.get(service.name), self._layout.operations[service.name]
        made = services.settings_for(service, url, *ports, self.common())
        if service.package == "booking":
            clients = {"BOOKING_INBOUND_CLIENTS": INBOUND_CLIENTS, "BOOKING_CLEARANCE_CLIENTS": CLEARANCE_CLIENTS}
            made = {**clients, "BOOKING_MLLP_CLIENT": MLLP_CLIENT, **made}
        if service.package == "notifier":
            made |= self._others() | (self._carriers() if self._sinks else {})
            for name, secret in self._addresses().items():
                if f"{name}{FILE}" not in made:
                    made.setdefault(name, secret)
        if service.name in {"records", "reminders-api"} and "booking" in self._layout.http:  # it knows what clients see
            made[f"{services.prefix_of(service.package)}BOOKING_URL"] = self._layout.url("booking")
        if service.name == "reminders-worker":
            made["REMINDERS_SLOT"] = "1"  # the only worker here: started again, it takes its partitions up at once
        if service.name == "reminders-worker" and "booking" in self._layout.http:  # it compares its timers with booking
            made |= {
                "REMINDERS_BOOKING_URL": self._layout.url("booking"),
                "REMINDERS_BOOKING_KEY": self._home.secrets.operator_key,
            }
        told = {**made, **self._extra}
        return {name: value for name, value in told.items() if not _is_twice(name, told)}

    def _addresses(self) -> dict[str, str]:
        """Return the secrets by which addresses are kept, and by which a mail's link stops what goes to one."""
        ours = self._home.secrets
        return {"NOTIFIER_ADDRESS_PEPPER": ours.address_pepper, "NOTIFIER_UNSUBSCRIBE_SECRET": ours.unsubscribe_secret}

    def _others(self) -> dict[str, str]:
        """Tell the notifier where the parts answer that it asks for a visit's timeline, and with which key."""
        asked = {"BOOKING": "booking", "RECORDS": "records", "REMINDERS": "reminders-api"}
        here = {
            f"NOTIFIER_{name}_URL": self._layout.url(part) for name, part in asked.items() if part in self._layout.http
        }
        return here | ({"NOTIFIER_READ_KEY": self._home.secrets.operator_key} if here else {})

    def database_url(self, package: str) -> str:
        """Return the address with the service's own role, or the one that the environment gives."""
        given = secret_of(f"{services.prefix_of(package)}DATABASE_URL")
        password = self._home.secrets.passwords[package]
        return given or with_login(self._admin_url(), services.role_of(package), password)

    def sinks(self) -> dict[str, str]:
        """Return the settings of the local sinks."""
        own = {
            "SINKS_SMTP_PORT": str(self._layout.smtp),
            "SINKS_HTTP_PORT": str(self._layout.carrier),
            "SINKS_LOG": str(self._home.accepted),
        }
        if "notifier" in self._layout.http:
            own |= {"SINKS_CALLBACK_URL": self._layout.url("notifier"), "SINKS_TWILIO_AUTH_TOKEN": SINKS_TOKEN}
        return {**self.common(), **own}

    def _carriers(self) -> dict[str, str]:
        """Point the notifier at the sinks. It sends in mode live, and may, since nothing there leaves this machine."""
        carrier = self._layout.url("sinks")
        return {
            "NOTIFIER_SENDING_MODE": "live",
            "NOTIFIER_CALLBACK_BASE_URL": self._layout.url("notifier"),
            "NOTIFIER_SMTP_HOST": LOOPBACK,
            "NOTIFIER_SMTP_PORT": str(self._layout.smtp),
            "NOTIFIER_MAIL_FROM": "noreply@attend.example",
            "NOTIFIER_TWILIO_BASE_URL": carrier,
            "NOTIFIER_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
            "NOTIFIER_TWILIO_AUTH_TOKEN": SINKS_TOKEN,
            "NOTIFIER_TWILIO_FROM": "+15005550006",
            "NOTIFIER_META_BASE_URL": carrier,
            "NOTIFIER_META_PHONE_NUMBER_ID": "100000000000000",
            "NOTIFIER_META_ACCESS_TOKEN": "the-sink-takes-any",
        }


def python(*arguments: str) -> list[str]:
    """Return a command that runs this environment's Python."""
    return [sys.executable, *arguments]
