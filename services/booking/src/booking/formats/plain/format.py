"""Our own JSON: one event, an array of events, or `{"events": [...]}`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from booking.appointments.domain.command import BookAppointment
from booking.door.bodies import Id, Text, described, refusal_of
from booking.door.domain import Client
from booking.door.strict_json import canonical_hash, strict_json
from booking.formats.port import Hints, Parsed
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.times import instant
from booking.values.unset import UNSET, Maybe
from schemas.appointments import IngestMode, Status

LARGEST_BATCH = 1_000
LARGEST_SEQUENCE = 2**63 - 1


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Reference(_Body):
    """Somebody, by the source's own id."""

    id: Id


class AppointmentBody(_Body):
    """An appointment as the event leaves it. Fields left out keep what is held."""

    id: Id = Field(description="The source's id of the appointment.")
    status: Status
    confirmed: StrictBool | None = None
    patient: Reference | None = None
    clinic: StrictStr | None = Field(default=None, description="The clinic's code.")
    provider: Reference | None = Field(default=None, description="null: nobody is assigned.")
    service_type: Text | None = None
    start: StrictStr | None = Field(default=None, description="ISO 8601 with offset, or wall time in `zone`.")
    end: StrictStr | None = Field(default=None, description="As `start`. Left out, a moved visit keeps its length.")
    zone: StrictStr | None = Field(default=None, description="IANA zone of times without offset.")


class EventBody(_Body):
    """One event about one appointment."""

    event_id: Id | None = Field(default=None, description="Or the header Idempotency-Key, for a single event.")
    source: StrictStr | None = Field(default=None, description="Left out: the client's only source.")
    occurred_at: StrictStr | None = Field(default=None, description="When the source last changed it, with offset.")
    sequence: Annotated[StrictInt, Field(ge=0, le=LARGEST_SEQUENCE)] | None = None
    mode: IngestMode = IngestMode.LIVE
    reason: Text | None = None
    appointment: AppointmentBody


BOOKED = {
    "event_id": "msg-1",
    "sequence": 1,
    "appointment": {
        "id": "visit-1",
        "status": "booked",
        "patient": {"id": "p-1"},
        "clinic": "CARDIO",
        "provider": {"id": "dr-204"},
        "service_type": "Echocardiogram",
        "start": "2027-03-12T10:00:00+00:00",
        "end": "2027-03-12T10:30:00+00:00",
    },
}
MOVED = {
    "event_id": "msg-2",
    "sequence": 2,
    "appointment": {"id": "visit-1", "status": "booked", "start": "2027-03-15T09:00", "zone": "Europe/London"},
}
CANCELLED = {"event_id": "msg-3", "sequence": 3, "appointment": {"id": "visit-1", "status": "cancelled"}}

EXAMPLES = {
    "booked": BOOKED,
    "moved": MOVED,
    "cancelled": CANCELLED,
    "batch": {"events": [BOOKED, {**CANCELLED, "event_id": "msg-4"}]},
}


_OPENAPI = described(EventBody, EXAMPLES)
_OPENAPI["schema"]["description"] = f"One event, an array of events, or {{'events': [...]}}; at most {LARGEST_BATCH}."


class PlainJson:
    """`port.Format` of our own JSON: one event, an array of events, or `{"events": [...]}`."""

    media_types = ("application/json",)
    topic_content_types = ("application/json",)
    openapi = _OPENAPI

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`."""
        value = strict_json(body)
        return Parsed(self.read(value, hints), is_batch(value))

    def read(self, value: Any, hints: Hints) -> Sequence[BookAppointment | Refused]:
        """Return the commands in a JSON value."""
        if not is_batch(value):
            return [event(value, hints)]
        events = value["events"] if isinstance(value, dict) else value
        if not isinstance(events, list):
            raise Refused("WRONG_TYPE", "an array of events", "events")
        if len(events) > LARGEST_BATCH:
            raise Refused("BATCH_TOO_LARGE", f"at most {LARGEST_BATCH} events", "events")
        if not events:
            raise Refused("EMPTY_BATCH", "no event in it", "events")
        inside = Hints(hints.client, hints.source)  # one key cannot stand for many events
        return [_or_refusal(one, inside) for one in events]


def is_batch(value: Any) -> bool:
    """Say whether the body is a batch, which is answered item by item."""
    return isinstance(value, list) or (isinstance(value, dict) and "events" in value and "appointment" not in value)


def _or_refusal(value: Any, hints: Hints) -> BookAppointment | Refused:
    try:
        return event(value, hints)
    except Refused as refusal:
        return refusal


def event(value: Any, hints: Hints) -> BookAppointment:
    """Return the command in one event's JSON."""
    try:
        body = EventBody.model_validate(value)
    except ValidationError as error:
        raise refusal_of(error) from None
    key = body.event_id or hints.key
    if key is None:
        raise Refused("MISSING_FIELD", "give an event_id, or the header Idempotency-Key", "event_id")
    return command(body, texts.identifier(key, "event_id"), canonical_hash(value), hints.client, hints.source)


def command(body: EventBody, key: str, body_sha256: bytes, client: Client, source: str | None) -> BookAppointment:
    """Return the command of a body whose shape is right."""
    visit = body.appointment
    given = visit.model_fields_set
    return BookAppointment(
        client=client.client_id,
        key=key,
        body_sha256=body_sha256,
        source=client.source(body.source or source),
        appointment=texts.identifier(visit.id, "appointment.id"),
        status=visit.status,
        sequence=body.sequence,
        occurred_at=None if body.occurred_at is None else instant(body.occurred_at, None, "occurred_at"),
        mode=body.mode,
        reason=None if body.reason is None else texts.name(body.reason, "reason"),
        confirmed=UNSET if visit.confirmed is None else visit.confirmed,
        patient=None if visit.patient is None else texts.identifier(visit.patient.id, "appointment.patient.id"),
        clinic=visit.clinic,
        provider=_provider(visit) if "provider" in given else UNSET,
        service_type=_service(visit) if "service_type" in given else UNSET,
        starts_at=_time(visit.start, visit.zone, "appointment.start") if "start" in given else UNSET,
        ends_at=_time(visit.end, visit.zone, "appointment.end") if "end" in given else UNSET,
    )


def _provider(visit: AppointmentBody) -> str | None:
    return None if visit.provider is None else texts.identifier(visit.provider.id, "appointment.provider.id")


def _service(visit: AppointmentBody) -> Maybe[str | None]:
    return None if visit.service_type is None else texts.name(visit.service_type, "appointment.service_type")


def _time(written: str | None, zone: str | None, place: str) -> datetime | None:
    if written is None:
        return None
    return instant(written, zone, place)
