"""Which calls are one: the same news to one person about visits of one day at one clinic (decision 0050).

Each call has passed a gate of its own; here nothing is decided but with whom it leaves. Rows of one person may be
locked by several processes: whoever does not have all of them steps back, so that one has them all the next time.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from notifier.gate.domain.visit import NO_DETAILS
from notifier.ledger.domain.notification import Call, Notification
from notifier.values.kinds import KINDS, NEWS
from schemas.notifications import Kind
from schemas.zones import zone_of

MOST = 20
"""Visits of one call: their times fill an SMS or two."""

SOON = timedelta(seconds=10)
"""What is due within it leaves with what is due now: one order is read in several portions."""

STEPS_BACK = timedelta(seconds=1)
"""How long rows wait whose first one another process has, which looks ahead as far: so they leave with it."""

type Whom = tuple[UUID, str]
"""Who is told, by which clinic."""

type MayTell = Callable[[str, Kind], bool]
"""Whether there are words in which a message of this clinic and kind tells of several visits."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Rows of which not all that stand beside them could be locked.

    Attributes:
        left: Those that stay as they are, for the next claim.
        put_off: Those that wait for whoever has the first of them.
    """

    left: Collection[UUID]
    put_off: Collection[UUID]


def whom_of(held: Notification) -> Whom | None:
    """Return to whom, by which clinic, a message is that may leave with others; None: it leaves by itself."""
    if held.kind not in NEWS or held.recipient_id is None or held.clinic_id is None:
        return None
    return held.recipient_id, held.clinic_id


def apart(due: Iterable[Notification], missing: Iterable[tuple[Whom, UUID]], now: datetime) -> Apart:
    """Return those of the locked rows that do not leave now, as another process has some that stand beside them.

    Args:
        missing: Rows beside the locked ones that could not be locked.
    """
    first: dict[Whom, UUID] = {}
    for person, one in missing:
        first[person] = min(one, first.get(person, one))
    waits: dict[UUID, Whom] = {}
    for held in due:
        whose = whom_of(held)
        if whose in first and whose is not None and held.not_after and held.not_after > now + SOON:
            waits[held.notification_id] = whose
    mine = {whose for one, whose in waits.items() if one < first[whose]}
    put_off = {one for one, whose in waits.items() if whose not in mine}
    return Apart(waits.keys() - put_off, put_off)


def together(calls: Sequence[Call], may: MayTell) -> list[Call]:
    """Return the calls to be made: those that are one message as one, in the order in which the first of each came."""
    groups: dict[Hashable, list[Call]] = {}
    for call in calls:
        groups.setdefault(key_of(call, may), []).append(call)
    return [_one(some) for group in groups.values() for some in batched(sorted(group, key=_soonest), MOST)]


def key_of(call: Call, may: MayTell) -> Hashable:
    """Return what calls have in common that are one message; of a call that is always by itself, its own id."""
    visit = call.visit
    if call.kind not in NEWS or visit.starts_at is None or not may(visit.clinic_id, call.kind):
        return call.attempt_id
    local = visit.starts_at.astimezone(zone_of(visit.zone))
    place = visit.clinic_id, visit.clinic_name, visit.clinic_sensitive, visit.told_elsewhere, call.account
    details = NO_DETAILS if KINDS[call.kind].calendar == "CANCEL" else visit.clinic_details
    where = details.address, details.directions_url
    return call.kind, call.route, visit.patient_id, place, where, visit.zone, local.date(), local.utcoffset()


def _soonest(call: Call) -> tuple[bool, datetime | None, UUID]:
    return call.visit.starts_at is None, call.visit.starts_at, call.visit.appointment_id


def _one(calls: Sequence[Call]) -> Call:
    """Return one call for all of these, whose first is known to the carrier: it ends when the first of them ends."""
    lead, *others = calls
    if not others:
        return lead
    return replace(
        lead,
        also=tuple(replace(one, with_attempt=lead.attempt_id) for one in others),
        not_after=min(one.not_after for one in calls),
        arrives_by=min(one.arrives_by for one in calls),
        code="",
    )
