"""The sinks' acceptance logs: what really arrived at the carriers, as they say themselves."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson


def read(logs: Iterable[Path]) -> list[dict[str, Any]]:
    """Return every accepted message, whole lines only: a sink may be writing its last one."""
    return [orjson.loads(line) for log in logs if log.exists() for line in log.read_bytes().split(b"\n")[:-1] if line]


def by_address(accepted: Iterable[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Return how many messages each (channel, address) got."""
    return Counter(
        (message["channel"], "+" * (message["channel"] != "email") + message["to"].lstrip("+")) for message in accepted
    )


def by_channel(accepted: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how many messages each channel got."""
    return Counter(message["channel"] for message in accepted)
