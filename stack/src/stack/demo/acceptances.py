"""What really arrived at the carriers, as their own acceptance log says."""

from collections import Counter
from collections.abc import Iterable
from typing import Any


def by_address(accepted: Iterable[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Return how many messages each (channel, address) got."""
    return Counter((message["channel"], address_of(message)) for message in accepted)


def by_channel(accepted: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how many messages each channel got."""
    return Counter(message["channel"] for message in accepted)


def address_of(message: dict[str, Any]) -> str:
    """Return the recipient's address; a number with its plus, which Meta's API leaves out."""
    to = str(message["to"])
    return to if message["channel"] == "email" else f"+{to.lstrip('+')}"
