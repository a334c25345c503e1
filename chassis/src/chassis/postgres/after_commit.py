"""Counts and log lines of a transaction, written once it is committed, so that they are true.

A story that runs inside a transaction does not know whether it will be committed. So it hands over what it has to say;
a transaction that fails, and is tried again, has said nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

_waiting: ContextVar[list[Callable[[], object]] | None] = ContextVar("waiting", default=None)


def after_commit(say: Callable[..., object], *args: object, **fields: object) -> None:
    """Call `say(*args, **fields)` after the commit of the transaction under way; at once if there is none."""
    waiting = _waiting.get()
    if waiting is None:
        say(*args, **fields)
    else:
        waiting.append(partial(say, *args, **fields))


@contextmanager
def said_after_commit() -> Iterator[None]:
    """Keep what a block hands over until its commit at the end; then write it, and never if the block fails."""
    waiting: list[Callable[[], object]] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for say in waiting:
        say()
