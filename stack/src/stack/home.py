"""The installation's one folder: what lies where in it, and its secrets."""

import fcntl
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from chassis.process.errors import AttendError
from stack import services
from stack.folders import private_folder, write_secret
from stack.postgres import Postgres


class AlreadyRunning(AttendError):
    """Another supervisor holds this folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        super().__init__("ALREADY_RUNNING", f"another `attend up` runs on {folder}")


@dataclass(frozen=True)
class Secrets:
    """What nobody but this user may read.

    Attributes:
        key: The key of the API client `local`, by which bookings go in.
        operator_key: The operator's, which reads at every service; never a client's.
    """

    key: str
    operator_key: str
    passwords: dict[str, str]
    address_pepper: str
    unsubscribe_secret: str

    @property
    def operator_key_sha256(self) -> str:
        """The operator key's hash, which is all that services are given to know it by."""
        return hashlib.sha256(self.operator_key.encode()).hexdigest()


class Home:
    """Paths below the installation's folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is made."""
        self.folder = folder.absolute()
        self.kafka = self.folder / "kafka"
        self.postgres = self.folder / "postgres"
        self.logs = self.folder / "logs"
        self.work = self.folder / "work"
        self.accepted = self.folder / "sinks" / "accepted.jsonl"
        self.state = self.folder / "state.json"

    def make(self) -> None:
        """Make the folders. Only the way down to PostgreSQL's data is open to other users, who can list nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        for folder in (self.kafka, self.logs, self.work, self.accepted.parent):
            private_folder(folder)

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets, made on first use and kept in a file of mode 0600; one that is not in it yet is added."""
        path = self.folder / "secrets.json"
        held = json.loads(path.read_text("utf-8")) if path.exists() else {}
        made = {
            "key": f"attend_{secrets.token_urlsafe(24)}",
            "operator_key": f"attend_operator_{secrets.token_urlsafe(24)}",
            "passwords": {package: secrets.token_urlsafe(24) for package in services.PACKAGES},
            "address_pepper": secrets.token_urlsafe(32),
            "unsubscribe_secret": secrets.token_urlsafe(32),
        } | held
        if made != held:  # some are missing in a folder of an earlier version
            self.folder.mkdir(parents=True, exist_ok=True)
            write_secret(path, json.dumps(made, indent=2))
        return Secrets(**{field.name: made[field.name] for field in fields(Secrets)})

    def log_of(self, part: str) -> Path:
        """Return the log file of a part."""
        own = {"kafka": self.kafka / "kafka.log", "postgres": self.postgres / "postgres.log"}
        return own.get(part, self.logs / f"{part}.log")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one supervisor; the system lets go when the process ends, however it ends."""
        self.make()
        with (self.folder / "supervisor.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(self.folder) from None
            yield

    @property
    def is_held(self) -> bool:
        """Whether a supervisor holds the folder now."""
        if not (self.folder / "supervisor.lock").exists():
            return False
        try:
            with self.held():
                return False
        except AlreadyRunning:
            return True

    def remove(self) -> None:
        """Remove everything, PostgreSQL's data included where it lies elsewhere. Nothing must run on it."""
        Postgres(self.postgres).remove()
        if self.folder.exists():
            shutil.rmtree(self.folder)
