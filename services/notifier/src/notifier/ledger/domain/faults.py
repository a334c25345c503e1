"""Whose fault a refusal is, and what follows from it.

| fault | what becomes of the message | what becomes of the account |
|---|---|---|
| MESSAGE | this channel is closed for it: the next at once | nothing |
| FOR_NOW | again after its backoff | nothing |
| SENDER | again after its backoff; staff are told: the clinic's sender, template or region is not set up | nothing |
| THROTTLE | again after its backoff, and not before the carrier's Retry-After | pauses as long, in every instance |
| ACCOUNT | again after its backoff; staff are told: login, payment or standing of our account | rests, at once |
| CARRIER | again after its backoff | rests, after several in a row |
"""

from datetime import timedelta
from enum import StrEnum

THROTTLED = timedelta(seconds=5)
"""The pause after a throttle that names none: as long as the first backoff."""


class Fault(StrEnum):
    """Whose fault it is."""

    MESSAGE = "message"
    FOR_NOW = "for-now"
    SENDER = "sender"
    THROTTLE = "throttle"
    ACCOUNT = "account"
    CARRIER = "carrier"
