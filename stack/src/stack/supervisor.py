"""The whole system on one machine: start in order, keep running, stop in order."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from chassis.process.errors import AttendError, Misconfigured
from stack import prepare, services
from stack.accepted import read_accepted
from stack.home import Home
from stack.kafka import Kafka
from stack.keeper import Keeper
from stack.layout import Environments, Ports, lay_out
from stack.leftovers import end_leftovers
from stack.parts import Part, ServiceProcess
from stack.postgres import Postgres
from stack.process import ProcessId
from stack.spawn import Nursery, own_interpreter
from stack.state import PartState, State, StateFile, read_state

READY_TIMEOUT_S = 180  # two busy cores take their time
MOST_FAILURES = 3  # a part that ends three times while everything starts will not come up


class System:
    """One installation. All methods block; from async code call them with `asyncio.to_thread`.

    Attributes:
        urls: By the name of each service that has an API (and `sinks`), where it answers.
        kafka: The broker, None when an existing one is used.
        postgres: The database server, None when an existing one is used.
    """

    def __init__(
        self, home: Path, *, ports: Ports = "default", sinks: bool = True, clock_file: Path | None = None,
        env: Mapping[str, str] | None = None, topic_prefix: str = "", kafka_bootstrap: str | None = None,
        database_admin_url: str | None = None, run: Sequence[services.Service] = services.ALL,
        report: Callable[[PartState], None] | None = None, restart_servers: bool = False,
    ) -> None:  # fmt: skip
        """Prepare; nothing is started and nothing written.

        Args:
            ports: `default` for the fixed ones (next free one if taken), `free` for any.
            database_admin_url: An existing database to use, with an administrator's login.
            restart_servers: Whether Kafka and PostgreSQL are started again when they end; tests do that themselves.
        """
        self.home = Home(home)
        self._services = tuple(run)
        self._layout = lay_out(ports, self._services)
        self._existing = (kafka_bootstrap, database_admin_url)
        own_kafka = Kafka(self.home.kafka, self._layout.kafka, progress=self._downloading, quick=True)
        self.kafka = None if kafka_bootstrap else own_kafka
        self.postgres = None if database_admin_url else Postgres(self.home.postgres, self._layout.postgres)
        self._sinks, self._prefix = sinks, topic_prefix
        self._clock_file = str(clock_file.absolute()) if clock_file else ""
        self._environments = Environments(
            self.home, self._layout, lambda: self.bootstrap, lambda: self.admin_url,
            topic_prefix=topic_prefix, clock_file=clock_file, sinks=sinks, extra=env,
        )  # fmt: skip
        self.urls = {name: self._layout.url(name) for name in [*self._layout.http, *["sinks"] * sinks]}
        self.operations_urls = {name: self._layout.operations_url(name) for name in self._layout.operations}
        self.seconds = 0.0
        self._report = report
        self._restart_servers = restart_servers
        self._keepers: dict[str, Keeper] = {}
        self._state: StateFile | None = None
        self._nursery: Nursery | None = None
        self._downloaded = ""
        self._held = ExitStack()

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.kafka.bootstrap if self.kafka else str(self._existing[0])

    @property
    def admin_url(self) -> str:
        """The administrator's address of the database."""
        return self.postgres.url(services.DATABASE) if self.postgres else str(self._existing[1])

    @property
    def state(self) -> State | None:
        """What is known of each part, None before the start."""
        return self._state.state if self._state else None

    @property
    def key(self) -> str:
        """The key of the API client `local`."""
        return self.home.secrets.key

    @property
    def operator_key(self) -> str:
        """The operator's key."""
        return self.home.secrets.operator_key

    def accepted(self, channel: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        """Return what the sinks accepted, oldest first."""
        return read_accepted(self.home.accepted, channel, to)

    def environment(self, name: str) -> dict[str, str]:
        """Return the settings of a service's process."""
        return self._environments.service(next(s for s in self._services if s.name == name))

    def start(self) -> None:
        """Start everything and return when every service is ready. Leftovers of a killed supervisor are ended first."""
        self._held.enter_context(self.home.held())
        began = time.monotonic()
        if left := read_state(self.home.state):
            end_leftovers(left)
        me = ProcessId.of(psutil.Process().pid)
        begun = State(me, "starting", sinks=self._sinks, topic_prefix=self._prefix, clock_file=self._clock_file)
        self._state = StateFile(self.home.state, begun)
        self._nursery = Nursery(self.home.log_of("nursery"))
        try:
            self._start_servers()
            self._start_services()
            self.wait_ready(READY_TIMEOUT_S, failures=MOST_FAILURES)
        except BaseException as error:
            self.stop(error=str(error) or type(error).__name__)
            raise
        self.seconds = time.monotonic() - began
        self._state.change(phase="ready", seconds=round(self.seconds, 1))

    def _start_servers(self) -> None:
        """Start Kafka, PostgreSQL and the sinks together, and prepare each as soon as it answers."""
        for name, url in (("kafka", self.bootstrap), ("postgres", self._database_for_people())):
            self._tell(PartState(name, "waiting", url))
        with ThreadPoolExecutor(3) as together:
            work: list[Future[None]] = [together.submit(self._kafka_and_topics), together.submit(self._database)]
            if self._sinks:
                work.append(together.submit(self._start_sinks))
        for done in work:
            done.result()

    def _kafka_and_topics(self) -> None:
        if self.kafka:
            self._keep("kafka", self.kafka, self.bootstrap, restart=self._restart_servers)
        else:
            self._tell(PartState("kafka", "existing", self.bootstrap))
        prepare.make_topics(self.bootstrap, self._prefix)

    def _database(self) -> None:
        if self.postgres:
            self._keep("postgres", self.postgres, self._database_for_people(), restart=self._restart_servers)
        else:
            self._tell(PartState("postgres", "existing", self._database_for_people()))
        prepare.in_order(self.admin_url, self._environments.database_url, lambda package: None)

    def _start_sinks(self) -> None:
        self._keep("sinks", self._process("sinks", ["-m", "stack.sinks"], self._environments.sinks()))

    def _start_services(self) -> None:
        """Start all services at once; meanwhile booking is told of the local client."""
        for service in self._services:
            process = self._process(service.name, list(service.arguments), self._environments.service(service))
            self._keep(service.name, process)
        booking = next((service for service in self._services if service.package == "booking"), None)
        if booking:
            marker = (self.home.postgres if self.postgres else self.home.folder) / "local-client"
            prepare.make_local_client(self._environments.service(booking), self.key, marker)

    def wait_ready(self, timeout_s: float = 60, failures: int | None = None) -> None:
        """Wait until every part says that it is ready.

        Args:
            failures: Give up on a part that ended so often; None waits on.

        Raises:
            Misconfigured: One refuses its settings, or is not ready in time; its last words are in the message.
        """
        deadline = time.monotonic() + timeout_s
        while waiting := [keeper for keeper in self._keepers.values() if not keeper.ready]:
            for keeper in waiting:
                often = failures is not None and keeper.failures >= failures
                if keeper.state.state == "refused" or often or time.monotonic() > deadline:
                    why = keeper.state.detail or "no answer"
                    raise Misconfigured(f"{keeper.state.name} is not ready: {why}\n{keeper.part.last_words()}")
            time.sleep(0.05)

    def stop(self, error: str = "") -> None:
        """Stop the services together, then the sinks, PostgreSQL and Kafka, each after the one that needs it."""
        if self._state:
            self._state.change(phase="stopping", error=error)
        servers = [self._keepers.pop(name) for name in ("sinks", "postgres", "kafka") if name in self._keepers]
        running = [self._keepers.pop(name) for name in list(self._keepers)]
        if running:
            with ThreadPoolExecutor(len(running)) as together:
                list(together.map(Keeper.finish, running))
        for keeper in servers:
            keeper.finish()
        if self._nursery:
            self._nursery.close()
            self._nursery = None
        if self._state and not error:
            self.home.state.unlink(missing_ok=True)
        elif self._state:
            self._state.change(phase="failed")
        self._held.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def kill(self, name: str) -> None:
        """End a service's process at once, as kill -9 does; it is started again soon."""
        self._running(name).kill()

    def pause(self, name: str) -> None:
        """Freeze a service's process."""
        self._running(name).pause()

    def resume(self, name: str) -> None:
        """Let a frozen service go on."""
        self._running(name).resume()

    def restarts(self, name: str) -> int:
        """Return how often a part was started again."""
        return self._keepers[name].state.restarts

    def _running(self, name: str) -> ServiceProcess:
        part = self._keepers[name].part
        if not isinstance(part, ServiceProcess):
            raise AttendError("NO_SERVICE", f"{name} is no service: use .kafka and .postgres")
        return part

    def _process(self, name: str, arguments: list[str], env: Mapping[str, str]) -> ServiceProcess:
        return ServiceProcess(
            arguments,
            env,
            self.home.log_of(name),
            self.home.work,
            self._layout.operations_url(name),
            self._nursery.spawn if self._nursery else own_interpreter,
        )

    def _keep(self, name: str, part: Part, url: str = "", *, restart: bool = True) -> None:
        asked = part.url if isinstance(part, ServiceProcess) else ""
        url = url or self._layout.url(name)
        keeper = Keeper(name, part, url, self._tell, restart=restart, operations_url=asked)
        self._keepers[name] = keeper
        keeper.begin()

    def _tell(self, part: PartState) -> None:
        if self._state:
            self._state.put(part)
        if self._report:
            self._report(part)

    def _downloading(self, there: int, jars: int, count: int) -> None:
        megabytes = f"{there} of {jars} jars, {count / 1e6:.1f} of about 43 MB"
        if megabytes != self._downloaded:
            self._downloaded = megabytes
            self._tell(PartState("kafka", "downloading", self.bootstrap, megabytes))

    def _database_for_people(self) -> str:
        return self.admin_url.rpartition("@")[2]
