"""The running compose project, and what can be done to it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

SERVICES = (
    "booking",
    "booking-mllp",
    "records",
    "reminders-api",
    "reminders-worker",
    "reminders-projector",
    "notifier",
)


def run(*command: str, check: bool = True) -> str:
    """Run a command and return its output.

    Compose is to see what it saw when everything was started: it makes anew what is told otherwise, and with it
    whatever depends on that. The clock's file has another path in the containers than the tests have.
    """
    environment = {name: value for name, value in os.environ.items() if name != "ATTEND_CLOCK_FILE"}
    done = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def compose(*command: str) -> str:
    """Run `docker compose` on the project that the environment names."""
    return run("docker", "compose", *command)


def container(service: str) -> dict[str, Any]:
    """Return what the engine knows of a service's container."""
    found: dict[str, Any] = orjson.loads(run("docker", "inspect", compose("ps", "-a", "-q", service)))[0]
    return found


def address(service: str) -> str:
    """Return the container's address in the project's network."""
    networks = container(service)["NetworkSettings"]["Networks"]
    return str(next(iter(networks.values()))["IPAddress"])


def kill_9(service: str) -> None:
    """End every process in the container but its init, which then ends too: the engine starts it again."""
    run("docker", "exec", container(service)["Id"], "sh", "-c", "kill -9 -1", check=False)


async def restarted(service: str, before: int, timeout_s: float = 180) -> None:
    """Wait until the engine has started the container once more and it is healthy."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = container(service)
            if found["RestartCount"] > before and is_healthy(found):
                return
            await asyncio.sleep(0.3)


async def healthy(service: str, timeout_s: float = 180) -> None:
    """Wait until the container is healthy."""
    async with asyncio.timeout(timeout_s):
        while True:
            if is_healthy(container(service)):
                return
            await asyncio.sleep(0.3)


def is_healthy(found: dict[str, Any]) -> bool:
    """Say whether the container's own check succeeds."""
    return bool(found["State"].get("Health", {}).get("Status") == "healthy")


@asynccontextmanager
async def paused(service: str) -> AsyncIterator[None]:
    """Freeze a container for the length of the block."""
    compose("pause", service)
    try:
        yield
    finally:
        compose("unpause", service)


@asynccontextmanager
async def cut_off(service: str, server: str) -> AsyncIterator[None]:
    """Drop every packet between the two, inside the server's own network namespace (needs root).

    Both ways: a server that cannot be heard would still answer the request that it holds.
    """
    assert os.geteuid() == 0, "cutting a network needs root: run the containers' tests as root"
    there = address(service)
    rules = (("INPUT", "-s", there, "-j", "DROP"), ("OUTPUT", "-d", there, "-j", "DROP"))
    inside = ("nsenter", "-t", str(container(server)["State"]["Pid"]), "-n", "iptables")
    for rule in rules:
        run(*inside, "-A", *rule)
    try:
        yield
    finally:
        for rule in rules:
            run(*inside, "-D", *rule)
