"""Free TCP ports on the loopback address."""

import secrets
import socket
from collections.abc import Container

LOOPBACK = "127.0.0.1"


def free_port(taken: Container[int] = ()) -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment.

    It lies below the range from which systems take the ports of outgoing connections (32768 on Linux), else
    such a connection could take it before its server does.
    """
    for _ in range(1000):
        port = 20000 + secrets.randbelow(12000)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port found between 20000 and 31999 on {LOOPBACK}")


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
