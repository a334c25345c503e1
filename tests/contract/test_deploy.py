"""What is published with the containers opens nobody else's: keys are files of one's own, and nothing stands in."""

import re
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from chassis.process.settings import INSTALLATION
from notifier.settings import Settings
from tests.support.examples import ROOT

HASH = "ATTEND_OPERATOR_KEY_SHA256"
COMPOSE = (ROOT / "docker-compose.yml").read_text()


def made(folder: Path) -> subprocess.CompletedProcess[str]:
    """Make a folder of secrets as the page says."""
    command = ["bash", str(ROOT / "deploy" / "secrets.sh"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # ours


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def test_the_operators_key_has_no_default_and_its_hash_is_a_file_of_the_same_folder() -> None:
    assert re.findall(rf"{HASH}[^\n]*:-[0-9a-f]", COMPOSE) == []
    assert not re.search(r"\b[0-9a-f]{64}\b", COMPOSE)
    assert f'{HASH}: {{file: "${{ATTEND_SECRETS:-./deploy/secrets}}/{HASH}"}}' in COMPOSE


def test_every_service_is_given_the_hash() -> None:
    services = re.findall(r"^  (\S+):\n    <<: \*service\n(.*?)(?=^  \S|^\S)", COMPOSE, re.MULTILINE | re.DOTALL)
    assert len(services) == 6
    assert [name for name, body in services if f"_DATABASE_URL, {HASH}" not in body] == []


def test_every_setting_of_the_notifier_reaches_its_container() -> None:
    own = [field for field in Settings.model_fields if field not in INSTALLATION]
    named = [f"NOTIFIER_{field.upper()}" for field in own]
    assert "NOTIFIER_KEEP_DEAD_LETTERS_DAYS" in named  # of those that all services share
    assert [name for name in named if not re.search(rf"\b{name}\b", COMPOSE)] == []


def test_operations_answer_at_a_port_of_their_own_which_is_what_a_container_is_judged_by() -> None:
    services = re.findall(r"^  (\S+):\n    <<: \*service\n(.*?)(?=^  \S|^\S)", COMPOSE, re.MULTILINE | re.DOTALL)
    published = {name: re.findall(r'"127\.0\.0\.1:[^"]+:(\d+)"', body) for name, body in services}
    without_api = {name: ["8081"] for name in ("reminders-worker", "reminders-projector")}
    assert published == {name: ["8080", "8081"] for name in published} | without_api
    for prefix in ("BOOKING", "RECORDS", "REMINDERS", "NOTIFIER"):
        assert f"  {prefix}_OPERATIONS_HOST: 0.0.0.0\n  {prefix}_OPERATIONS_PORT: 8081\n" in COMPOSE
    assert "healthcheck: {test: [CMD, ready]," in COMPOSE
    assert "${1:-8081}" in (ROOT / "deploy" / "ready.sh").read_text()


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
