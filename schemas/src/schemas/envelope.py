"""CloudEvents 1.0 attributes in Kafka binary mode: `ce_*` headers beside a JSON value."""

from dataclasses import dataclass
from datetime import datetime

Headers = tuple[tuple[str, bytes], ...]
"""Kafka record headers as we write them."""

Received = tuple[tuple[str, bytes | None], ...]
"""Kafka record headers as anybody may write them: names may repeat, a value may be null."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one event.

    Attributes:
        id: Fixed for (entity, version), so that every copy is identical (G2).
        type: `noun.verb.vN`.
        source: The service that wrote it, e.g. `attend/booking`.
        subject: The entity's id.
        time: Domain time of the change, aware.
        traceparent: W3C trace context, if one is known.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    traceparent: str | None = None

    def headers(self) -> Headers:
        """Return the Kafka headers of this envelope."""
        fixed = (
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_type", self.type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_subject", self.subject.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("content-type", b"application/json"),
        )
        return fixed if self.traceparent is None else (*fixed, ("traceparent", self.traceparent.encode()))


def event_type(headers: Received) -> str | None:
    """Return the `ce_type` of a record, or None if it carries none."""
    for name, value in headers:
        if name == "ce_type" and value is not None:
            return value.decode("ascii", "replace")
    return None
