"""From Kafka records of the topic `clinics` to versions of a clinic."""

from typing import Any

from aiokafka import ConsumerRecord

from reminders.clinic_days.domain import ClinicVersion
from reminders.projector.messages import event_time
from schemas.people import CLINIC_CHANGED, Clinic
from schemas.wire import check_zone, decode_typed


def clinic_event(record: ConsumerRecord[Any, Any]) -> ClinicVersion:
    """Return an event of the topic `clinics`.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; INVALID without a readable `ce_time`, or with no zone of the
            IANA list.
    """
    clinic = decode_typed({CLINIC_CHANGED: Clinic}, tuple(record.headers), record.value)
    assert isinstance(clinic, Clinic)  # noqa: S101  # the only model in the table
    check_zone(clinic.zone)
    return ClinicVersion(clinic, event_time(record))
