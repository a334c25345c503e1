"""A PostgreSQL that stands still holds nobody up who is told to end: each service ends in its time, in order (§3)."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import orjson
import psutil
import pytest

from booking.door import client_keys
from booking.door.domain import Client
from chassis.process.lifecycle import DRAIN_S
from stack import services
from stack.ports import free_port
from stack.postgres import Postgres
from tests.support.booking.door import KEY, booking
from tests.support.installation import Installation

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

MARGIN_S = 5.0
"""For the machine: 15 s in all, as the containers' stop_grace_period gives."""


@dataclass
class Running:
    """One process of a service."""

    service: services.Service
    port: int
    operations_port: int
    popen: "subprocess.Popen[bytes]"
    log: Path


@pytest.fixture
def running(own_installation: Installation, tmp_path: Path) -> Iterator[list[Running]]:
    """Run every service; whatever runs at the end is killed."""
    processes = [start(own_installation, service, tmp_path) for service in services.ALL]
    try:
        yield processes
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.popen.kill()
            process.popen.wait()


def start(installation: Installation, service: services.Service, folder: Path) -> Running:
    port, operations_port, log = free_port(), free_port(), folder / f"{service.name}.log"
    prefix = services.prefix_of(service.package)
    ports = {f"{prefix}{service.protocol.upper()}_PORT": str(port), f"{prefix}OPERATIONS_PORT": str(operations_port)}
    environment = {**os.environ, **installation.env, **ports, "BOOKING_MLLP_CLIENT": "local"}
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603  # ours
            [sys.executable, *service.arguments], env=environment,
            stdout=output, stderr=output,
        )  # fmt: skip
    return Running(service, port, operations_port, popen, log)


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Freeze the postmaster and every backend while the block runs."""
    assert server.process is not None
    postmaster = psutil.Process(server.process.pid)
    postmaster.suspend()
    stopped = [postmaster, *postmaster.children(recursive=True)]
    for process in stopped[1:]:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def ready(http: httpx2.AsyncClient, process: Running) -> None:
    async with asyncio.timeout(120):
        while True:
            assert process.popen.poll() is None, process.log.read_text()[-2000:]
            with suppress(httpx2.TransportError):
                url = f"http://127.0.0.1:{process.operations_port}/health/ready"
                if (await http.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.1)


async def test_sigterm_ends_every_service_in_its_time_while_postgresql_is_frozen(
    own_installation: Installation, own_postgres: Postgres, running: list[Running]
) -> None:
    await client_keys.create(
        await own_installation.pool("booking"), Client("local", ("local",), may_register=True), KEY
    )
    door = next(process for process in running if process.service.package == "booking")
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(timeout=60, headers=headers) as http:
        for process in running:
            await ready(http, process)
        with frozen(own_postgres):
            waiting = [
                asyncio.create_task(
                    http.post(
                        f"http://127.0.0.1:{door.port}/v1/events", content=orjson.dumps(booking(f"e{n}", f"v{n}"))
                    )
                )
                for n in range(5)
            ]
            await asyncio.sleep(1)  # what was begun waits for the server
            assert not any(task.done() for task in waiting)

            began = time.monotonic()
            for process in running:
                process.popen.send_signal(signal.SIGTERM)
            codes = await asyncio.gather(*(asyncio.to_thread(ended, process, began) for process in running))
            await asyncio.gather(*waiting, return_exceptions=True)

    assert {process.service.name: code for process, code in zip(running, codes, strict=True)} == {
        process.service.name: 0 for process in running
    }


def ended(process: Running, began: float) -> int | str:
    """Return the exit code, or that it did not end in time."""
    try:
        return process.popen.wait(DRAIN_S + MARGIN_S - (time.monotonic() - began))
    except subprocess.TimeoutExpired:
        return f"still there after {DRAIN_S + MARGIN_S:g} s"
