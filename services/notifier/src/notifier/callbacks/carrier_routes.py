"""What the routes share that carriers call. No operator's key opens them; a signature does, and nothing else.

Every 2xx is given after the commit (G6). A bad signature is 401, counted, and nothing of the request is kept; a body
that is too large is 413 before it is read. What is signed and cannot be read is kept and answered like the rest: a
carrier that is refused sends the same again for days, and everything beside it. A database that is not there is 503:
every carrier tries again.
"""

from collections.abc import Callable
from typing import Any

from fastapi import Security
from fastapi.security import APIKeyHeader

from notifier.callbacks.door import Door
from notifier.callbacks.handle.intake import Intake
from notifier.callbacks.secrets import CallbackSecrets

CALLBACKS = "/callbacks"
"""All that carriers, mail programs and patients' links call: public, each route checks a signature."""


def signed_by(header: str, name: str, text: str) -> Any:
    """Return what describes the header by which a carrier proves itself; the route itself checks it.

    Args:
        name: What the description calls it.
    """
    return Security(APIKeyHeader(name=header, scheme_name=name, description=text, auto_error=False))


class Callbacks:
    """What the routes share.

    Args:
        base_url: The public address of this API, as carriers call it; None: Twilio's callbacks cannot be checked.
    """

    def __init__(
        self,
        intake: Intake,
        secrets: Callable[[], CallbackSecrets],
        base_url: str | None,
        door: Door,
    ) -> None:
        self.intake, self.secrets, self.door = intake, secrets, door
        self.base_url = (base_url or "").rstrip("/")
