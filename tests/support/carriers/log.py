"""What carriers accepted, and how the next messages to an address are answered."""

import asyncio
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

ACCEPT = "accept"
SILENCE_S = 120.0
"""Longer than any call may last."""


@dataclass(frozen=True)
class Taken:
    """One message that a carrier accepted.

    Attributes:
        reference: Our attempt's id as it reached the carrier.
        at: Machine time of the acceptance, seconds since the epoch; before the answer began.
    """

    channel: str
    to: str
    reference: str
    body: str
    at: float = field(default_factory=time.time)


class Desk:
    """The acceptance log of all carriers of a test, and their orders.

    A script says how the next messages to an address are answered. Without one they are accepted.

    | answer | what the carrier does |
    |---|---|
    | a code | refuses with it: HTTP's status, or SMTP's reply to the recipient (421 also hangs up) |
    | a code of four digits and more | HTTP: refuses with 400 and this code in the body |
    | `data-451`, `data-550` | SMTP: refuses after the final dot |
    | `silent` | accepts and never answers |
    | `held` | accepts and answers when `let_go` is called |
    | `cut` | accepts and breaks the connection in the middle of its answer |
    | `reset` | accepts and resets the connection without an answer |
    | `garbage` | accepts and answers nonsense |
    | `odd` | SMTP: accepts and says so with a code of its own |
    | `drip` | accepts and answers one byte at a time, for longer than any call may last |

    Attributes:
        taken: The log, in order of acceptance.
        asked: The addresses asked for, in order, whatever the answer.
        retry_after_s: With it a refusal by HTTP asks for that much patience.
        answer_s: How long an acceptance takes.
    """

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.asked: list[str] = []
        self.retry_after_s = 0
        self.answer_s = 0.0
        self._scripts: dict[str, deque[int | str]] = defaultdict(deque)
        self._over = asyncio.Event()
        self._let_go = asyncio.Event()

    def script(self, address: str, *answers: int | str) -> None:
        """Say how the next messages to this address are answered."""
        self._scripts[address].extend(answers)

    def forget(self) -> None:
        """Begin anew: an empty log, and everything is accepted."""
        self._scripts.clear()
        self.taken.clear()
        self.asked.clear()

    def to(self, address: str) -> list[Taken]:
        """Return what was accepted for this address."""
        return [one for one in self.taken if one.to == address]

    def times(self) -> Counter[str]:
        """Return how often each attempt was accepted."""
        return Counter(one.reference for one in self.taken)

    def let_go(self) -> None:
        """Answer what was `held`."""
        self._let_go.set()

    def release(self) -> None:
        """End every silence; the test is over."""
        self._over.set()
        self._let_go.set()

    def next_answer(self, address: str) -> int | str:
        """Return how this message is to be answered."""
        self.asked.append(address)
        script = self._scripts[address]
        return script.popleft() if script else ACCEPT

    async def before_answering(self, answer: int | str) -> None:
        """Wait as the answer wants it, after the message was logged."""
        if answer == "held":
            await self._let_go.wait()
        elif answer == "silent":
            await self.pause(SILENCE_S)
        elif self.answer_s:
            await asyncio.sleep(self.answer_s)

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the test."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return

    @property
    def over(self) -> bool:
        """Say whether the test is over."""
        return self._over.is_set()
