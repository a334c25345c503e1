"""Routes answer as their description says, whatever schemathesis thinks of (decision 0045)."""

import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from booking.door import client_keys
from booking.door.domain import Client
from tests.integration.test_every_door import KEY, apis  # noqa: F401  # the fixture
from tests.support.installation import Installation
from tests.support.schemathesis_run import judged

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]

CLIENT_KEY = "the key of the client local, long enough"
OF_THE_OPERATOR = "^/v1/(ahead|clinics/.*reminder-policy|inbound|appointments|safety-changes)"

RUNS = [
    ("booking", CLIENT_KEY, 3, ("--exclude-path-regex", OF_THE_OPERATOR)),
    ("booking", KEY, 3, ("--include-path-regex", OF_THE_OPERATOR)),
    ("notifier", KEY, 3, ("--exclude-operation-id", "stream_inbox")),
    ("records", KEY, 15, ()),
    ("reminders", KEY, 15, ()),
]


@pytest.mark.parametrize(("service", "key", "most", "only"), RUNS, ids=[f"{run[0]}-{run[1][4:7]}" for run in RUNS])
async def test_every_answer_is_as_described(
    apis: dict[str, FastAPI],  # noqa: F811
    installation: Installation,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    service: str,
    key: str,
    most: int,
    only: tuple[str, ...],
) -> None:
    local = Client("local", ("local",), may_register=True, may_manage_clinics=True, may_set_policy=True)
    await client_keys.create(await installation.pool("booking"), local, CLIENT_KEY)

    done = await judged(apis[service], tmp_path, key, most, only)

    with capsys.disabled():
        sys.stdout.write(f"\n{service}: {done.cases} cases\n")
    assert done.is_well, done.said
    assert done.cases > 20
