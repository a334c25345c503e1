"""What is published with the containers opens nobody else's: keys are files of one's own, and nothing stands in."""

import os
import re
import stat
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from chassis.process.settings import INSTALLATION, PLACES
from notifier.settings import Settings
from stack.services import ALL
from tests.contract.test_docs import PAGES, name
from tests.support.examples import ROOT

HASH = "ATTEND_OPERATOR_KEY_SHA256"
COMPOSE = (ROOT / "docker-compose.yml").read_text()


def made(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Make a folder of secrets as the page says."""
    command = ["bash", str(ROOT / "deploy" / "secrets.sh"), str(folder)]
    here = {"PATH": os.environ["PATH"]} | given
    return subprocess.run(command, env=here, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def test_the_operators_key_has_no_default_and_its_hash_is_a_file_of_the_same_folder() -> None:
    assert re.findall(rf"{HASH}[^\n]*:-[0-9a-f]", COMPOSE) == []
    assert not re.search(r"\b[0-9a-f]{64}\b", COMPOSE)
    assert f'{HASH}: {{file: "${{ATTEND_SECRETS:-./deploy/secrets}}/{HASH}"}}' in COMPOSE


def test_every_service_is_given_the_hash() -> None:
    services = re.findall(r"^  (\S+):\n    <<: \*service\n(.*?)(?=^  \S|^\S)", COMPOSE, re.MULTILINE | re.DOTALL)
    assert len(services) == 7
    assert [name for name, body in services if f"_DATABASE_URL, {HASH}" not in body] == []


def test_every_setting_of_the_notifier_reaches_its_container() -> None:
    own = [field for field in Settings.model_fields if field not in INSTALLATION | PLACES]
    named = [f"NOTIFIER_{field.upper()}" for field in own]
    assert "NOTIFIER_KEEP_DEAD_LETTERS_DAYS" in named  # of those that all services share
    assert [name for name in named if not re.search(rf"\b{name}\b", COMPOSE)] == []


def test_a_service_publishes_no_port_so_that_it_may_be_scaled_and_the_front_leads_to_each() -> None:
    services = re.findall(r"^  (\S+):\n    <<: \*service\n(.*?)(?=^  \S|^\S)", COMPOSE, re.MULTILINE | re.DOTALL)
    assert [name for name, body in services if "ports:" in body] == []
    ways = re.findall(r"^      - (\d+)=([\w-]+):(\d+)$", COMPOSE, re.MULTILINE)
    usual = {(one.name, "8081"): one.operations_port for one in ALL}
    usual |= {(one.name, {"http": "8080", "mllp": "2575"}[one.protocol]): one.port for one in ALL if one.port}
    assert {(name, port) for _, name, port in ways} == usual.keys()
    assert [way for way in ways if int(way[0]) != usual[way[1], way[2]]] == []
    published = re.findall(r'^      - "127\.0\.0\.1:\$\{\w+:-(\d+)\}:(\d+)"$', COMPOSE, re.MULTILINE)
    assert published == [(here, here) for here, _, _ in ways]


def test_an_image_listens_where_it_is_reached_and_is_judged_by_its_port_of_operations() -> None:
    image = dict(re.findall(r"(ATTEND_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))
    assert image == dict(zip(PLACES.values(), ("0.0.0.0", "8080", "0.0.0.0", "8081"), strict=True))  # noqa: S104
    assert not re.search(r"^ +(?!SINKS)[A-Z]+_(HTTP|OPERATIONS)_(HOST|PORT):", COMPOSE, re.MULTILINE)
    assert "EXPOSE 8080 8081" in (ROOT / "Dockerfile").read_text()
    assert "healthcheck: {test: [CMD, ready]," in COMPOSE
    assert "${1:-${ATTEND_OPERATIONS_PORT:-8081}}" in (ROOT / "deploy" / "ready.sh").read_text()


def test_every_port_that_a_page_publishes_is_loopbacks() -> None:
    found = {
        (name(page), given)
        for page in PAGES
        for given in re.findall(r"docker run[^`]*?-p[ =](\S+)", page.read_text(), re.DOTALL)
    }
    assert found
    assert {one for one in found if not one[1].startswith("127.0.0.1:")} == set()


@pytest.mark.parametrize("ours", [True, False])
def test_the_operators_key_is_no_clients_and_the_hash_is_its_own(tmp_path: Path, ours: bool) -> None:
    folder = ROOT / "deploy" / "secrets" if ours else tmp_path / "made"
    if not ours:
        assert made(folder).returncode == 0
    assert read(folder, HASH) == sha256(read(folder, "OPERATOR_KEY").encode()).hexdigest()
    assert read(folder, "OPERATOR_KEY") != read(folder, "ATTEND_KEY")


def test_what_is_there_stays_and_the_same_key_for_both_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    keys = {name: read(tmp_path, name) for name in ("ATTEND_KEY", "OPERATOR_KEY", HASH, "BOOKING_DATABASE_URL")}
    assert made(tmp_path).returncode == 0
    assert {name: read(tmp_path, name) for name in keys} == keys

    (tmp_path / "OPERATOR_KEY").write_text(keys["ATTEND_KEY"] + "\n")
    refused = made(tmp_path)
    assert (refused.returncode, "OPERATOR_KEY is the client's key" in refused.stderr) == (78, True)


@pytest.mark.parametrize("was_there", [True, False])
def test_nobody_else_enters_the_folder_also_where_it_was_there(tmp_path: Path, was_there: bool) -> None:
    folder = tmp_path / "made"
    if was_there:
        folder.mkdir(mode=0o755)
    assert made(folder).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_env_file_names_the_folder_and_holds_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    first, again = made(folder), made(folder)
    env = folder / "attend.env"
    assert (env.read_text(), stat.S_IMODE(env.stat().st_mode)) == (f"ATTEND_SECRETS={folder}\n", 0o600)
    files = sorted(one.name for one in folder.iterdir() if one.name != HASH)
    assert sorted(first.stdout.removeprefix(f"{folder}: made ").split()) == files
    assert again.stdout.startswith(f"{folder}: made nothing; was there and stays: ")
    assert sorted(again.stdout.rpartition(": ")[2].split()) == files
    secrets = [read(folder, one) for one in files if one != "attend.env"]
    assert [one for one in secrets if one in first.stdout + again.stdout] == []


def test_servers_of_ones_own_are_in_every_address_and_no_password_of_a_server_is_made(tmp_path: Path) -> None:
    url = "postgresql://boss:p%40ss@db.example:6543/clinic?sslmode=require"
    told = made(tmp_path, DATABASE_ADMIN_URL=url, KAFKA_BOOTSTRAP_SERVERS="k1:9092,k2:9092")
    assert (told.returncode, "p%40ss" in told.stdout + told.stderr) == (0, False)
    assert read(tmp_path, "DATABASE_ADMIN_URL") == url
    for service in ("booking", "records", "reminders", "notifier"):
        own = read(tmp_path, f"{service.upper()}_DATABASE_URL")
        assert re.fullmatch(
            rf"postgresql://attend_{service}:[0-9a-f]{{48}}@db\.example:6543/clinic\?sslmode=require", own
        )
    assert not (tmp_path / "POSTGRES_PASSWORD").exists()
    assert read(tmp_path, "attend.env").splitlines()[1:] == ["KAFKA_BOOTSTRAP_SERVERS=k1:9092,k2:9092"]

    assert made(tmp_path, DATABASE_ADMIN_URL="postgresql://other:x@elsewhere/y").returncode == 0
    assert read(tmp_path, "DATABASE_ADMIN_URL") == url


@pytest.mark.parametrize(
    "url", ["db.example", "postgresql://db.example/clinic", "mysql://a:b@c/d", "postgresql://a:b@c"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, url: str) -> None:
    refused = made(tmp_path, DATABASE_ADMIN_URL=url)
    assert (refused.returncode, "DATABASE_ADMIN_URL: postgresql://" in refused.stderr) == (78, True)
    assert list(tmp_path.iterdir()) == []
