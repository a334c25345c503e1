"""What the gate is decided by: booking's send gate, the notifier's only right in that schema, and our own tables."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, time, timedelta
from uuid import UUID

import asyncpg

from chassis.postgres.database import Connection
from notifier.gate.domain.facts import (
    NOTHING_CHOSEN,
    ClinicSending,
    GatedMessage,
    GateFacts,
    Lack,
    SendingModeName,
    Told,
)
from notifier.gate.domain.told import Said, Slot
from notifier.gate.domain.visit import Details, Person, Preferences, Visit, email_of, mobile_of
from notifier.gate.statements import FACTS, GATE, LACKS, PEOPLE, SAID
from notifier.opt_outs.store import stopped
from notifier.values.addresses import Peppers, normal
from notifier.values.kinds import ENDS, KINDS, LEVEL_KINDS, PATIENT, Category
from schemas.appointments import SendWindow, Status
from schemas.notifications import Channel, Kind
from schemas.zones import zone_of

GATE_FIELDS = tuple(field.name for field in fields(Visit) if field.name != "told_elsewhere")
"""What it tells of a visit; by which clock its patient knows it follows from what he was told."""
_STATUS, _LANGUAGES, _DETAILS = map(GATE_FIELDS.index, ("status", "clinic_languages", "clinic_details"))
_DETAIL_FIELDS = tuple(field.name for field in fields(Details))


async def read_gate(connection: Connection, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
    """Return each appointment as committed now, as a statement of its own; unknown ones are absent.

    Args:
        connection: In a READ COMMITTED transaction that holds its locks already, so that every
            cancellation committed before this statement is seen (design §6).
    """
    rows = await connection.fetch(GATE, list(appointment_ids))
    return {row[0]: _visit(row) for row in rows}


async def read_people(connection: Connection, patient_ids: Collection[UUID]) -> Mapping[UUID, Person]:
    """Return these patients as committed now, by the id asked for; unknown ones are absent."""
    rows = await connection.fetch(PEOPLE, list(patient_ids))
    return {row[0]: Person(*row[1:]) for row in rows}


async def read_said(connection: Connection, appointment_ids: Collection[UUID]) -> Mapping[Slot, Sequence[Said]]:
    """Return what was said, or may have been, of these visits, in the order in which it was said.

    A message about a visit that took another's place says of that one that it stands no more.
    """
    found: dict[Slot, list[Said]] = defaultdict(list)
    for row in await connection.fetch(SAID, list(appointment_ids)):
        _, about, replaced, recipient, *_ = row
        said = Said(
            row["notification_id"],
            row["recipient_id"],
            Kind(row["kind"]) not in ENDS,
            row["said_starts_at"],
            row["clinic_id"],
            row["schedule_gen"],
            row["at"],
            row["under_way"],
            Kind(row["kind"]) in LEVEL_KINDS,
            not row["is_imported"],
        )
        found[about, recipient].append(said)
        if replaced:
            found[replaced, recipient].append(replace(said, stands=False, at_first_hand=False))
    return found


async def read_facts(
    connection: Connection, peppers: Peppers, asked: Sequence[GatedMessage], visits: Mapping[UUID, Visit], now: datetime
) -> Mapping[UUID, GateFacts]:
    """Return what else counts for each message to a patient, by notification id, as a statement of its own.

    Providers' notices, and messages about a visit that the gate does not know, are absent.

    Args:
        connection: As for `read_gate`, and after it.
        visits: Message → its visit, as its recipient has to see it.
        now: Domain time; *today* is the clinic's.
    """
    pairs = [(one, visit) for one in asked if one.recipient == PATIENT and (visit := visits.get(one.notification_id))]
    if not pairs:
        return {}
    days = {zone: _day(zone, now) for zone in {visit.zone for _, visit in pairs}}
    rows = await connection.fetch(
        FACTS,
        [one.notification_id for one, _ in pairs],
        [one.appointment_id for one, _ in pairs],
        [visit.patient_id for _, visit in pairs],
        [visit.clinic_id for _, visit in pairs],
        [days[visit.zone][0] for _, visit in pairs],
        [days[visit.zone][1] for _, visit in pairs],
        [one.replaces for one, _ in pairs],
    )
    addresses = {address for _, visit in pairs for address in (mobile_of(visit), email_of(visit)) if address}
    out = await stopped(connection, peppers, addresses)
    missing = [visit.appointment_id for one, visit in pairs if one.kind is Kind.CLEARANCE_MISSING]
    lacks = await _lacks(connection, missing, now) if missing else {}
    return {
        row["notification_id"]: replace(
            _standing(row),
            opted_out=_opted_out(visit, KINDS[one.kind].category, out),
            code=peppers.codes(visit.appointment_id, visit.schedule_gen)[0],
            lacks=lacks.get(visit.appointment_id, ()),
        )
        for (one, visit), row in _by_id(pairs, rows)
    }


async def _lacks(
    connection: Connection, appointment_ids: Sequence[UUID], now: datetime
) -> Mapping[UUID, tuple[Lack, ...]]:
    """Return what these visits lack as committed now; those that lack nothing are absent."""
    found: dict[UUID, tuple[Lack, ...]] = {}
    for row in await connection.fetch(LACKS, appointment_ids, now):
        lack = Lack(row["kind"], row["title"], row["how"], row["link"])
        found[row["appointment_id"]] = (*found.get(row["appointment_id"], ()), lack)
    return found


def _visit(row: asyncpg.Record) -> Visit:
    """Return the row as a visit: `GATE` names the columns in the order of its fields."""
    values = list(row)
    values[_STATUS] = Status(values[_STATUS])
    values[_LANGUAGES] = tuple(values[_LANGUAGES] or ())
    values[_DETAILS] = Details(*(values[_DETAILS].get(name, "") for name in _DETAIL_FIELDS))
    return Visit(*values)


def _day(zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the first instants of the clinic's local day of now and of the next one."""
    there = zone_of(zone)
    today = now.astimezone(there).date()
    return (
        datetime.combine(today, time(0), there),
        datetime.combine(today + timedelta(days=1), time(0), there),
    )


def _by_id(
    pairs: Sequence[tuple[GatedMessage, Visit]], rows: Sequence[asyncpg.Record]
) -> Iterator[tuple[tuple[GatedMessage, Visit], asyncpg.Record]]:
    """Give each message and its visit with its row."""
    found = {row["notification_id"]: row for row in rows}
    yield from ((pair, found[pair[0].notification_id]) for pair in pairs)


def _opted_out(
    visit: Visit, category: Category | None, stopped: Collection[tuple[Channel, Category, str]]
) -> frozenset[Channel]:
    mobile, email = mobile_of(visit), email_of(visit)
    addresses = ((Channel.EMAIL, email), (Channel.SMS, mobile), (Channel.WHATSAPP, mobile))
    return frozenset(channel for channel, address in addresses if (channel, category, address) in stopped)


def _standing(row: asyncpg.Record) -> GateFacts:
    version = row["preference_version"]
    return GateFacts(
        preferences=Preferences(row["whatsapp"], row["sms"], row["email"]) if version else None,
        told=Told(row["today"]),
        clinic=_clinic(row),
        preference_version=version,
    )


def _clinic(row: asyncpg.Record) -> ClinicSending:
    mode = SendingModeName(row["mode"]) if row["mode"] else None
    if row["allow_list"] is None:  # the clinic has no row
        return ClinicSending(mode) if mode else NOTHING_CHOSEN
    windows = {
        Channel(channel): SendWindow.model_validate({"opens": hours[0], "closes": hours[1]})
        for channel, hours in row["channel_windows"].items()
    }
    return ClinicSending(
        mode,
        frozenset(map(normal, row["allow_list"])),
        row["double_over_miss"],
        row["no_show_follow_up"],
        windows,
        row["replies"],
    )
