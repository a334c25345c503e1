"""Our own JSON of a clearance, as a record of an inbound topic holds it."""

from typing import Any

from pydantic import ConfigDict, Field, StrictStr
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from booking.clearances.bodies import CONSENT, PAID, ClearanceBody, command_of
from booking.door.bodies import Body, Id, naming_unread, read, unknown_fields
from booking.door.strict_json import canonical_hash, event_json
from booking.formats.clearances.told import ToldClearance
from booking.formats.port import Hints
from booking.values import texts
from booking.values.refusals import Refused


class VisitBody(Body):
    """The visit, by the source's own id."""

    id: Id


def _event(said: dict[str, Any]) -> dict[str, Any]:
    told = {name: one for name, one in said.items() if name != "event_id"}
    return {"event_id": said["event_id"], "appointment": {"id": "visit-1"}, "clearance": told}


EXAMPLES = (_event(PAID), _event(CONSENT))


class _LeftOut(GenerateJsonSchema):
    """Names no defaults: what is left out is not said."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


class ClearanceEvent(Body):
    """One word about one clearance of one visit, as a record of an inbound topic holds it.

    A field that is not described is not read, and named with the one that may be meant: `UNKNOWN_FIELD` among the
    warnings of `GET /v1/inbound/{event_id}`, or in the dead letter of a record that is refused.
    """

    model_config = ConfigDict(json_schema_extra={"examples": list(EXAMPLES)})

    event_id: Id = Field(description="The same event has the same id, however often it is sent.")
    source: StrictStr | None = Field(default=None, description="Left out: the client's only source.")
    appointment: VisitBody
    clearance: ClearanceBody = Field(description="As `POST /v1/appointments/{id}/clearances` takes it.")

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return its JSON Schema, in which no field has a default."""
        return super().model_json_schema(schema_generator=_LeftOut)


def parse(body: bytes, hints: Hints) -> ToldClearance:
    """Return the clearance in a record's value; the source is empty where it names none.

    Raises:
        Refused: The first thing that is wrong: of a clearance no detail is dropped.
        UnicodeDecodeError: It is no text.
    """
    value = event_json(body)
    event = read(ClearanceEvent, value)
    with naming_unread(ClearanceEvent, value):
        visit = (event.source or "", texts.identifier(event.appointment.id, "appointment.id"))
        said = {**value["clearance"], "event_id": event.event_id}
        try:
            command = command_of(said, hints.client.client_id, visit, canonical_hash(value))
        except Refused as refusal:
            raise Refused(refusal.code, refusal.message, place_of(refusal.place)) from None
    warnings = tuple(unknown_fields(ClearanceEvent, value))
    patients = () if command.patient is None else (command.patient,)
    return ToldClearance(command._replace(warnings=warnings), visit[0], (visit[1],), patients, place_of)


def place_of(name: str) -> str:
    """Return where a field of the command stands in the event."""
    return _OUTSIDE.get(name, f"clearance.{name}")


_OUTSIDE = {"": "", "appointment": "appointment.id", "event_id": "event_id"}
