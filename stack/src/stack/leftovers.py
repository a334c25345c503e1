"""End what a killed supervisor left running: by recorded process id and start time, never by name."""

import signal

from stack.home import Home
from stack.process import end, signal_tree
from stack.state import PartState, State, read_state

SERVERS_LAST = ("sinks", "postgres", "kafka")
"""The order in which the rest is stopped once the services are gone: they need it to finish."""

STOP_SIGNALS = {"postgres": signal.SIGINT}  # a fast shutdown; the others take SIGTERM
SERVICE_STOP_S = 15  # a service drains for at most 10 s


def in_stopping_order(parts: tuple[PartState, ...]) -> tuple[list[PartState], list[PartState]]:
    """Split into the services, which stop together, and the servers below them, which stop after, one by one."""
    services = [part for part in parts if part.name not in SERVERS_LAST]
    servers = [part for name in SERVERS_LAST for part in parts if part.name == name]
    return services, servers


def clear_away(home: Home) -> list[str]:
    """End what a killed supervisor left on the folder, so that its ports are free again; return the names."""
    with home.held():
        state = read_state(home.state)
        found = end_leftovers(state) if state else []
        home.state.unlink(missing_ok=True)
        return found


def end_leftovers(state: State) -> list[str]:
    """End each recorded process that still runs; return the names of those found.

    To be called only while holding the installation's folder, since then its supervisor is gone.
    """
    services, servers = in_stopping_order(state.parts)
    found = [part.name for part in (*services, *servers) if part.process and part.process.find()]
    for part in services:
        if part.process:
            signal_tree(part.process, signal.SIGTERM)
    for part in (*services, *servers):
        if part.process:
            end(part.process, STOP_SIGNALS.get(part.name, signal.SIGTERM), SERVICE_STOP_S)
    return found
