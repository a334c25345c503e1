"""How new messages enter the ledger: judged by the gate as it stands, each under its deterministic id, once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from chassis.postgres.after_commit import after_commit
from notifier.fanout.domain.news import is_another, missing
from notifier.gate.domain.decision import Send, Skip, decide
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.told import View
from notifier.gate.domain.visit import Visit
from notifier.inbox.domain import DayList, InboxEntry
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import place, shut, telling
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.port import GateTransaction
from notifier.ledger.view import Seen, look, see
from schemas.notifications import Channel
from schemas.reminders import Reason

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Enough to start looking with; the rest is in the ledger."""


class EntryStore(GateTransaction, Protocol):
    """The ledger, the gate and the inboxes, as one transaction sees them. Every method is set-based."""

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those that are in the ledger already."""

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Insert each notification, or nothing if its id is there."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these states back to messages that are locked."""

    async def take_turns(self, people: Collection[str]) -> None:
        """Wait until no other transaction decides about messages to these; until the end of this one."""

    async def deliver_in_app(self, entries: Sequence[InboxEntry | DayList], now: datetime) -> None:
        """Append to the providers' inboxes, numbered under each provider's row lock."""


async def look_in_turn(store: EntryStore, appointment_ids: Collection[UUID]) -> View:
    """Return these visits and what was said of them; who cannot be told yet is looked for in turn.

    Whoever brings him waits for this transaction, and then finds what it has written down.
    """
    view = await look(store, appointment_ids)
    if lacking := missing(view.visits.values()):
        await store.take_turns(lacking)
        view = await look(store, appointment_ids)
    return view


async def unknown(store: EntryStore, asked: Iterable[Notification]) -> list[Notification]:
    """Return those that the ledger does not have yet, each once."""
    by_id = {one.notification_id: one for one in asked}
    known = await store.known(by_id.keys()) if by_id else ()
    return [one for key, one in by_id.items() if key not in known]


async def enter(
    store: EntryStore,
    asked: Sequence[Notification],
    sending: SendingMode,
    now: datetime,
    view: View | None = None,
    before: Mapping[UUID, Notification] | None = None,
) -> list[Notification]:
    """Write messages down as the gate sees them now, and return them so.

    Args:
        asked: What `unknown` gave, settled or to be judged; and open ones, to be judged anew.
        view: Of their visits, if somebody has looked already.
        before: The open ones as they are in the ledger.
    """
    before = before or {}
    seen = await see(store, [one for one in asked if one.state is NotificationState.QUEUED], now, view)
    judged = [_judged(one, seen.get(one.notification_id), sending, now) for one in asked]
    new = [one for one in judged if one.notification_id not in before]
    changed = [one for one in judged if (held := before.get(one.notification_id)) is not None and is_another(held, one)]
    await store.insert(new, now)
    await store.write(changed, now)
    await store.publish([one for one in (*new, *changed) if one.version], now)
    in_app = [
        InboxEntry(one, visit)
        for one in (*new, *changed)
        if one.state is NotificationState.ACCEPTED and (visit := _visit(seen.get(one.notification_id)))
    ]
    await store.deliver_in_app(in_app, now)  # last: it holds the providers' rows, for which other batches wait
    _log_entered([*new, *changed])
    return judged


def _visit(seen: Seen | None) -> Visit | None:
    return seen.visit if seen else None


def _judged(asked: Notification, seen: Seen | None, sending: SendingMode, now: datetime) -> Notification:
    """Return the message accepted (in-app), queued for a lane, or skipped with its reason; a settled one as it is."""
    if seen is None:
        return asked
    visit, facts = seen.visit, seen.facts
    decision = sending.at(facts.clinic).apply(decide(asked.asked, visit, facts, now))
    if isinstance(decision, Skip) or visit is None:
        return shut(asked, decision if isinstance(decision, Skip) else Skip(Reason.NOT_SENDABLE))
    placed = place(asked, decision, visit.clinic_id)
    if not isinstance(decision, Send):
        return placed
    if placed.lane is not Channel.IN_APP:
        return placed.but(kind=decision.kind)
    given = telling(placed, decision.kind, visit, now)
    return given.but(state=NotificationState.ACCEPTED, version=given.version + 1, accepted_at=now)


def _log_entered(entered: Sequence[Notification]) -> None:
    """Log what a batch made, and warn of providers nobody knows (R21)."""
    after_commit(log.info, "notifications.entered", count=len(entered), states=_count(entered))
    strangers = [one for one in entered if one.reason is Reason.UNKNOWN_PROVIDER]
    if strangers:
        after_commit(
            log.warning,
            "notices.unknown_provider",
            count=len(strangers),
            appointment_ids=[str(one.appointment_id) for one in strangers[:IDS_PER_LINE]],
            hint="the booking names no provider, or one nobody registered; no notice was given",
        )


def _count(entered: Sequence[Notification]) -> dict[str, int]:
    states = [one.state.value for one in entered]
    return {state: states.count(state) for state in sorted(set(states))}
