"""What a provider reads in his inbox (R20). Plain text in one language: the clinic's staff share one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from notifier.domain.text import full_name, plain
from notifier.handle.fanout import InboxEntry

TITLE = "New Appointment Booked"
NO_NAME = "Patient not registered yet"


@dataclass(frozen=True, slots=True)
class Notice:
    """One row of a provider's inbox, but for its number."""

    provider_id: UUID
    notification_id: UUID
    appointment_id: UUID
    title: str
    body: str
    patient_name: str | None
    starts_at: datetime
    zone: str
    service_type: str | None
    link: str


def notice_of(entry: InboxEntry, link: str) -> Notice:
    """Return the notice: who comes, when at the clinic, and for what.

    Args:
        entry: An in-app notification that the gate let pass, so its visit has a provider and a start.
        link: Where an appointment is opened, with `{appointment_id}` in it.
    """
    visit = entry.visit
    if visit.provider_id is None or visit.starts_at is None:
        raise ValueError("the gate lets no notice pass without a provider and a start")
    name = full_name(visit.given_name, visit.family_name) or None
    service = plain(visit.service_type) or None
    local = visit.starts_at.astimezone(ZoneInfo(visit.zone))
    facts = [name or NO_NAME, f"{local:%a %d %b %Y}", f"{local:%H:%M}", *([service] if service else [])]
    return Notice(
        provider_id=visit.provider_id,
        notification_id=entry.notification.notification_id,
        appointment_id=visit.appointment_id,
        title=TITLE,
        body=" · ".join(facts),
        patient_name=name,
        starts_at=visit.starts_at,
        zone=visit.zone,
        service_type=service,
        link=link.replace("{appointment_id}", str(visit.appointment_id)),
    )
