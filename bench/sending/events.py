"""What the topics say of the load's visits, and the notifier's own stories told of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from itertools import batched
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import SecretStr

from bench.delivery.load import Record
from bench.delivery.servers import Place
from bench.sending.people import Visit
from chassis.delivery.consumer import Subscription
from chassis.postgres.database import create_pool
from notifier.settings import Settings
from notifier.wiring.service import SERVICE, subscriptions
from schemas import wire
from schemas.appointments import (
    APPOINTMENT_CHANGED,
    Appointment,
    ReminderPolicy,
    ReminderRule,
    SendWindow,
)
from schemas.envelope import Envelope
from schemas.reminders import REMINDER_DUE, ReminderDue
from schemas.topics import Topic
from stack.ports import free_port

BATCH = 4000
RULE = "24h"


def settings_of(place: Place, **more: Any) -> Settings:
    """Return the notifier's settings for a place: everything may leave."""
    return Settings.model_validate(
        {
            "database_url": SecretStr(place.url(SERVICE)),
            "kafka_bootstrap_servers": place.bootstrap,
            "topic_prefix": place.prefix,
            "http_port": free_port(),
            "operations_port": free_port(),
            "log_level": "warning",
            "sending_mode": "live",
            "address_pepper": "of a benchmark and as long as it has to be",
            **more,
        }
    )


def changed(visit: Visit, now: datetime) -> Record:
    """Return the record of `appointments` that says this version of a visit."""
    rules = (
        ReminderRule(slug="24h", lead_hours=24, in_force_since=now),
        ReminderRule(slug="2h", lead_hours=2, in_force_since=now),
    )
    body = Appointment(
        appointment_id=visit.appointment_id,
        version=visit.version,
        status=visit.status,
        patient_id=visit.patient_id,
        clinic_id=visit.clinic_id,
        provider_id=visit.provider_id,
        service_type=visit.service,
        starts_at=visit.starts_at,
        ends_at=visit.starts_at + timedelta(minutes=30),
        zone="Europe/London",
        schedule_gen=visit.schedule_gen,
        schedule_set_at=now,
        first_booked_at=now,
        policy=ReminderPolicy(policy_id="default", rules=rules, window=SendWindow(opens=time.min, closes=time.max)),
        event_time=now,
        ingest_time=now,
        source="bench",
    )
    event_id = str(wire.event_id(visit.appointment_id, visit.version))
    envelope = Envelope(event_id, APPOINTMENT_CHANGED, "attend/booking", str(visit.appointment_id), now)
    return Record(str(visit.appointment_id).encode(), wire.encode(body), envelope.headers())


def due(visit: Visit, now: datetime, not_after: datetime) -> Record:
    """Return the record of `reminders` that hands a visit's reminder over."""
    reminder_id = wire.reminder_id(visit.appointment_id, 1, RULE)
    body = ReminderDue(
        reminder_id=reminder_id,
        appointment_id=visit.appointment_id,
        version=1,
        schedule_gen=1,
        rule=RULE,
        due=now,
        not_after=not_after,
        caused_by=str(wire.event_id(visit.appointment_id, 1)),
    )
    envelope = Envelope(str(reminder_id), REMINDER_DUE, "attend/reminders", str(visit.appointment_id), now)
    return Record(str(visit.appointment_id).encode(), wire.encode(body), envelope.headers())


async def tell(settings: Settings, topic: Topic, records: Iterable[Record]) -> None:
    """Let the fan-out's own story take these records of a topic, without a broker between."""
    story: Subscription[Any] = next(item for item in subscriptions(settings) if item.topic is topic)
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE, max_size=1, plans="custom")
    try:
        for part in batched(records, BATCH):
            async with pool.acquire() as connection, connection.transaction():
                await story.apply(connection, _decoded(story, topic, part))
    finally:
        await pool.close()


def _decoded(story: Subscription[Any], topic: Topic, records: Sequence[Record]) -> list[Any]:
    return [
        story.decode(
            ConsumerRecord(
                topic=topic.name,
                partition=0,
                offset=offset,
                timestamp=0,
                timestamp_type=0,
                key=record.key,
                value=record.value,
                checksum=None,
                serialized_key_size=len(record.key),
                serialized_value_size=len(record.value),
                headers=record.headers,
            )
        )
        for offset, record in enumerate(records)
    ]
