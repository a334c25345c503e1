"""`python -m schemas.asyncapi [--check] FOLDER`: every topic as one AsyncAPI 3.0 document, `FOLDER/asyncapi.json`.

It is made from `schemas.topics`, the JSON Schema files in `FOLDER/json` and `FOLDER/inbound`, and the golden examples.
With `--check` nothing is written and the exit code is 1 if the file is not as it would be made.
"""

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from schemas.export import written
from schemas.topics import ALL, BOOKINGS_INBOUND, CLEARANCES_INBOUND, PATIENT_REPLIES, REMINDERS_REPLAYS, Topic

type Json = dict[str, Any]

FILE = "asyncapi.json"
INBOUND = "booking.event.v1"
"""Our own event, as upstream writes it."""
CLEARANCE = "clearance.event.v1"
"""What another system says of a visit's clearance."""
FHIR = "fhir.r4"
"""A booking in FHIR R4, whose schema is HL7's."""

_BINDING = "0.5.0"
_DESCRIPTION = (
    "Every topic of an Attend installation. A topic's name on the broker begins with the installation's prefix "
    "(`ATTEND_TOPIC_PREFIX`), if it has one. Services commit in one transaction a batch: read with isolation level "
    "`read_committed`. Contracts only grow: pass over fields that you do not know. How to write the inbound topic, and "
    "to ask what became of each record: docs/booking/inbound-topics.md."
)
_BOOKINGS_TEXT = (
    "Bookings, moves and cancellations by upstream systems. Belongs to one client by BOOKING_INBOUND_CLIENTS; further "
    "topics of this kind are declared there, one a client, with the same partitions and retention. The value is one "
    "event; the key is the source's id of the appointment, so that its events stay in order."
)
_CLEARANCES_TEXT = (
    "What other systems say of the clearance of visits: money, consents, referrals, identity. Belongs to one client by "
    "BOOKING_CLEARANCE_CLIENTS, where further topics of this kind are declared. The value is one clearance of a visit; "
    "the key is the source's id of the appointment: docs/booking/clearances-in.md."
)
_UNKNOWN_FIELDS = (
    " A field that is not described is not read, and named with the one that may be meant, UNKNOWN_FIELD: among the "
    "warnings of GET /v1/inbound/{event_id}, or in the dead letter of a record that is refused."
)
_INBOUND = {
    BOOKINGS_INBOUND.name: _BOOKINGS_TEXT + _UNKNOWN_FIELDS,
    CLEARANCES_INBOUND.name: _CLEARANCES_TEXT + _UNKNOWN_FIELDS,
}
"""The topics that upstream systems write."""
_INTERNAL = "Internal: shown so that its name, partitions and retention are known, not to be read or written."
_SHARED = {
    BOOKINGS_INBOUND.name: (INBOUND, FHIR),
    CLEARANCES_INBOUND.name: (CLEARANCE,),
    REMINDERS_REPLAYS.name: ("appointment.changed.v1",),
}
"""The messages of topics that carry other bodies than events of their own types."""

_TITLES = {INBOUND: "An event of ours", CLEARANCE: "A clearance", FHIR: "FHIR R4"}
"""The messages of upstream systems."""


def document(folder: Path) -> Json:
    """Return the document."""
    schemas = dict(_schemas(folder))
    names = sorted({name for topic in ALL for name in _messages(topic)})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Attend topics",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "installation": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The installation's Kafka.",
                "variables": {"bootstrap": {"default": "127.0.0.1:19092", "description": "KAFKA_BOOTSTRAP_SERVERS"}},
            }
        },
        "channels": {topic.name: _channel(topic) for topic in ALL},
        "operations": {name: operation for topic in ALL for name, operation in _operations(topic)},
        "components": {"messages": {name: _message(name, folder) for name in names}, "schemas": schemas},
    }


def _messages(topic: Topic) -> tuple[str, ...]:
    return topic.types or _SHARED.get(topic.name, ())


def _channel(topic: Topic) -> Json:
    text = _INBOUND.get(topic.name, f"Written by {topic.owner} alone. The key is the {topic.key}.")
    if topic.name in {PATIENT_REPLIES.name, REMINDERS_REPLAYS.name} or not _messages(topic):
        text = f"{text} {_INTERNAL}"
    return {
        "address": topic.name,
        "description": text,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(topic)},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": _milliseconds(topic.retention),
                },
                "bindingVersion": _BINDING,
            }
        },
        "x-owner": topic.owner,
        "x-key": topic.key,
        **({"x-settings": topic.settings} if topic.settings else {}),
    }


def _milliseconds(retention: timedelta | None) -> int:
    """Return them as Kafka has them: -1 keeps records for ever."""
    return -1 if retention is None else retention // timedelta(milliseconds=1)


def _operations(topic: Topic) -> Iterator[tuple[str, Json]]:
    action = "receive" if topic.name in _INBOUND else "send"
    if _messages(topic):
        yield (
            f"{action}-{topic.name}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"{'booking reads' if action == 'receive' else f'{topic.owner} writes'} {topic.name}.",
                "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in _messages(topic)],
            },
        )


def _message(name: str, folder: Path) -> Json:
    if name in _TITLES:
        return _inbound_message(name)
    example = folder / "examples" / f"{name}.json"
    key = next(topic.key for topic in ALL if name in topic.types)
    key = "clinic_id" if name == "clinic_day.due.v1" else key
    return {
        "name": name,
        "title": name,
        "contentType": "application/json",
        "headers": _cloud_event(name),
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
        "examples": [{"name": "golden", "payload": orjson.loads(example.read_bytes())}],
    }


def _inbound_message(name: str) -> Json:
    content_type = "application/fhir+json" if name == FHIR else "application/json"
    left_out = "" if name == FHIR else "; left out: application/json"
    header = {"const": content_type, "type": "string", "description": f"Which format the value is in{left_out}."}
    key = {"type": "string", "description": "The source's id of the appointment; any of its names will do."}
    fhir = {"type": "object", "description": "A message Bundle (booking-request) or one Appointment of FHIR R4."}
    required = {"required": ["content-type"]} if name == FHIR else {}
    return {
        "name": name,
        "title": _TITLES[name],
        "contentType": content_type,
        "headers": {"type": "object", "properties": {"content-type": header}, **required},
        "payload": fhir if name == FHIR else {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
    }


def _cloud_event(event_type: str) -> Json:
    text: Json = {"type": "string"}
    properties = {
        "ce_specversion": {**text, "const": "1.0"},
        "ce_id": {**text, "description": "The same for every copy of the event."},
        "ce_type": {**text, "const": event_type},
        "ce_source": {**text, "description": "The service that wrote it, such as attend/booking."},
        "ce_subject": {**text, "description": "The entity's id."},
        "ce_time": {**text, "format": "date-time", "description": "When it changed."},
        "content-type": {**text, "const": "application/json"},
        "traceparent": {**text, "description": "W3C trace context, if one is known."},
    }
    return {"type": "object", "properties": properties, "required": [n for n in properties if n != "traceparent"]}


def _schemas(folder: Path) -> Iterator[tuple[str, Json]]:
    """Yield every contract and, under its name and their own, the definitions in it."""
    for file in sorted([*(folder / "json").glob("*.json"), *(folder / "inbound").glob("*.json")]):
        name, schema = file.stem, orjson.loads(file.read_bytes())
        definitions = schema.pop("$defs", {})
        for word in ("$schema", "$id"):
            schema.pop(word, None)
        yield name, _moved(schema, name)
        for inner, definition in sorted(definitions.items()):
            yield f"{name}.{inner}", _moved(definition, name)


def _moved(part: Any, name: str) -> Any:
    """Return a part of a schema whose references lead to where its definitions are now."""
    if isinstance(part, dict):
        return {key: _moved(value, name) for key, value in part.items()}
    if isinstance(part, list):
        return [_moved(value, name) for value in part]
    found = re.fullmatch(r"#/\$defs/(.+)", part) if isinstance(part, str) else None
    return f"#/components/schemas/{name}.{found[1]}" if found else part


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    folder = Path(arguments[-1])
    made, file = written(document(folder)), folder / FILE
    if "--check" not in arguments:
        file.write_bytes(made)
        return 0
    if file.exists() and file.read_bytes() == made:
        return 0
    sys.stdout.write(f"{file} is not as the topics and contracts are: make schemas\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
