"""What the gate sees: visits as they are now, and what each recipient was told of them, read after the locks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from notifier.gate.domain.facts import NOTHING_KNOWN, GateFacts, Told
from notifier.gate.domain.told import View
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.notification import Notification
from notifier.ledger.port import GateTransaction
from notifier.values.kinds import LEVEL_KINDS, PATIENT


@dataclass(frozen=True, slots=True)
class Seen:
    """One message's visit as its recipient has to see it, and what else counts for the message.

    Attributes:
        replaced: The visit whose place it takes, of which he was told and which stands no more.
    """

    visit: Visit | None
    facts: GateFacts
    replaced: Visit | None = None


async def look(
    work: GateTransaction,
    appointment_ids: Collection[UUID],
    asked: Sequence[Notification] = (),
    visits: Mapping[UUID, Visit] | None = None,
) -> View:
    """Return these visits, what was said of them, and the people who are not their patients any more.

    Args:
        asked: Messages about them: to whom they are counts too.
        visits: As somebody has read them from the gate already.
    """
    if not appointment_ids:
        return View({})
    visits = await work.gate(appointment_ids) if visits is None else visits
    said = await work.said(appointment_ids)
    told = {(about, one.recipient_id) for (about, to), them in said.items() if to == PATIENT for one in them}
    told |= {(one.appointment_id, one.recipient_id) for one in asked if one.recipient == PATIENT and one.appointment_id}
    others = {who for about, who in told if who and about in visits and who != visits[about].patient_id}
    people = await work.people(others) if others else {}
    return View(visits, said, {**{one.patient_id: one for one in people.values()}, **people})


async def see(
    work: GateTransaction, asked: Sequence[Notification], now: datetime, view: View | None = None
) -> Mapping[UUID, Seen]:
    """Return what the gate sees of each message, by its id.

    Args:
        view: Of their visits, if somebody has looked already.
    """
    if view is None:
        about = {each for one in asked for each in (one.appointment_id, one.replaces) if each}
        view = await look(work, about, asked)
    visits = {
        one.notification_id: visit
        for one in asked
        if one.appointment_id
        and (visit := view.of(one.appointment_id, one.recipient, one.recipient_id, one.notification_id))
    }
    facts = await work.facts(asked, visits, now) if visits else {}
    return {
        one.notification_id: _seen(
            one, visits.get(one.notification_id), facts.get(one.notification_id, NOTHING_KNOWN), view, now
        )
        for one in asked
    }


def _seen(one: Notification, visit: Visit | None, facts: GateFacts, view: View, now: datetime) -> Seen:
    facts = _facts(one, facts, view, now)
    if not one.replaces or not facts.told.replaced:
        return Seen(visit, facts)
    return Seen(visit, facts, view.of(one.replaces, one.recipient, one.recipient_id, one.notification_id))


def _facts(one: Notification, facts: GateFacts, view: View, now: datetime) -> GateFacts:
    if one.kind not in LEVEL_KINDS:
        return facts
    said = view.last(one.appointment_id, one.recipient, one.recipient_id, one.notification_id)
    stood = view.stood(one.replaces, one.recipient_id, now, one.notification_id)
    telling = view.being_told(one.appointment_id, one.recipient, one.recipient_id, one.notification_id)
    return replace(facts, told=Told(facts.told.today, said, stood, telling is not None))
