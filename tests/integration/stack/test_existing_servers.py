"""The system on a broker and a database that run already, as KAFKA_BOOTSTRAP_SERVERS and DATABASE_ADMIN_URL say."""

from pathlib import Path

import pytest

from stack import services
from stack.layout import with_login
from stack.supervisor import System
from tests.support.backends import KafkaServer
from tests.support.databases import ROLE_PASSWORD

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_existing_servers_are_used_and_left_running(
    kafka: KafkaServer, database_url: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in services.PACKAGES:  # roles belong to the server: the other tests' passwords must stay
        url = with_login(database_url, services.role_of(package), ROLE_PASSWORD)
        monkeypatch.setenv(f"{services.prefix_of(package)}DATABASE_URL", url)
    system = System(
        tmp_path / "home",
        ports="free",
        sinks=False,
        topic_prefix=topic_prefix,
        kafka_bootstrap=kafka.bootstrap,
        database_admin_url=database_url,
        run=services.named(["records"]),
    )

    with system:
        states = {part.name: part.state for part in (system.state.parts if system.state else ())}
        assert states == {"kafka": "existing", "postgres": "existing", "records": "ready"}
        assert system.kafka is None
        assert system.postgres is None
        system.kill("records")
        system.wait_ready()
        assert system.restarts("records") == 1

    assert not system.home.is_held
