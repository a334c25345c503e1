"""Fan-out: a visit changed, and whoever has to hear of it is told.

Each recipient of a visit has one open message at most, which brings him up to date: what is so, less what he was told.
What is to be said is found here, and again under the gate when the message is to leave. The stories run inside the
batch's transaction and are safe to repeat: ids are deterministic, and one that is in the ledger already is left alone.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.gathering import Beside, Moved, gathered, moved
from notifier.fanout.domain.news import (
    Twin,
    as_twin,
    message,
    messages_of,
    missing,
    news_of,
    renewed,
    reopened,
    replaced_by,
)
from notifier.fanout.domain.versions import Held, Kept, VisitReading, fold
from notifier.fanout.handle.entry import EntryStore, enter, unknown
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.told import View
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import look
from notifier.values.kinds import ENDS, REBOOKED_WITHIN
from schemas.appointments import IngestMode, Status

type Place = tuple[UUID | None, str, UUID | None, bool]
"""(appointment, `patient` or `provider`, which one, whether it says that the visit stands no more)."""


class FanoutStore(EntryStore, Protocol):
    """The notifier's tables and the gate, as one transaction sees them. Every method is set-based."""

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        """Return the newest versions known of these appointments."""

    async def keep(self, newest: Collection[Kept]) -> None:
        """Keep these versions as the newest."""

    async def open_news(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        """Lock and return messages that are queued or wait for somebody, to bring a recipient of these up to date.

        Queued ones first, then the newest of those that wait.
        """

    async def closed_news(self, notification_ids: Collection[UUID]) -> Sequence[Notification]:
        """Return those of these messages, locked, that the gate closed and that told nobody."""

    async def beside(self, moves: Sequence[Moved]) -> Sequence[Beside]:
        """Return these patients' other booked visits at these clinics less than a day away, as they were read last."""

    async def twins(self, appointment_ids: Collection[UUID], within_s: float, now: datetime) -> Sequence[Twin]:
        """Return the twins that matter to these visits, booked or cancelled just now.

        To a booked one: those ahead that stand since before, and those cancelled `within_s` of it. To a
        cancelled one: those booked `within_s` of it. Soonest turned first.
        """


async def on_appointments(
    store: FanoutStore, events: Sequence[VisitReading], sending: SendingMode, now: datetime
) -> Applied:
    """Say what happened in a batch (R28), and bring everybody up to date about its visits (R20, R22, R27, D58)."""
    held = await store.held({event.appointment_id for event in events})
    folded = fold(events, held)
    await store.keep(folded.newest.values())
    happened = await unknown(store, messages_of(folded.happened, now))
    if changed := {UUID(about): kept for about, kept in folded.newest.items() if kept.changed}:
        await bring_up_to_date(store, changed.keys(), changed, sending, now, happened)
    elif happened:
        await enter(store, happened, sending, now)
    return Applied(folded.repeat, folded.stale)


async def bring_up_to_date(
    store: FanoutStore,
    visits: Collection[UUID],
    kept: Mapping[UUID, Kept],
    sending: SendingMode,
    now: datetime,
    happened: Sequence[Notification] = (),
) -> None:
    """Write down what is to be said of these visits, new or in the open message that is there.

    Args:
        kept: Of those of which a new version came, that version. Without any, whoever asks has taken the turns.
        happened: What is to be said besides, written down in the same step: the providers' rows are locked last.
    """
    seen = await store.gate(visits)
    lacking = missing(seen.values())
    twins = await _twins(store, kept, lacking, now) if kept else ()
    replaced = replaced_by(twins)
    about = dict.fromkeys((*visits, *replaced))
    beside = {one.appointment_id for one in happened if one.appointment_id}
    held = await store.open_news(about)
    again = lacking or twins or held or beside - seen.keys()
    # after the locks: whoever held them may have told somebody
    view = await look(store, {*about, *replaced.values(), *beside}, held, None if again else seen)
    imported = {one for one, newest in kept.items() if newest.visit.mode is IngestMode.BACKFILL}
    opened = _by_recipient(view, held)
    asked: list[Notification] = []
    for visit in (view.visits[one] for one in about if one in view.visits):
        for news in news_of(visit, view, now):
            place = visit.appointment_id, news.recipient, news.recipient_id, news.kind in ENDS
            one = opened.pop(place, None)
            told = renewed(one, news, now) if one else message(news, now, imported=visit.appointment_id in imported)
            asked.append(as_twin(told, twins, view, now))
    asked = await _gathered(store, asked, view, now)
    before = {one.notification_id: one for one in held}
    made = {one.notification_id: one for one in asked if one.notification_id not in before}
    new = await unknown(store, made.values())
    live = {key for key, one in made.items() if one.state is NotificationState.QUEUED}  # imported is told already
    known = live - {one.notification_id for one in new}
    closed = await store.closed_news(known) if known else ()
    before |= {one.notification_id: one for one in closed}
    anew = [one for one in asked if one.notification_id in before and one.notification_id not in made]
    anew += [reopened(one, made[one.notification_id]) for one in closed]
    anew += [one for one in opened.values() if one.state is NotificationState.QUEUED]
    await enter(store, [*happened, *new, *anew], sending, now, view, before)


async def _gathered(store: FanoutStore, asked: Sequence[Notification], view: View, now: datetime) -> list[Notification]:
    """Let news of a move wait for those of the patient's visits that were moved with it and are not read yet."""
    moves = moved(asked, view)
    if not (moves and (beside := await store.beside(moves))):
        return list(asked)
    return gathered(asked, beside, await store.gate({one.other_id for one in beside}), now)


def _by_recipient(view: View, held: Sequence[Notification]) -> dict[Place, Notification]:
    found: dict[Place, Notification] = {}
    for one in held:
        who = view.addressee(one.appointment_id, one.recipient, one.recipient_id)
        found.setdefault((one.appointment_id, one.recipient, who, one.kind in ENDS), one)
    return found


async def _twins(
    store: FanoutStore, kept: Mapping[UUID, Kept], lacking: Collection[str], now: datetime
) -> Sequence[Twin]:
    """Return the visits whose messages may be one (D37), and let no other transaction decide about those patients.

    Nor about those who are missing: whoever brings them waits, and then finds their messages.
    """
    within_s = REBOOKED_WITHIN.total_seconds()
    turned = {one: new.visit for one, new in kept.items() if new.turned and new.visit.mode is IngestMode.LIVE}
    booked = [one for one, visit in turned.items() if visit.status is Status.BOOKED]
    cancelled = [one for one, visit in turned.items() if visit.status is Status.CANCELLED]
    maybe = {twin.appointment_id for twin in await store.twins(booked, within_s, now)} if booked else set()
    patients = {turned[one].patient_id for one in (*maybe, *cancelled)} | {*lacking}
    if not patients:
        return ()
    await store.take_turns(patients)
    return await store.twins({*maybe, *cancelled}, within_s, now) if maybe or cancelled else ()
