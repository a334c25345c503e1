"""What a person does with a message on the work list: send again, settle, drop; each once, and noted (B12)."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from chassis.process.errors import AttendError
from notifier.gate.domain.decision import Skip, decide
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification, Row, UnreadableRow
from notifier.ledger.domain.settlement import again, place
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.port import LedgerTransaction
from notifier.ledger.view import see
from notifier.staff.work_list.domain import Act, dropped, found_out, is_listed
from notifier.values.kinds import PATIENT
from schemas.reminders import Reason

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NotListed(AttendError):
    """The message does not wait for a person, or not for this."""

    def __init__(self, what: str) -> None:
        super().__init__("NOT_ON_LIST", what)


class GateShut(AttendError):
    """The message would never be let out."""

    def __init__(self, reason: Reason) -> None:
        super().__init__("GATE_SHUT", f"the gate would never open: {reason.value}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Done:
    """What was done.

    Attributes:
        state: The message's state now; of a resend, the new message's.
    """

    notification_id: UUID
    act: Act
    acted_by: str
    acted_at: datetime
    arrived: bool | None
    resent_as: UUID | None
    state: NotificationState
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to be done, and who that is. `arrived`: of settle alone."""

    act: Act
    by: str
    arrived: bool | None = None


class DeskTransaction(LedgerTransaction, Protocol):
    """The ledger, the gate and the log of acts inside one READ COMMITTED transaction."""

    async def acts(self, notification_id: UUID) -> Sequence[tuple[Done, UUID | None]]:
        """Return what was done with the message before, oldest first, each with the attempt it was about."""

    async def of_one_call(self, notification_id: UUID) -> Collection[UUID]:
        """Return this message, and those of its last call that nobody has sent again or dropped."""

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Insert new messages."""

    async def close_by_a_person(self, attempt_ids: Collection[UUID], now: datetime, *, arrived: bool) -> None:
        """Write down what a person found out about attempts that are one call."""

    async def note(self, done: Done, attempt_id: UUID | None) -> None:
        """Append to the log of acts."""


class Desk(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[DeskTransaction]:
        """Begin a transaction; commit it at the end of the block."""


async def act(desk: Desk, notification_id: UUID, wish: Wish, sending: SendingMode, now: datetime) -> Done:
    """Do what a person wants with a message; the same again finds it done.

    Raises:
        NotListed: It does not wait for a person, or something else was done with it before.
        GateShut: Sent again, it would never leave, or whether it may still cannot be decided.
    """
    try:
        return await _act(desk, notification_id, wish, sending, now)
    except AttendError:
        raise
    except Exception as error:
        if wish.act is not Act.RESEND:
            raise
        log.exception("message.undecidable", notification_id=str(notification_id))
        raise GateShut(Reason.UNDECIDABLE) from error


async def _act(desk: Desk, notification_id: UUID, wish: Wish, sending: SendingMode, now: datetime) -> Done:
    async with desk.transaction() as work:
        rows = await work.lock(await work.of_one_call(notification_id))
        held = rows.get(notification_id)
        if held is None:
            raise NotListed("there is no message of this id")
        if isinstance(held, UnreadableRow):
            raise NotListed("this version of the notifier cannot read it")
        before = await work.acts(notification_id)
        for done, attempt in before:
            if done.act is wish.act and (done.arrived == wish.arrived) and attempt == held.attempt_id:
                return _again(done, held)
        if ended := next((done for done, _ in before if done.act in {Act.RESEND, Act.DROP}), None):
            raise NotListed(f"it is off the list: {_words(ended)}")
        if not is_listed(held):
            done_before = "".join(f"; {_words(done)}" for done, _ in before)
            raise NotListed(f"it is {held.state.value}, and nothing is to be done with it{done_before}")
        if wish.act is Act.RESEND and held.recipient != PATIENT:
            raise NotListed("a notice to a provider leaves by itself once he is registered")
        match wish.act:
            case Act.RESEND:
                done = await _resend(work, held, wish, sending, now)
            case Act.DROP:
                done = await _drop(work, held, wish, now)
            case Act.SETTLE:
                others = await work.of_one_call(notification_id)  # after the lock: they may have had another since
                done = await _settle(work, held, [one for key, one in rows.items() if key in others], wish, now)
        await work.note(done, held.attempt_id)
    return done


async def _resend(work: DeskTransaction, held: Notification, wish: Wish, sending: SendingMode, now: datetime) -> Done:
    new = again(held, now)
    seen = (await see(work, [new], now))[new.notification_id]
    visit, facts = seen.visit, seen.facts
    decision = sending.at(facts.clinic).apply(decide(new.asked, visit, facts, now))
    if isinstance(decision, Skip) or visit is None:
        raise GateShut(decision.reason if isinstance(decision, Skip) else Reason.NOT_SENDABLE)
    await work.insert([place(new, decision, visit.clinic_id)], now)
    return Done(held.notification_id, wish.act, wish.by, now, None, new.notification_id, NotificationState.QUEUED)


async def _drop(work: DeskTransaction, held: Notification, wish: Wish, now: datetime) -> Done:
    after = dropped(held)
    if after is not None:
        await work.write([after], now)
        await work.publish([after], now)
    return Done(held.notification_id, wish.act, wish.by, now, None, None, (after or held).state)


async def _settle(work: DeskTransaction, held: Notification, rows: Iterable[Row], wish: Wish, now: datetime) -> Done:
    """Settle the message, and `rows` that it was one call with: that arrived, or did not, for all of them."""
    arrived = bool(wish.arrived)
    after = found_out(held, now, arrived=arrived)
    if after is None or held.attempt_id is None:
        raise NotListed(f"it is {held.state.value}: only an unknown outcome can be settled")
    told = [one for one in rows if isinstance(one, Notification)]
    settled = [one for each in told if (one := found_out(each, now, arrived=arrived))]
    await work.write(settled, now)
    attempts = [each.attempt_id for each in told if each.attempt_id]
    await work.close_by_a_person(attempts, now, arrived=arrived)
    await work.publish([one for one in settled if one.state is not NotificationState.QUEUED], now)
    return Done(held.notification_id, wish.act, wish.by, now, arrived, None, after.state)


def _words(done: Done) -> str:
    """Return what was done, by whom and when."""
    found = {None: "", True: " as arrived", False: " as not arrived"}[done.arrived]
    new = f", as {done.resent_as}" if done.resent_as else ""
    return f"{done.act.value}{found} by {done.acted_by} at {done.acted_at:%Y-%m-%d %H:%M} UTC{new}"


def _again(done: Done, held: Notification) -> Done:
    state = NotificationState.QUEUED if done.resent_as else held.state
    return Done(
        done.notification_id, done.act, done.acted_by, done.acted_at, done.arrived, done.resent_as, state, repeat=True
    )
