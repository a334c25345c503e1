"""What a provider reads in his inbox (R20, R27, R28, D18). Plain text in one language: the clinic's staff share one."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from notifier.gate.domain.visit import Visit
from notifier.inbox.domain import DayList, InboxEntry
from notifier.values.kinds import KINDS
from notifier.wording.domain.safe_text import full_name, plain
from schemas.notifications import Kind
from schemas.zones import zone_of

NO_NAME = "Patient not registered yet"


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of a provider's inbox, but for its number.

    Attributes:
        appointment_id: None for a list of the day, as are name, service and link.
        starts_at: Of a list, the first visit's.
        visits: Of a list, its visits as JSON: appointment_id, time, patient_name, service_type, link.
    """

    provider_id: UUID
    notification_id: UUID
    kind: Kind
    appointment_id: UUID | None
    title: str
    body: str
    patient_name: str | None
    starts_at: datetime
    zone: str
    service_type: str | None
    link: str | None
    visits: str | None = None


def notice_of(entry: InboxEntry | DayList, link: str | None) -> Notice:
    """Return the notice: who comes, when at the clinic, and for what; or all of them of a day.

    Args:
        entry: What the gate let pass, so its visits have a provider and a start.
        link: Where an appointment is opened, with `{appointment_id}` in it; None: notices carry no link.
    """
    return _of_a_day(entry, link) if isinstance(entry, DayList) else _of_a_visit(entry, link)


def _of_a_visit(entry: InboxEntry, link: str | None) -> Notice:
    visit, kind = entry.visit, entry.notification.kind
    if visit.provider_id is None or visit.starts_at is None:
        raise ValueError("the gate lets no notice pass without a provider and a start")
    name, service = _who(visit)
    local = visit.starts_at.astimezone(zone_of(visit.zone))
    facts = [name or NO_NAME, _day(local.date()), _time(local), *([service] if service else [])]
    return Notice(
        provider_id=visit.provider_id,
        notification_id=entry.notification.notification_id,
        kind=kind,
        appointment_id=visit.appointment_id,
        title=KINDS[kind].title,
        body=" · ".join(facts),
        patient_name=name,
        starts_at=visit.starts_at,
        zone=visit.zone,
        service_type=service,
        link=_link(visit, link),
    )


def _of_a_day(entry: DayList, link: str | None) -> Notice:
    first = entry.visits[0]
    if first.starts_at is None:
        raise ValueError("a list of the day has only visits with a start")
    lines = [_line(visit, link) for visit in entry.visits]
    told = [
        " · ".join(filter(None, (one["time"], one["patient_name"] or NO_NAME, one["service_type"]))) for one in lines
    ]
    return Notice(
        provider_id=entry.provider_id,
        notification_id=entry.notification.notification_id,
        kind=Kind.PROVIDER_DAY,
        appointment_id=None,
        title=KINDS[Kind.PROVIDER_DAY].title.format(clinic=plain(first.clinic_name)),
        body="\n".join((_day(entry.day), *told)),
        patient_name=None,
        starts_at=first.starts_at,
        zone=first.zone,
        service_type=None,
        link=None,
        visits=orjson.dumps(lines).decode(),
    )


def _line(visit: Visit, link: str | None) -> dict[str, Any]:
    name, service = _who(visit)
    local = visit.starts_at.astimezone(zone_of(visit.zone)) if visit.starts_at else None
    return {
        "appointment_id": str(visit.appointment_id),
        "time": _time(local) if local else None,
        "patient_name": name,
        "service_type": service,
        "link": _link(visit, link),
    }


@lru_cache(maxsize=1000)
def _day(day: date) -> str:
    return f"{day:%a %d %b %Y}"


def _time(local: datetime) -> str:
    return f"{local.hour:02}:{local.minute:02}"


def _who(visit: Visit) -> tuple[str | None, str | None]:
    return full_name(visit.given_name, visit.family_name) or None, plain(visit.service_type) or None


def _link(visit: Visit, link: str | None) -> str | None:
    return None if link is None else link.replace("{appointment_id}", str(visit.appointment_id))
