"""Free TCP ports on the loopback address."""

import itertools
import os
import secrets
import socket
from collections.abc import Container, Iterator

LOOPBACK = "127.0.0.1"

FIRST, COUNT = 20_000, 12_000
"""The ports that are given, each in its turn: below those of outgoing connections."""


def _walk_from_anywhere() -> Iterator[int]:
    return itertools.count(secrets.randbelow(COUNT))


_walk = _walk_from_anywhere()


def _walk_elsewhere() -> None:
    global _walk  # a process that was forked must not follow in its parent's steps
    _walk = _walk_from_anywhere()


os.register_at_fork(after_in_child=_walk_elsewhere)


def free_port(taken: Container[int] = ()) -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment.

    It lies below the range from which systems take the ports of outgoing connections (32768 on Linux), else
    such a connection could take it before its server does. A process gives no port twice before it gave all others:
    whoever asked before may not have begun to listen.
    """
    for _ in range(1000):
        port = FIRST + next(_walk) % COUNT
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port found between {FIRST} and {FIRST + COUNT - 1} on {LOOPBACK}")


def is_free(port: int) -> bool:
    """Say whether 127.0.0.1:port can be listened on now."""
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT after a restart counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def next_free(port: int, taken: Container[int] = ()) -> int:
    """Return `port` if it is free, else the next one above it that is."""
    for candidate in range(port, port + 100):
        if candidate not in taken and is_free(candidate):
            return candidate
    raise OSError(f"no free port between {port} and {port + 99} on {LOOPBACK}")
