"""`attend` asks an installation elsewhere by what the environment names; what is missing or wrong is named with it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.process.errors import AttendError, Misconfigured
from stack.__main__ import app
from stack.commands.service_api import Booking, ServiceApi
from stack.connections import Connections, NothingRuns, elsewhere

KEY = "the-operators-key"


class Answers(BaseHTTPRequestHandler):
    """Answers as a service does, as something else does, or with what it was asked."""

    def do_GET(self) -> None:
        """Answer by the path."""
        told, status = {
            "/page": (b"<html>", 200),
            "/refused": (b'{"code": "WRONG_KEY", "detail": "no"}', 401),
            "/gateway": (b"Bad Gateway", 502),
            "/status": (b'{"service": "records", "pid": 7, "state": "ready", "dead_letters": 3}', 200),
        }.get(self.path, (json.dumps({"key": self.headers["authorization"]}).encode(), 200))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def there() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    running = threading.Thread(target=server.serve_forever, args=(0.01,))
    running.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    running.join()


@pytest.fixture(autouse=True)
def nothing_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (
        "ATTEND_BOOKING_URL",
        "ATTEND_OPERATOR_KEY",
        "RECORDS_DATABASE_URL",
        "DATABASE_ADMIN_URL",
        "DATABASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ATTEND_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_address_and_the_key_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", f"{there}/")
    monkeypatch.setenv("ATTEND_OPERATOR_KEY", KEY)
    assert Booking.here().ask("GET", "/v1/x") == {"key": f"Bearer {KEY}"}


def test_the_key_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: str) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("ATTEND_BOOKING_URL", there)
    monkeypatch.setenv("ATTEND_OPERATOR_KEY_FILE", str(tmp_path / "key"))
    assert Booking.here().ask("GET", "/v1/x") == {"key": f"Bearer {KEY}"}


def test_without_a_key_none_is_made_up_and_none_is_sent(
    monkeypatch: pytest.MonkeyPatch, nothing_runs_here: Path, there: str
) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", there)
    with pytest.raises(Misconfigured, match=r"ATTEND_BOOKING_URL is set and ATTEND_OPERATOR_KEY is not: .*_KEY_FILE"):
        Booking.here()
    assert not nothing_runs_here.exists()


def test_nothing_here_and_nothing_named_says_both_ways() -> None:
    with pytest.raises(NothingRuns, match="`attend up`, or set ATTEND_NOTIFIER_URL and ATTEND_OPERATOR_KEY"):
        ServiceApi.at("notifier")


@pytest.mark.parametrize("url", ["booking.example", "booking.example:8100", "127.0.0.1:8100", "ftp://booking.example"])
def test_what_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", url)
    monkeypatch.setenv("ATTEND_OPERATOR_KEY", KEY)
    with pytest.raises(Misconfigured, match="ATTEND_BOOKING_URL: http://HOST:PORT or https://HOST is needed"):
        Booking.here()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid:8100"])
def test_who_does_not_answer_is_named_with_what_was_tried(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", url)
    monkeypatch.setenv("ATTEND_OPERATOR_KEY", KEY)
    with pytest.raises(AttendError) as told:
        Booking.here().ask("GET", "/v1/x")
    assert told.value.message.startswith(f"booking at {url} does not answer (")
    assert told.value.message.endswith("): ATTEND_BOOKING_URL names it")
    assert KEY not in told.value.message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/page", "answers 200, but not as booking does: is ATTEND_BOOKING_URL the address of its API?"),
        ("/gateway", "answers 502, but not as booking does: is ATTEND_BOOKING_URL the address of its API?"),
        ("/refused", "WRONG_KEY: no; ATTEND_OPERATOR_KEY holds another key"),
    ],
)
def test_an_answer_of_another_kind_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, there: str, path: str, message: str
) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", there)
    monkeypatch.setenv("ATTEND_OPERATOR_KEY", KEY)
    with pytest.raises(AttendError) as told:
        Booking.here().ask("GET", path)
    assert message in told.value.message


def test_status_asks_the_parts_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    monkeypatch.setenv("ATTEND_RECORDS_OPERATIONS_URL", there)
    monkeypatch.setenv("ATTEND_REMINDERS_API_OPERATIONS_URL", "http://127.0.0.1:1")
    told = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert told["phase"] == "elsewhere"
    found = {row["part"]: (row["state"], row["dead_letters"]) for row in told["parts"]}
    assert found == {"records": ("ready", 3), "reminders-api": ("silent", None)}


def test_a_part_is_named_by_its_own_variable() -> None:
    named = {"ATTEND_REMINDERS_WORKER_OPERATIONS_URL": "http://w:8081/", "ATTEND_BOOKING_URL": "http://b"}
    assert [(one.name, one.operations_url) for one in elsewhere(named)] == [("reminders-worker", "http://w:8081")]


def test_a_command_of_a_service_takes_its_database_from_a_file_and_no_pepper_of_ours(
    monkeypatch: pytest.MonkeyPatch, nothing_runs_here: Path, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("postgresql://a:b@there/c\n")
    monkeypatch.setenv("NOTIFIER_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "there:9092")
    environment = Connections.here().environment("notifier")
    assert environment["NOTIFIER_DATABASE_URL"] == "postgresql://a:b@there/c"
    assert {"NOTIFIER_DATABASE_URL_FILE", "NOTIFIER_ADDRESS_PEPPER"}.isdisjoint(environment)
    assert not nothing_runs_here.exists()


def test_a_database_that_nobody_names_is_asked_for_by_its_services_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "there:9092")
    with pytest.raises(NothingRuns, match="set RECORDS_DATABASE_URL, or RECORDS_DATABASE_URL_FILE"):
        Connections.here().environment("records")


def test_the_help_names_the_variables() -> None:
    told = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    for name in ("ATTEND_<SERVICE>_URL", "ATTEND_OPERATOR_KEY", "_OPERATIONS_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        assert name in told


def test_a_file_is_handed_on_with_the_address_and_the_clients_key(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ATTEND_BOOKING_URL", there)
    monkeypatch.setenv("ATTEND_CLIENT_KEY", "a client's key")
    (tmp_path / "feed.json").write_text("[]")
    handed = CliRunner().invoke(app, ["import", str(tmp_path / "feed.json")])

    assert handed.exit_code == 2
    assert "NDJSON" in capfd.readouterr().err


def test_a_file_is_not_sent_where_nobody_says_where_to(tmp_path: Path) -> None:
    asked = CliRunner().invoke(app, ["import", str(tmp_path / "feed.json")])

    assert isinstance(asked.exception, NothingRuns)
