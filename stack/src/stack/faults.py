"""Faults of the local carriers, on command: what the next messages of a channel meet instead of being accepted.

| fault | channels | what happens | accepted |
|---|---|---|---|
| a status, 400 to 599 | sms, whatsapp | answered with it; with `retry_after_s`, with that header | no |
| a code, 400 to 599 | email | 451, 452, 552, 554 after the final dot, others to the recipient; 421 closes | no |
| `refuse` | email | new connections are closed before the greeting; on a kept one, as 421 | no |
| `timeout` | all | logged, then never answered; for email, silence after the final dot | yes |
| `cut` | sms, whatsapp | logged, then the answer breaks off half-way | yes |
| `garbage` | sms, whatsapp | logged, then a 2xx that no carrier of this shape gives | yes |
| `drip` | sms, whatsapp | logged, then the answer comes a byte a second | yes |
"""

from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

type ChannelName = Literal["email", "sms", "whatsapp"]

LOWEST, HIGHEST = 400, 599
REFUSE, TIMEOUT, CUT, GARBAGE, DRIP = "refuse", "timeout", "cut", "garbage", "drip"
WORDS: dict[str, frozenset[str]] = {
    "email": frozenset({REFUSE, TIMEOUT}),
    "sms": frozenset({TIMEOUT, CUT, GARBAGE, DRIP}),
    "whatsapp": frozenset({TIMEOUT, CUT, GARBAGE, DRIP}),
}
"""The faults of a channel besides the codes."""


class Fault(BaseModel):
    """One order to misbehave.

    Attributes:
        fault: A code of the channel's protocol, or one of `WORDS`.
        times: How many messages meet it; None for all until it is cleared.
        match: Only recipients whose address has this in it; the plus of a number does not count.
        retry_after_s: With a status over HTTP, the header Retry-After.
    """

    model_config = ConfigDict(extra="forbid")

    channel: ChannelName
    fault: str
    times: Annotated[int | None, Field(ge=1)] = None
    match: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    retry_after_s: Annotated[int | None, Field(ge=0, le=86_400)] = None
    carrier_code: Annotated[int | None, Field(ge=1)] = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.code is None and self.fault not in WORDS[self.channel]:
            known = ", ".join(sorted(WORDS[self.channel]))
            raise ValueError(f"{self.channel} knows {known} and the codes from {LOWEST} to {HIGHEST}")
        return self

    @property
    def code(self) -> int | None:
        """The code to answer with; None for a word."""
        number = int(self.fault) if self.fault.isascii() and self.fault.isdigit() else 0
        return number if LOWEST <= number <= HIGHEST else None

    def meets(self, channel: str, to: str) -> bool:
        """Say whether a message to this address is one of its."""
        wanted = (self.match or "").lstrip("+").lower()
        return self.channel == channel and wanted in to.lstrip("+").lower()


class Faults:
    """The orders in force, the oldest first: the first that fits a message is the one it meets."""

    def __init__(self) -> None:
        """Begin with none: everything is accepted."""
        self._orders: list[Fault] = []

    def add(self, orders: list[Fault]) -> None:
        """Take these orders after those in force."""
        self._orders += [order.model_copy() for order in orders]

    def clear(self, channel: str | None = None) -> None:
        """Drop all orders, or those of one channel."""
        self._orders = [order for order in self._orders if channel not in (None, order.channel)]

    def standing(self) -> list[Fault]:
        """Return the orders in force, with the times that are left."""
        return list(self._orders)

    def peek(self, channel: str, to: str) -> Fault | None:
        """Return the order that a message would meet, without counting it."""
        return next((order for order in self._orders if order.meets(channel, to)), None)

    def take(self, channel: str, to: str) -> Fault | None:
        """Return the order that a message meets, and count it."""
        met = self.peek(channel, to)
        if met is not None and met.times is not None:
            met.times -= 1
            if not met.times:
                self._orders.remove(met)
        return met


def routes(faults: Faults) -> APIRouter:
    """Return the calls that give, list and clear orders."""
    api = APIRouter(prefix="/faults")

    @api.post("", status_code=201)
    async def misbehave(orders: Fault | list[Fault]) -> list[Fault]:
        """Take an order, or a list of them; answers with all that are in force."""
        faults.add(orders if isinstance(orders, list) else [orders])
        return faults.standing()

    @api.get("")
    async def standing() -> list[Fault]:
        """List the orders in force, with the times that are left."""
        return faults.standing()

    @api.delete("", status_code=204)
    async def behave(channel: ChannelName | None = None) -> None:
        """Drop all orders, or those of one channel."""
        faults.clear(channel)

    return api
