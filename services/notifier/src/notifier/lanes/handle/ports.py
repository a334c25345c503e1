"""What the lanes need from outside: the ledger with its gate, a carrier, and somebody who counts."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from notifier.gate.domain.facts import SendingModeName
from notifier.lanes.domain.breaker import BreakerState
from notifier.lanes.domain.together import Whom
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Call, CarrierResult, Notification, Row
from notifier.ledger.port import LedgerTransaction
from schemas.notifications import Channel


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and what came of it."""

    call: Call
    answer: CarrierResult

    @property
    def every(self) -> "list[Answered]":
        """The same of each visit that the call told of."""
        return [Answered(call, self.answer) for call in self.call.every]


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands in the queue beside locked messages: news to the same people by the same clinics.

    Attributes:
        rows: Those that are locked now.
        missing: Those that could not be: for whom, and which.
    """

    rows: Sequence[Row] = ()
    missing: Sequence[tuple[Whom, UUID]] = ()


class Watch(Protocol):
    """What the outside sees of a lane."""

    def settled(self, lane: Channel, notifications: Sequence[Notification]) -> None:
        """Count outcomes."""

    def undecidable(self, lane: Channel, number: int) -> None:
        """Count messages that could not be decided."""

    def called(self, lane: Channel, seconds: float) -> None:
        """Count a call and how long it took."""

    def refused(self, lane: Channel, account: str, fault: Fault) -> None:
        """Count a refusal that is not the message's fault."""

    def stands(self, lane: Channel, account: str, breaker: BreakerState) -> None:
        """Show where the breaker of an account stands."""

    def stands_still(self, lane: Channel, account: str) -> None:
        """Count that messages are due and none was called for too long."""


class LaneTransaction(LedgerTransaction, Protocol):
    """The ledger and the gate inside one READ COMMITTED transaction."""

    async def take_tokens(self, lane: Channel, per_second: float, most: Mapping[str, int]) -> Mapping[str, int]:
        """Take up to so many tokens of each account; return account → how many were there, none without any."""

    async def give_back_tokens(self, lane: Channel, tokens: Mapping[str, int]) -> None:
        """Return each account's tokens for which there was no call."""

    async def pause(self, lane: Channel, account: str, seconds: float) -> None:
        """Let no instance claim for the account for so long, machine time."""

    async def paused_s(self, lane: Channel) -> Mapping[str, float]:
        """Return the paused accounts, each with for how many seconds more."""

    async def lock_due(
        self,
        lane: Channel,
        limits: Mapping[str, int],
        now: datetime,
        until: datetime,
        setting: SendingModeName,
        *,
        even_paused: bool = False,
    ) -> Sequence[Row]:
        """Lock queued messages whose instant has come, of each account soonest deadline first, none that is locked.

        None of another account than those of `limits`; none whose deadline is before `until`; none held by its mode,
        `setting` being the installation's unless somebody switched it; of a paused account none, unless `even_paused`.
        """

    async def lock_beside(
        self, lane: Channel, people: Collection[Whom], but: Collection[UUID], now: datetime, until: datetime
    ) -> Beside:
        """Lock the queued news to these people, `but` for what is locked, that is due, or soon for the first time.

        None whose deadline is before `until`. Nobody is waited for.
        """

    async def due(
        self, lane: Channel, accounts: Collection[str], now: datetime, until: datetime, setting: SendingModeName
    ) -> Collection[str]:
        """Return those accounts of which `lock_due` with these arguments has anything to lock, locking nothing."""

    async def lock_late(self, lane: Channel, limit: int, now: datetime) -> Sequence[Row]:
        """Lock queued messages whose deadline has passed, whatever else they wait for."""

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Row]:
        """Lock messages in `sending` whose lease has run out by the database's clock."""

    async def clinics_preferring_doubles(self, clinic_ids: Collection[str]) -> Collection[str]:
        """Return those clinics that prefer a possible duplicate to a missed message (D32)."""

    async def put_off(self, notification_ids: Collection[UUID], now: datetime, wait: timedelta) -> Collection[UUID]:
        """Let queued messages wait so long, or for half of what is left to their deadlines if that is shorter.

        None waits for less than `PUT_OFF`. Returns which wait: those with so much left.
        """

    async def take_aside(self, notification_ids: Collection[UUID], now: datetime) -> Sequence[Notification]:
        """Fail queued messages as UNDECIDABLE, and make those *unknown* whose lease ran out; return the readable ones.

        Nothing is read of them for it.
        """

    async def open_attempts(self, calls: Sequence[Call], now: datetime) -> None:
        """Write down each call, and those that are made by it, before it is made, with the version the gate saw."""

    async def close_attempts(self, answers: Sequence[Answered], now: datetime) -> None:
        """Write down what came of each call, unless that is known already."""

    async def give_up_attempts(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write down that the current attempts of these messages were never answered in time."""


class Ledger(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[LaneTransaction]:
        """Begin a transaction; commit it at the end of the block."""
