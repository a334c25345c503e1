import socket
from dataclasses import replace
from pathlib import Path

import pytest

from stack import services
from stack.home import Home
from stack.layout import Environments, lay_out, with_login
from stack.ports import LOOPBACK, free_port, is_free


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    for name in ("DATABASE_ADMIN_URL", "NOTIFIER_SENDING_MODE", "BOOKING_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:secret@127.0.0.1/attend")
    layout = lay_out("free", services.ALL)
    admin_url = "postgresql://postgres:secret@127.0.0.1:5432/attend"
    return Environments(Home(tmp_path), layout, lambda: "127.0.0.1:9092", lambda: admin_url)


def service(name: str) -> services.Service:
    return next(service for service in services.ALL if service.name == name)


def test_no_two_parts_share_a_port() -> None:
    layout = lay_out("free", services.ALL)

    ports = [layout.kafka, layout.postgres, layout.smtp, layout.carrier, *layout.http.values()]
    ports += layout.operations.values()
    assert len(set(ports)) == len(ports) == 4 + 5 + len(services.ALL)


def test_a_port_in_use_moves_its_own_part_and_no_other() -> None:
    with socket.socket() as other:
        base = next(port for port in iter(free_port, None) if is_free(port + 1) and is_free(port + 2))
        other.bind((LOOPBACK, base))
        other.listen()
        run = [replace(service("booking"), port=base), replace(service("records"), port=base + 1)]

        layout = lay_out("default", run)

    assert layout.http["records"] == base + 1
    assert layout.http["booking"] not in (base, base + 1)


def test_every_process_is_asked_how_it_is_at_a_port_of_its_own(environments: Environments) -> None:
    told = {each: environments.service(each) for each in services.ALL}

    assert len({env[f"{each.package.upper()}_OPERATIONS_PORT"] for each, env in told.items()}) == len(services.ALL)
    without_api = {each.name for each, env in told.items() if f"{each.package.upper()}_HTTP_PORT" not in env}
    assert without_api == {"reminders-worker", "reminders-projector", "booking-mllp"}


def test_a_service_never_sees_the_administrators_login(environments: Environments) -> None:
    for each in services.ALL:
        assert not any("secret" in value for value in environments.service(each).values())


def test_a_secret_in_a_file_of_the_environment_is_never_told_beside_this_machines(
    environments: Environments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text("postgresql://a:b@there/c\n")
    elsewhere = ("DATABASE_ADMIN_URL", "ATTEND_OPERATOR_KEY_SHA256", "REMINDERS_BOOKING_KEY", "NOTIFIER_ADDRESS_PEPPER")
    for name in elsewhere:
        monkeypatch.setenv(f"{name}_FILE", "/there")
    monkeypatch.setenv("RECORDS_DATABASE_URL_FILE", str(tmp_path / "url"))

    told = {name: environments.service(service(name)) for name in ("records", "reminders-worker", "notifier")}

    twice = {(name, one) for name, given in told.items() for one in given if f"{one}_FILE" in given}
    assert twice == set()
    assert "DATABASE_ADMIN_URL_FILE" not in told["records"]
    assert told["records"]["RECORDS_DATABASE_URL"] == "postgresql://a:b@there/c"
    assert told["notifier"]["NOTIFIER_ADDRESS_PEPPER_FILE"] == "/there"  # the pepper is whoever's gives one


def test_a_service_gets_its_own_role_and_no_other_services_password(environments: Environments) -> None:
    env = environments.service(service("booking"))

    assert env["BOOKING_DATABASE_URL"].startswith("postgresql://attend_booking:")
    assert not any(name.endswith("_DATABASE_URL") and name != "BOOKING_DATABASE_URL" for name in env)


def test_only_who_asks_another_service_gets_the_key_the_others_its_hash(
    environments: Environments, tmp_path: Path
) -> None:
    secrets = Home(tmp_path).secrets

    for each in services.ALL:
        env = environments.service(each)
        assert env["ATTEND_OPERATOR_KEY_SHA256"] == secrets.operator_key_sha256
        assert (secrets.operator_key in env.values()) == (each.name in {"reminders-worker", "notifier"})
        assert secrets.key not in env.values()


def test_every_part_is_told_of_which_installation_it_is(environments: Environments, tmp_path: Path) -> None:
    other = Environments(Home(tmp_path / "other"), lay_out("free", services.ALL), lambda: "", lambda: "")

    ours, theirs = (made.common()["ATTEND_INSTALLATION"] for made in (environments, other))

    assert {environments.service(each)["ATTEND_INSTALLATION"] for each in services.ALL} == {ours}
    assert ours != theirs


@pytest.mark.parametrize(
    ("secret", "variable"),
    [("address_pepper", "NOTIFIER_ADDRESS_PEPPER"), ("unsubscribe_secret", "NOTIFIER_UNSUBSCRIBE_SECRET")],
)
def test_the_notifier_alone_gets_the_secrets_of_addresses(
    environments: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, variable: str
) -> None:
    ours = getattr(Home(tmp_path).secrets, secret)

    for each in services.ALL:
        assert (environments.service(each).get(variable) == ours) == (each.name == "notifier")
        assert (ours in environments.service(each).values()) == (each.name == "notifier")
    monkeypatch.setenv(variable, "whoever's gives one")
    assert environments.service(service("notifier"))[variable] == "whoever's gives one"


def test_a_mail_to_the_local_sinks_carries_a_link_that_opens_on_this_machine(environments: Environments) -> None:
    told = environments.service(service("notifier"))

    assert told["NOTIFIER_CALLBACK_BASE_URL"] == f"http://{LOOPBACK}:{told['NOTIFIER_HTTP_PORT']}"
    assert told["NOTIFIER_UNSUBSCRIBE_SECRET"]


def test_the_worker_is_told_where_booking_answers_if_that_runs_here(environments: Environments, tmp_path: Path) -> None:
    alone = Environments(
        Home(tmp_path), lay_out("free", [service("reminders-worker")]), lambda: "k", lambda: "postgresql://h/d"
    )

    assert environments.service(service("reminders-worker"))["REMINDERS_BOOKING_URL"].startswith("http://127.0.0.1:")
    assert "REMINDERS_BOOKING_URL" not in alone.service(service("reminders-worker"))


@pytest.mark.parametrize(
    ("part", "variable"), [("records", "RECORDS_BOOKING_URL"), ("reminders-api", "REMINDERS_BOOKING_URL")]
)
def test_who_shows_clients_what_is_theirs_is_told_where_booking_answers(
    environments: Environments, tmp_path: Path, part: str, variable: str
) -> None:
    alone = Environments(Home(tmp_path), lay_out("free", [service(part)]), lambda: "k", lambda: "postgresql://h/d")

    assert environments.service(service(part))[variable].startswith("http://127.0.0.1:")
    assert variable not in alone.service(service(part))
    assert "REMINDERS_BOOKING_KEY" not in environments.service(service("reminders-api"))


def test_b1_the_notifier_is_told_where_the_parts_of_a_timeline_answer(
    environments: Environments, tmp_path: Path
) -> None:
    alone = Environments(
        Home(tmp_path), lay_out("free", [service("notifier")]), lambda: "k", lambda: "postgresql://h/d"
    )

    told = environments.service(service("notifier"))

    assert all(told[f"NOTIFIER_{part}_URL"].startswith("http://") for part in ("BOOKING", "RECORDS", "REMINDERS"))
    assert not any(name.endswith("_URL") and "BOOKING" in name for name in alone.service(service("notifier")))
    assert "NOTIFIER_READ_KEY" not in alone.service(service("notifier"))


def test_mode_live_is_set_only_together_with_the_local_sinks(environments: Environments, tmp_path: Path) -> None:
    with_sinks = environments.service(service("notifier"))
    without = Environments(
        Home(tmp_path), lay_out("free", services.ALL), lambda: "k", lambda: "postgresql://h/d", sinks=False
    ).service(service("notifier"))

    assert with_sinks["NOTIFIER_SENDING_MODE"] == "live"
    assert with_sinks["NOTIFIER_SMTP_HOST"] == "127.0.0.1"
    assert all(with_sinks[f"NOTIFIER_{name}_BASE_URL"].startswith("http://127.0.0.1:") for name in ("TWILIO", "META"))
    assert "NOTIFIER_SENDING_MODE" not in without


def test_a_password_with_special_characters_stays_one_password() -> None:
    url = with_login("postgresql://postgres:x@127.0.0.1:5432/attend", "attend_records", "a/b@c:d")

    assert url == "postgresql://attend_records:a%2Fb%40c%3Ad@127.0.0.1:5432/attend"
