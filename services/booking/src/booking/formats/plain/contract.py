"""Our own event, as a record's value."""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from booking.door.bodies import Id
from booking.formats.plain.format import BOOKED, CANCELLED, MOVED, EventBody


class _LeftOut(GenerateJsonSchema):
    """Names no defaults: a field that is left out keeps what is held, and a sender that fills in null takes it away."""

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


class RecordBody(EventBody):
    """One event about one appointment, as a record of an inbound topic holds it.

    A field that is not described is not read, and named with the one that may be meant: `UNKNOWN_FIELD` among the
    warnings of `GET /v1/inbound/{event_id}`, or in the dead letter of a record that is refused.
    """

    model_config = ConfigDict(title="BookingEvent", json_schema_extra={"examples": [BOOKED, MOVED, CANCELLED]})

    event_id: Id = Field(description="The same event has the same id, however often it is sent.")

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return its JSON Schema, in which no field has a default."""
        return super().model_json_schema(schema_generator=_LeftOut)
