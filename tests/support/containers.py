"""Kafka and PostgreSQL as containers of the official images, all bound to loopback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stack.ports import free_port

# Its helper image is no official one, and every container here is stopped by its own block.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")

KAFKA_IMAGE = "apache/kafka:4.4.0"
POSTGRES_IMAGE = "postgres:18"


@contextmanager
def kafka_container() -> Iterator[str]:
    """Run one KRaft node and give its address; the listener is advertised on a host port picked before the start."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    bootstrap = f"127.0.0.1:{free_port()}"
    settings = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "LISTENERS": "HOST://:9094,INNER://:9092,CONTROLLER://localhost:9093",
        "ADVERTISED_LISTENERS": f"HOST://{bootstrap},INNER://localhost:9092",
        "LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "INTER_BROKER_LISTENER_NAME": "INNER",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    container = DockerContainer(KAFKA_IMAGE)
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name}", value)
    container.with_env("KAFKA_HEAP_OPTS", "-Xms256m -Xmx512m")
    _bind(container, 9094, int(bootstrap.rpartition(":")[2]))
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(60))
    with container:
        yield bootstrap


@contextmanager
def postgres_container() -> Iterator[str]:
    """Run one server and give the administrator's address."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    container = DockerContainer(POSTGRES_IMAGE).with_command("postgres -c max_connections=200")
    container.with_env("POSTGRES_PASSWORD", "attend-test")
    _bind(container, 5432, port)
    ready = LogMessageWaitStrategy("database system is ready to accept connections", times=2)  # the first is initdb's
    container.waiting_for(ready.with_startup_timeout(60))
    with container:
        yield f"postgresql://postgres:attend-test@127.0.0.1:{port}/postgres"


def _bind(container: Any, inner: int, outer: int) -> None:
    """Bind a port to loopback; testcontainers' own method binds it to every address."""
    container.ports[inner] = ("127.0.0.1", outer)
