"""Every command that a page shows works as it is written, in order, on a system that `attend up` started."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack.attend import Attend, cleaned_up, until
from tests.integration.stack.pages import Shell, blocks, pages
from tests.support.examples import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PORTS = {
    "booking": (8100, 8110), "records": (8101, 8111), "reminders-api": (8102, 8112), "notifier": (8103, 8113),
    "booking-mllp": (2575, 8116), "reminders-worker": (None, 8114), "reminders-projector": (None, 8115),
    "sinks": (8126, None),
}  # fmt: skip
ELSEWHERE = {
    "https://booking.example": "booking", "https://records.example": "records", "https://notifier.example": "notifier",
    "kafka.internal:9092": "kafka",
}  # fmt: skip
"""An installation on another machine is this one."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attend]:
    with cleaned_up(tmp_path_factory.mktemp("pages") / "home") as command:
        command("up", "--detach")
        yield command


@pytest.fixture(scope="module")
def shell(running: Attend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder, parts = tmp_path_factory.mktemp("clone"), {part.name: part for part in running.state.parts}
    urls = {elsewhere: parts[name].url for elsewhere, name in ELSEWHERE.items()}
    urls["http://records.internal:8081"] = parts["records"].operations_url
    for name, ports in PORTS.items():
        for port, url in zip(ports, (parts[name].url, parts[name].operations_url), strict=True):
            urls |= {f"http://127.0.0.1:{port}": url} if port and url else {}
    secrets = folder / "attend-secrets"
    secrets.mkdir()
    (secrets / "OPERATOR_KEY").write_text(running.home.secrets.operator_key)
    login = f"attend_records:{running.home.secrets.passwords['records']}"
    (secrets / "RECORDS_DATABASE_URL").write_text(f"postgresql://{login}@{parts['postgres'].url}")
    shell = Shell(folder, {**running.env, "HOME": str(folder)}, urls)
    yield shell
    shell.close()


def test_every_page_can_be_followed_command_by_command(running: Attend, shell: Shell) -> None:
    the_quick_start_does_what_it_says(running, shell)
    ran = 0
    for page in pages()[1:]:
        for number, block in enumerate(blocks(page), 1):
            shell.run(f"block {number} of {page}", block)
            ran += bool(block.strip())
    assert ran >= 8


def the_quick_start_does_what_it_says(running: Attend, shell: Shell) -> None:
    every = list(blocks("README.md"))
    start, book, follow = next((n for n, block in enumerate(every) if "attend up" in block)), *(
        next(n for n, block in enumerate(every) if word in block) for word in ("api()", "ID=$(")
    )  # fmt: skip
    for number in range(start + 1):
        shell.run(f"block {number + 1} of README.md", every[number])
    *_, booked = map(json.loads, shell.run("the booking of README.md", every[book]).splitlines())
    assert (booked["result"], booked["warnings"]) == ("applied", [])

    def all_that_follows_is_there() -> bool:
        visit, files, reminders, notifications, *accepted = shell.run("what follows", every[follow]).splitlines()
        assert json.loads(visit)["status"] == "booked"
        told = {(one["kind"], one["state"]) for one in json.loads(notifications)["items"]}
        return (
            [one["number"][-10:] for one in json.loads(files)["items"]] == ["-CARDIO-01"]
            and [one["status"] for one in json.loads(reminders)["items"]] == ["SCHEDULED"] * 2
            and told == {("provider-booked", "accepted"), ("confirmation", "accepted")}
            and "amina@example.org" in "".join(accepted)
        )

    until(all_that_follows_is_there)
    rest = [shell.run(f"block {number + 1} of README.md", every[number]) for number in range(follow + 1, len(every))]
    assert any("The patient got: confirmation by email" in said for said in rest)
    assert any(re.search(r"^attend-result: applied\r?$", said, re.MULTILINE) for said in rest)
    the_sub_file_is_closed_and_reopened(running, booked["appointment_id"])


def the_sub_file_is_closed_and_reopened(running: Attend, appointment_id: str) -> None:
    [file] = json.loads(running("sub-files", "list", "--appointment", appointment_id, "--json"))["items"]
    named = (file["sub_file_id"], "--reason", "treatment ended", "--by", "A. Abara")
    assert "CLOSED, provider" in running("sub-files", "close", *named)
    assert "(was so already)" in running("sub-files", "close", *named)
    assert "a closed file keeps its provider" in running("sub-files", "provider", *named, code=1)
    assert "ACTIVE" in running("sub-files", "reopen", *named)
    assert "treatment ended" in running("sub-files", "history", file["sub_file_id"])


def test_no_block_is_left_to_be_filled_in() -> None:
    found = {page: [block for block in blocks(page) if "…" in re.sub(r"#.*", "", block)] for page in pages()}
    assert {page: left for page, left in found.items() if left} == {}


def test_there_are_pages_of_all_kinds() -> None:
    assert {"README.md", "examples/README.md", "stack/README.md", "docs/operating.md"} <= set(pages())
    assert all((ROOT / page).exists() for page in pages())
    assert Path(ROOT / "examples").exists()
