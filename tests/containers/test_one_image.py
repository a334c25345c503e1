"""deploy/README.md, *One image*, as it is written: servers of one's own, and at the end an answer.

Replaced are the addresses that the page has one say, and the ports of this machine by free ones.
"""

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.containers import run
from tests.support.examples import ROOT

SECTION = re.compile(r"^## One image\n(.*?)^(?:## |\Z)", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PASSWORD = "a-password-of-the-test"  # noqa: S105


def free_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def bridge() -> str:
    """Return this machine's address as containers that are in no network of their own see it."""
    return run("docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}")


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    """Start a Kafka and a PostgreSQL that no compose file knows, and say where they are."""
    here = bridge()
    kafka, postgres = free_port(here), free_port(here)
    listeners = f"INNER://:9092,OUTER://:{kafka},CONTROLLER://:9093"
    told = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": listeners,
        "KAFKA_ADVERTISED_LISTENERS": f"INNER://localhost:9092,OUTER://{here}:{kafka}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INNER:PLAINTEXT,OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INNER",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xms128m -Xmx384m",
        "CLUSTER_ID": "T25lSW1hZ2VPZk9uZXNPdw",
    }
    started = []
    try:
        given = [part for name, value in told.items() for part in ("-e", f"{name}={value}")]
        started.append(run("docker", "run", "-d", "-p", f"{here}:{kafka}:{kafka}", *given, "apache/kafka:4.4.0"))
        given = ["-e", f"POSTGRES_PASSWORD={PASSWORD}", "-e", "POSTGRES_DB=clinic"]
        started.append(run("docker", "run", "-d", "-p", f"{here}:{postgres}:5432", *given, "postgres:18"))
        answers = "/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:9092"
        run("docker", "exec", started[0], "sh", "-c", f"until {answers} >/dev/null 2>&1; do :; done")
        waiting = "until pg_isready -q -U postgres -d clinic -h 127.0.0.1; do :; done"
        run("docker", "exec", started[1], "sh", "-c", waiting)
        yield {
            "KAFKA_BOOTSTRAP_SERVERS": f"{here}:{kafka}",
            "DATABASE_ADMIN_URL": f"postgresql://postgres:{PASSWORD}@{here}:{postgres}/clinic",
        }
    finally:
        run("docker", "rm", "-f", "-v", "attend-booking", *started, check=False)


def test_one_image_answers_as_the_page_says(servers: dict[str, str], tmp_path: Path) -> None:
    found = SECTION.search((ROOT / "deploy" / "README.md").read_text())
    assert found is not None
    where, commands = FENCE.findall(found[1])
    given = {**servers, "SECRETS": str(tmp_path / "secrets")}
    assert re.findall(r"^export (\w+)=", where, re.MULTILINE) == list(given)
    ports = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in ("8100", "8110")}
    written = re.sub("|".join(map(re.escape, ports)), lambda port: ports[port[0]], commands)
    exports = "\n".join(f"export {name}='{value}'" for name, value in given.items())
    script = f"set -euo pipefail\n{exports}\n{written}"

    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)  # noqa: S603

    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    for told in ("client local is known", '"status":"ready"', '"clinic_id":"EYE"', '"result":"applied"'):
        assert told in done.stdout
    assert run("docker", "exec", "attend-booking", "id", "-u") == "10001"
    assert run("docker", "exec", "attend-booking", "ready") == ""
    env = run("docker", "inspect", "-f", "{{.Config.Env}}", "attend-booking")
    assert [name for name in ("BOOKING_DATABASE_URL=", "DATABASE_ADMIN_URL=", PASSWORD) if name in env] == []
