"""Our own JSON: one event, an array of events, or `{"events": [...]}`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.door.bodies import Id, Text, described, naming_unread, unknown_fields
from booking.door.strict_json import canonical_hash, event_json, loose_json
from booking.formats.plain.pieces import Fields, noted, without_details
from booking.formats.plain.places import note_places
from booking.formats.port import Hints, Parsed
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.times import instant
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details
from schemas.appointments import IngestMode, Status

LARGEST_BATCH = 1_000
LARGEST_SEQUENCE = 2**63 - 1


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Reference(_Body):
    """Somebody, by the source's own id."""

    id: Id


def _said(value: Any) -> Any:
    """Return the patient's JSON; an object in which nothing is said is none."""
    return None if isinstance(value, dict) and all(one is None for one in value.values()) else value


class AppointmentBody(_Body):
    """An appointment as the event leaves it. Fields left out keep what is held."""

    id: Id = Field(description="The source's id of the appointment.")
    status: Status
    confirmed: StrictBool | None = None
    patient: Annotated[Reference | None, BeforeValidator(_said)] = None
    clinic: StrictStr | None = Field(default=None, description="The clinic's code.")
    provider: Reference | None = Field(default=None, description="null: nobody is assigned.")
    service_type: Text | None = None
    start: StrictStr | None = Field(default=None, description="ISO 8601 with offset, or wall time in `zone`.")
    end: StrictStr | None = Field(default=None, description="As `start`. Left out, a moved visit keeps its length.")
    zone: StrictStr | None = Field(
        default=None, description="IANA or Windows zone of times without offset. Left out: the source's profile says."
    )


class EventBody(_Body):
    """One event about one appointment."""

    event_id: Id | None = Field(default=None, description="Or the header Idempotency-Key, for a single event.")
    source: StrictStr | None = Field(default=None, description="Left out: the client's only source.")
    occurred_at: StrictStr | None = Field(default=None, description="When the source last changed it, with offset.")
    sequence: Annotated[StrictInt, Field(ge=0, le=LARGEST_SEQUENCE)] | None = None
    mode: IngestMode | None = Field(
        default=None, description="Left out or null: as the source's profile says, else live."
    )
    reason: Text | None = None
    appointment: AppointmentBody


class EventsBody(_Body):
    """Several events, each answered for itself."""

    events: list[EventBody] = Field(min_length=1, max_length=LARGEST_BATCH)


class _Batch(_Body):
    events: list[Any]


class _Sent(EventBody):
    """An event, or what was meant as a batch of them."""

    events: list[Any] = []


_FIELDS: Fields = {
    (): frozenset(EventBody.model_fields),
    ("appointment",): frozenset(AppointmentBody.model_fields),
    ("appointment", "patient"): frozenset(Reference.model_fields),
    ("appointment", "provider"): frozenset(Reference.model_fields),
}


BOOKED: dict[str, Any] = {
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
MOVED: dict[str, Any] = {
    "event_id": "msg-2",
    "sequence": 2,
    "appointment": {"id": "visit-1", "status": "booked", "start": "2027-03-15T09:00", "zone": "Europe/London"},
}
CANCELLED: dict[str, Any] = {
    "event_id": "msg-3",
    "sequence": 3,
    "appointment": {"id": "visit-1", "status": "cancelled"},
}

EXAMPLES = {
    "booked": BOOKED,
    "moved": MOVED,
    "cancelled": CANCELLED,
    "batch": {"events": [BOOKED, {**CANCELLED, "event_id": "msg-4"}]},
}


_OPENAPI = described(EventBody | EventsBody | list[EventBody], EXAMPLES)
_OPENAPI["schema"]["description"] = f"One event, an array of events, or {{'events': [...]}}; at most {LARGEST_BATCH}."


class PlainJson:
    """`port.Format` of our own JSON: one event, an array of events, or `{"events": [...]}`."""

    media_types = ("application/json",)
    topic_content_types = ("application/json",)
    openapi = _OPENAPI

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`."""
        value = event_json(body)
        around = unknown_fields(_Batch, value) if is_batch(value) else ()
        return Parsed(self.read(value, hints), is_batch(value), list(around))

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`."""
        value = loose_json(body)
        return value.get("event_id") if isinstance(value, dict) else None

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
        inside = replace(hints, key=None)  # one key cannot stand for many events
        return [_or_refusal(one, inside) for one in events]


def is_batch(value: Any) -> bool:
    """Say whether the body is a batch, which is answered item by item."""
    return isinstance(value, list) or (isinstance(value, dict) and "events" in value and "appointment" not in value)


def _or_refusal(value: Any, hints: Hints) -> BookAppointment | Refused:
    try:
        return event(value, hints)
    except Refused as refusal:
        return refusal


def read_body(value: Any, details: Details) -> EventBody:
    """Return the body in one event's JSON: as a whole, and only if that fails without the details that are wrong."""
    try:
        body = EventBody.model_validate(value)
    except ValidationError as error:
        body = EventBody.model_validate(without_details(value, error, details))
    noted(value, _FIELDS, details)
    return body


def event(value: Any, hints: Hints) -> BookAppointment:
    """Return the command in one event's JSON."""
    details = Details(trail=hints.trail())
    with naming_unread(_Sent, value):
        body = read_body(value, details)
        key = body.event_id or hints.key
        if key is None:
            raise Refused("MISSING_FIELD", "give an event_id, or the header Idempotency-Key", "event_id")
        key = texts.identifier(key, "event_id")
        return command(body, key, canonical_hash(value), hints, details)


def command(body: EventBody, key: str, body_sha256: bytes, hints: Hints, details: Details) -> BookAppointment:
    """Return the command of a body whose shape is right; what it cannot keep is dropped and noted in `details`.

    What the body does not say of its zone, mode and clinic is as the source's profile says.
    """
    visit = body.appointment
    given = visit.model_fields_set
    meant = hints.meant(body.source)
    zone = visit.zone or (meant.zone.key if meant.zone else None)
    if details.trail is not None:
        note_places(body.model_dump(exclude_unset=True), zone, details)
    return BookAppointment(
        client=hints.client.client_id,
        key=key,
        body_sha256=body_sha256,
        source=meant.source,
        appointment=texts.identifier(visit.id, "appointment.id"),
        status=visit.status,
        sequence=body.sequence,
        occurred_at=details.read(None, _time, body.occurred_at, None, "occurred_at"),
        mode=body.mode or meant.profile.mode,
        reason=None if body.reason is None else details.read(None, texts.name, body.reason, "reason"),
        confirmed=UNSET if visit.confirmed is None else visit.confirmed,
        patient=None if visit.patient is None else texts.identifier(visit.patient.id, "appointment.patient.id"),
        clinic=visit.clinic,
        clinic_otherwise=meant.profile.clinic,
        provider=details.read(UNSET, _provider, visit) if "provider" in given else UNSET,
        service_type=details.read(UNSET, _service, visit) if "service_type" in given else UNSET,
        starts_at=_start(visit, zone, details) if "start" in given else UNSET,
        ends_at=details.read(UNSET, _time, visit.end, zone, "appointment.end") if "end" in given else UNSET,
        warnings=tuple(details.warnings),
    )


def _provider(visit: AppointmentBody) -> str | None:
    return None if visit.provider is None else texts.identifier(visit.provider.id, "appointment.provider.id")


def _service(visit: AppointmentBody) -> Maybe[str | None]:
    return None if visit.service_type is None else texts.name(visit.service_type, "appointment.service_type")


def _start(visit: AppointmentBody, zone: str | None, details: Details) -> Maybe[datetime | None]:
    """Return the start, which is a detail where the status needs none."""
    asked = (visit.start, zone, "appointment.start")
    return details.read(UNSET, _time, *asked) if visit.status in NEEDS_NO_START else _time(*asked)


def _time(written: str | None, zone: str | None, place: str) -> datetime | None:
    if written is None:
        return None
    return instant(written, zone, place)
