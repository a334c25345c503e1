"""Apache Kafka on this machine: one KRaft node in one Java process, on loopback."""

import base64
import os
import signal
import socket
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path

from chassis.process.errors import Misconfigured
from stack import jars
from stack.class_data import ClassData
from stack.java import Java, find_java
from stack.ports import LOOPBACK, free_port
from stack.process import Child, OneProcess, wait_until_up

HEAP = ("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC")  # 356 MB resident, produce to consume p99 6 to 23 ms
QUICK = "-XX:TieredStopAtLevel=1"  # a second less work at the start, less speed under load
START_TIMEOUT_S = 150  # a machine with two busy cores; 1.3 to 5 s when idle

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# One node holds one copy of everything.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# After a kill the broker waits until its former self's session is over: 12 s with Kafka's 9 s.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
# Few internal partitions restart faster: 4.2 s with 608 of them, 12.5 s after kill -9.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
# The cleaner's buffer is 128 MB by default: half of this heap.
log.cleaner.dedupe.buffer.size=16777216
"""

_LOG4J = """\
Configuration:
  name: kafka
  status: warn
  appenders:
    Console:
      name: out
      target: SYSTEM_OUT
      PatternLayout:
        pattern: "%d{ISO8601} %p %c{1} %m%n"
  Loggers:
    Root:
      level: warn
      AppenderRef:
        ref: out
"""


class Kafka(OneProcess):
    """A broker on a folder and a port. Started again on the same folder, it has its records again.

    Attributes:
        folder: Where its files are; remove it and everything is gone.
    """

    _stop_timeout_s = 20

    def __init__(
        self, folder: Path, port: int = 0, *, progress: jars.Progress | None = None, quick: bool = False
    ) -> None:
        """Prepare; nothing is started.

        Args:
            port: The client listener's; 0 means a free one, which is then kept for later starts.
        """
        self.folder = folder.absolute()
        self._class_data = ClassData(self.folder)
        self._compiler = (QUICK,) if quick else ()
        self.port = port or free_port()
        self._progress = progress

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:port`."""
        return f"{LOOPBACK}:{self.port}"

    def is_ready(self) -> bool:
        """Ask the broker something and say whether it answered."""
        return self.running and answers(self.port)

    def start(self) -> None:
        """Start the broker and return when it answers; nothing to do if it runs."""
        if self.running:
            return
        java, class_path = find_java(), _joined(jars.class_path(self._progress))
        self._write_configuration()
        properties = self.folder / "server.properties"
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java, class_path, properties)
        command: list[str | Path] = [
            java.executable,
            *HEAP,
            *self._compiler,
            *self._class_data.options(java, class_path),
            *_QUIET,
        ]
        command += [f"-Dlog4j.configurationFile={self.folder / 'log4j2.yaml'}"]
        self._child = Child([*command, "-cp", class_path, "kafka.Kafka", properties], self.folder / "kafka.log")
        wait_until_up(self._child, lambda: answers(self.port), "Kafka", START_TIMEOUT_S)

    def stop(self) -> None:
        """End it cleanly (about a second), or by force after 20 s; the loaded classes are kept for its next start."""
        super().stop()
        if self._child and self._child.exit_code == _EXIT_AFTER_SIGTERM:
            self._class_data.keep()

    def _write_configuration(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _PROPERTIES.format(port=self.port, controller_port=free_port(), data=self.folder / "data")
        (self.folder / "server.properties").write_text(text, "utf-8")
        (self.folder / "log4j2.yaml").write_text(_LOG4J, "utf-8")

    def _format(self, java: Java, class_path: str, properties: Path) -> None:
        """Give the folder its cluster id, once in its life."""
        cluster_id = cluster_id_of(uuid.uuid4())
        tool: list[str | Path] = [java.executable, QUICK, "-XX:+UseSerialGC", *_QUIET, "-cp", class_path]
        tool += [f"-Dlog4j.configurationFile={self.folder / 'log4j2.yaml'}", "kafka.tools.StorageTool", "format"]
        child = Child([*tool, "--standalone", "-t", cluster_id, "-c", properties], self.folder / "format.log")
        child.wait(START_TIMEOUT_S)
        if child.exit_code != 0:
            raise Misconfigured(f"Kafka's folder {self.folder} cannot be formatted:\n{child.last_words()}")


_EXIT_AFTER_SIGTERM = 128 + signal.SIGTERM  # how Java says that it ended in order
_QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr", "-Djava.awt.headless=true")


def cluster_id_of(random: uuid.UUID) -> str:
    """Return an id for a new cluster; none begins with a dash, which Kafka's tool would take for an option."""
    found = base64.urlsafe_b64encode(random.bytes).decode().rstrip("=")
    return f"A{found[1:]}" if found.startswith("-") else found


def answers(port: int) -> bool:
    """Ask the broker for its API versions, as every client does first, and say whether it answered.

    A starting broker accepts connections before it handles requests; only an answer counts.
    """
    request = struct.pack(">hhih6s", 18, 0, 1, 6, b"attend")  # ApiVersions v0, correlation id 1, client id
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            connection.settimeout(1)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 10 and answer[4:8] == struct.pack(">i", 1) and answer[8:10] == b"\0\0"


def _joined(paths: Sequence[Path]) -> str:
    return os.pathsep.join(str(path) for path in paths)
