"""What the supervisor keeps running, all seen alike: a server, or a service's process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from stack import probe
from stack.process import OneProcess, ProcessId
from stack.spawn import Spawn, own_interpreter

LOG_KEEP_BYTES = 10_000_000  # a longer log is set aside at the next start, one generation


class Part(Protocol):
    """Something that runs."""

    @property
    def running(self) -> bool:
        """Whether its process lives."""

    @property
    def process(self) -> ProcessId | None:
        """Its process, None before the first start."""

    def start(self) -> None:
        """Start it; it may not be ready when this returns."""

    def stop(self) -> None:
        """End it in order."""

    def is_ready(self) -> bool:
        """Ask it whether it does its work."""

    def stuck(self) -> str:
        """Ask it why only a new start may help; empty if it does not say so."""

    def last_words(self) -> str:
        """Return the end of its log."""


class ServiceProcess(OneProcess):
    """One process with a health endpoint."""

    def __init__(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        folder: Path,
        url: str,
        spawn: Spawn = own_interpreter,
    ) -> None:
        """Prepare to run `python <arguments>`; nothing is started."""
        self._arguments = arguments
        self._spawn = spawn
        self._env = dict(env)
        self._log = log
        self._folder = folder
        self.url = url
        self.detail = ""

    @property
    def exit_code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._child.exit_code if self._child else None

    def start(self) -> None:
        """Start the process; `is_ready` tells when it is up."""
        if self._log.exists() and self._log.stat().st_size > LOG_KEEP_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        self._child = self._spawn(self._arguments, self._env, self._log, self._folder)

    def is_ready(self) -> bool:
        """Ask GET /health/ready."""
        if not self.running:
            return False
        status, body = probe.get(f"{self.url}/health/ready")
        other = probe.another(self.url, body, self.process) if status else ""
        self.detail = other or ("" if status == 200 else probe.reasons(body))
        return status == 200 and not other

    def stuck(self) -> str:
        """Ask GET /health/live. Who does not answer is not stuck: it may be busy; nor is ours when another answers."""
        status, body = probe.get(f"{self.url}/health/live")
        if probe.another(self.url, body, self.process):
            return ""
        return (probe.reasons(body) or "no reason given") if status == 503 else ""
