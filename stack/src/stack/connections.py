"""Where commands find Kafka, PostgreSQL and the services: the environment names them, else the running installation.

The environment names an installation elsewhere: variables of `docs/operating.md`, *From another machine*.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from chassis.process.errors import AttendError
from chassis.process.settings import FILE, secret_of
from stack import services
from stack.folders import home_folder
from stack.home import Home
from stack.layout import administrator_url, with_login
from stack.postgres import Postgres
from stack.state import PartState, State, read_state


class NothingRuns(AttendError):
    """A command needs a running installation and there is none."""

    def __init__(self, missing: str, variable: str) -> None:
        """Say what is missing and both ways to give it."""
        super().__init__("NOTHING_RUNS", f"{missing}: start everything with `attend up`, or set {variable}")


def variable_of(part: str, kind: str = "") -> str:
    """Return the variable that says where a part answers: `ATTEND_REMINDERS_API_URL`; `kind` may be `OPERATIONS_`."""
    return f"ATTEND_{part.upper().replace('-', '_')}_{kind}URL"


def elsewhere(environment: Mapping[str, str] = os.environ) -> tuple[PartState, ...]:
    """Return the parts whose port of operations the environment names; none: the installation is this machine's."""
    return tuple(
        PartState(one.name, "ready", environment.get(variable_of(one.name), "").rstrip("/"), operations.rstrip("/"))
        for one in services.ALL
        if (operations := environment.get(variable_of(one.name, "OPERATIONS_")))
    )


@dataclass(frozen=True)
class Connections:
    """The way to a running installation, or to the servers that the environment names."""

    home: Home
    state: State | None

    @classmethod
    def here(cls) -> "Connections":
        """Look at ATTEND_HOME (else `.attend`) and at the environment."""
        home = Home(home_folder())
        state = read_state(home.state)
        return cls(home, state if state and state.lives else None)

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            return given
        kafka = self.state.part("kafka") if self.state else None
        if kafka is None:
            raise NothingRuns("no Kafka is known", "KAFKA_BOOTSTRAP_SERVERS")
        return kafka.url

    @property
    def admin_url(self) -> str:
        """The administrator's address of the database."""
        if given := administrator_url():
            return given
        postgres = self.state.part("postgres") if self.state else None
        if postgres is None or postgres.state == "existing":
            raise NothingRuns("no database is known", "DATABASE_ADMIN_URL")
        port = int(postgres.url.partition("/")[0].rpartition(":")[2])
        return Postgres(self.home.postgres, port).url(services.DATABASE)

    @property
    def topic_prefix(self) -> str:
        """What stands in front of each topic."""
        given = os.environ.get("ATTEND_TOPIC_PREFIX")
        return given if given is not None else (self.state.topic_prefix if self.state else "")

    def database_url(self, package: str) -> str:
        """Return the address with the service's own role, as the environment or the installation has it."""
        variable = f"{services.prefix_of(package)}DATABASE_URL"
        if given := secret_of(variable):
            return given
        if self.state is None and not administrator_url():
            raise NothingRuns(
                f"no database of {package} is known", f"{variable}, or {variable}{FILE} to a file with it"
            )
        return with_login(self.admin_url, services.role_of(package), self.home.secrets.passwords[package])

    def environment(self, package: str) -> dict[str, str]:
        """Return the settings for a command of the service."""
        database = f"{services.prefix_of(package)}DATABASE_URL"
        is_elsewhere = bool(secret_of(database))
        common = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "ATTEND_TOPIC_PREFIX": self.topic_prefix,
        }
        common.pop(database + FILE, None)
        if self.state and self.state.clock_file:
            common.setdefault("ATTEND_CLOCK_FILE", self.state.clock_file)
        if package == "notifier" and not is_elsewhere:  # another installation's keys are made with another pepper
            common.setdefault("NOTIFIER_ADDRESS_PEPPER", self.home.secrets.address_pepper)
        return {**common, database: self.database_url(package)}
