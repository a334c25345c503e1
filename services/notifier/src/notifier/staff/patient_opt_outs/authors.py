"""Who stopped or lifted something, as a client may read it: itself by name, others by what they are."""

from notifier.opt_outs.bodies import LiftedView, OptOutView

KINDS = frozenset({"staff", "client", "carrier", "unsubscribe"})
REPLY = "reply"
"""The cause is the reply's id alone."""


def as_told[T: (OptOutView, LiftedView)](one: T, client: str | None) -> T:
    """Return it with its cause as the caller may read it.

    Args:
        client: What the caller's own causes begin with, as in `client/riverside`; None: he may read all.
    """
    if client is None or is_own(one.caused_by, client):
        return one
    return one.model_copy(update={"caused_by": kind_of(one.caused_by)})


def is_own(cause: str, client: str) -> bool:
    """Say whether this client did it."""
    return cause == client or cause.startswith(f"{client}/")


def kind_of(cause: str) -> str:
    """Return what whoever did it is: `staff`, `client`, `carrier`, or the reader by `reply` or `unsubscribe`."""
    first = cause.partition("/")[0]
    return first if first in KINDS else REPLY
