"""Who cannot be reached, found in PostgreSQL, page by page."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis.api.page_cursor import Cursor
from chassis.postgres.database import Connection
from notifier.gate.domain.visit import Preferences, Visit, email_of, mobile_of
from notifier.gate.store import read_gate
from notifier.ledger.domain.plain_english import reason_words
from notifier.opt_outs.store import stopped
from notifier.staff.contacts import statements as sql
from notifier.staff.contacts.bodies import ChannelView, Filters, PatientView, Quality
from notifier.staff.contacts.domain import Evidence, Reach, unreachable
from notifier.values.addresses import Peppers
from notifier.values.kinds import Category
from schemas.notifications import Channel

LOOKED_AT_ONCE = 500
LOOKED_AT_MOST = 5_000
"""Visits in one request; the next page goes on where it ended, though it may hold nobody."""

LATELY = timedelta(days=90)
"""How old a refusal or a report of non-delivery may be to count."""


async def find(connection: Connection, peppers: Peppers, filters: Filters, now: datetime) -> Quality:
    """Return one page."""
    place = Cursor.read(filters.after) if filters.after else None
    found: list[PatientView] = []
    looked = 0
    while looked < LOOKED_AT_MOST:
        at, last = (place.at, place.id) if place else (None, None)
        rows = await connection.fetch(sql.VISITS, now, filters.clinic, at, last, LOOKED_AT_ONCE)
        judged = await _judged(connection, peppers, [row["appointment_id"] for row in rows], now)
        for row in rows:
            place, looked = Cursor(row["starts_at"], row["appointment_id"]), looked + 1
            seen = judged.get(row["appointment_id"])
            if seen and (filters.reason in {None, seen[1].reason}):
                found.append(_view(*seen))
                if len(found) == filters.limit:
                    return Quality(items=found, looked_at=looked, next_after=place.text())
        if len(rows) < LOOKED_AT_ONCE:
            return Quality(items=found, looked_at=looked)
    return Quality(items=found, looked_at=looked, next_after=place.text() if place else None)


async def _judged(
    connection: Connection, peppers: Peppers, appointment_ids: Sequence[UUID], now: datetime
) -> Mapping[UUID, tuple[Visit, Reach]]:
    """Return those of these visits whose patients cannot be reached."""
    if not appointment_ids:
        return {}
    visits = await read_gate(connection, appointment_ids)
    patients = sorted({visit.patient_id for visit in visits.values()})
    said = {
        row["patient_id"]: Preferences(row["whatsapp"], row["sms"], row["email"])
        for row in await connection.fetch(sql.PREFERENCES, patients)
    }
    addresses = {address for one in visits.values() for address in (mobile_of(one), email_of(one)) if address}
    out = await stopped(connection, peppers, addresses)
    evidence = await _evidence(connection, peppers, addresses, now - LATELY)
    return {
        one.appointment_id: (one, reach)
        for one in visits.values()
        if (reach := unreachable(one, said.get(one.patient_id), _opted_out(one, out), evidence))
    }


async def _evidence(connection: Connection, peppers: Peppers, addresses: Collection[str], since: datetime) -> Evidence:
    kept = [(address, peppers.of(address)) for address in addresses]
    by_key = {key: address for address, one in kept for key in (*one.keys, one.plain) if key}
    rows = await connection.fetch(sql.EVIDENCE, list(by_key), [one.plain for _, one in kept], since)
    return {(Channel(row["channel"]), by_key[row["key"]]): row["came_to"] for row in rows}


def _opted_out(visit: Visit, out: Collection[tuple[Channel, Category, str]]) -> frozenset[Channel]:
    mobile, email = mobile_of(visit), email_of(visit)
    addresses = ((Channel.SMS, mobile), (Channel.WHATSAPP, mobile), (Channel.EMAIL, email))
    return frozenset(channel for channel, address in addresses if (channel, Category.REMINDERS, address) in out)


def _view(visit: Visit, reach: Reach) -> PatientView:
    assert visit.starts_at is not None  # noqa: S101  # booked visits have a start
    return PatientView(
        patient_id=visit.patient_id,
        patient_name=" ".join(name for name in (visit.given_name, visit.family_name) if name) or None,
        reason=reach.reason,
        reason_text=reason_words(reach.reason),
        channels=[ChannelView(channel=one.channel, reason=one.reason) for one in reach.channels],
        appointment_id=visit.appointment_id,
        clinic_id=visit.clinic_id,
        starts_at=visit.starts_at,
        zone=visit.zone,
    )
