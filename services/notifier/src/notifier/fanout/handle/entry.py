"""How new messages enter the ledger: judged by the gate as it stands, each under its deterministic id, once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from chassis.postgres.after_commit import after_commit
from notifier.gate.domain.decision import Decision, Skip, decide
from notifier.gate.domain.facts import NOTHING_KNOWN, GateFacts, Told
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Visit
from notifier.inbox.domain import DayList, InboxEntry
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import place, shut, skip
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.port import GateTransaction
from notifier.values.kinds import KINDS
from schemas.notifications import Channel
from schemas.reminders import Reason

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Enough to start looking with; the rest is in the ledger."""

_HEARD = Told(heard=1)


class EntryStore(GateTransaction, Protocol):
    """The ledger, the gate and the inboxes, as one transaction sees them. Every method is set-based."""

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those that are in the ledger already."""

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Insert each notification, or nothing if its id is there."""

    async def deliver_in_app(self, entries: Sequence[InboxEntry | DayList], now: datetime) -> None:
        """Append to the providers' inboxes, numbered under each provider's row lock."""


async def unknown(store: EntryStore, asked: Iterable[Notification]) -> list[Notification]:
    """Return those that the ledger does not have yet, each once."""
    by_id = {one.notification_id: one for one in asked}
    known = await store.known(by_id.keys()) if by_id else ()
    return [one for key, one in by_id.items() if key not in known]


async def enter(
    store: EntryStore,
    new: Sequence[Notification],
    sending: SendingMode,
    now: datetime,
    seen: Mapping[UUID, Visit] | None = None,
) -> list[Notification]:
    """Write new notifications down as the gate sees them now, and return them so.

    Args:
        new: What `unknown` gave; those that are settled already stay as they are.
    """
    open_ones = [one for one in new if one.state is NotificationState.QUEUED]
    asked_about = {one.appointment_id for one in open_ones if one.appointment_id}
    visits = (await store.gate(asked_about) if asked_about else {}) if seen is None else seen
    facts = await store.facts(open_ones, visits, now) if open_ones else {}
    entered: list[Notification] = []
    in_app: list[InboxEntry | DayList] = []
    for one in new:
        visit = visits.get(one.appointment_id) if one.appointment_id else None
        if one.state is not NotificationState.QUEUED:
            entered.append(one)
            continue
        judged = _judged(one, visit, facts.get(one.notification_id, NOTHING_KNOWN), sending, now)
        entered.append(judged)
        if visit and judged.state is NotificationState.ACCEPTED:
            in_app.append(InboxEntry(judged, visit))
    await store.insert(entered, now)
    await store.publish([one for one in entered if one.version], now)
    await store.deliver_in_app(in_app, now)  # last: it holds the providers' rows, for which other batches wait
    _log_entered(entered)
    return entered


def _judged(
    asked: Notification, visit: Visit | None, said: GateFacts, sending: SendingMode, now: datetime
) -> Notification:
    if KINDS[asked.kind].waits:
        decision = decide(asked.asked, visit, replace(said, told=_HEARD), now)
        if isinstance(decision, Skip) and decision.reason is Reason.PAST_VISIT:
            return shut(asked, decision)  # nothing is said of a past visit: neither now nor as a move (D37)
        return asked if visit is None or isinstance(decision, Skip) else place(asked, decision, visit.clinic_id)
    decision = sending.at(said.clinic).apply(decide(asked.asked, visit, said, now))
    return _as_decided(asked, decision, visit, now)


def _as_decided(asked: Notification, decision: Decision, visit: Visit | None, now: datetime) -> Notification:
    """Return the notification accepted (in-app), queued for a lane, or skipped with its reason."""
    if isinstance(decision, Skip):
        return shut(asked, decision)
    if visit is None:
        return skip(asked, Reason.NOT_SENDABLE)
    placed = place(asked, decision, visit.clinic_id)
    in_app = placed.lane is Channel.IN_APP
    return placed.but(state=NotificationState.ACCEPTED, version=1, accepted_at=now) if in_app else placed


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
