"""A format that booking does not know is added in this one file: over HTTP, and by a topic on real Kafka (G1)."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.choice import Formats
from booking.formats.fhir_r4.format import FHIR_JSON, FhirR4
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints, Parsed
from booking.values.refusals import Refused
from schemas.appointments import Status
from tests.integration.booking.formats.test_examples import FOLDER
from tests.support.booking.builders import LOCAL, NOW
from tests.support.booking.door import Door, booking, opened_on_kafka, running, send_inbound
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration

PIPES = "text/vnd.example.pipes"
BOOKED = b"e1|v1|booked|ann|EYE|2027-03-12T10:00:00+00:00"


class Pipes:
    """A line an event: key, appointment, status, patient, clinic, start."""

    media_types = (PIPES,)
    topic_content_types = (PIPES,)
    openapi: Mapping[str, Any] = {"schema": {"type": "string"}}

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        lines = body.decode().splitlines()
        return Parsed([self._command(line, hints) for line in lines], is_batch=len(lines) > 1)

    def event_id(self, body: bytes) -> str | None:
        return body.decode().partition("|")[0]

    def _command(self, line: str, hints: Hints) -> BookAppointment | Refused:
        fields = line.split("|")
        if len(fields) != 6:
            return Refused("WRONG_TYPE", "six fields a line", "line")
        key, appointment, status, patient, clinic, start = fields
        return BookAppointment(
            client=hints.client.client_id,
            key=key,
            body_sha256=sha256(line.encode()).digest(),
            source=hints.client.source(hints.source),
            appointment=appointment,
            status=Status(status),
            patient=patient,
            clinic=clinic,
            starts_at=datetime.fromisoformat(start),
        )


@pytest.fixture
async def speaking(installation: Installation) -> AsyncIterator[Door]:
    async with opened_on_kafka(installation, Formats(PlainJson(), FhirR4(), Pipes())) as door:
        yield door


async def test_a_request_of_its_media_type_is_taken_and_answered_like_any_other(speaking: Door) -> None:
    one = await speaking.ask("POST", "/v1/events", BOOKED, content_type=f"{PIPES}; charset=utf-8")
    assert (one.status_code, one.json()["result"]) == (200, "applied")
    many = await speaking.ask("POST", "/v1/events", BOOKED + b"\nno event", content_type=PIPES)
    told = many.json()["results"]
    assert [(item["status"], item.get("result"), item.get("code")) for item in told] == [
        (200, "repeat", None),
        (422, None, "WRONG_TYPE"),
    ]
    no_text = await speaking.ask("POST", "/v1/events", b"e1|\xff", content_type=PIPES)
    assert (no_text.status_code, no_text.json()["code"]) == (400, "NOT_UTF8")
    nothing = await speaking.ask("POST", "/v1/events", b"", content_type=PIPES)
    assert (nothing.status_code, nothing.json()) == (200, {"results": []})
    assert (await speaking.post(booking("e2", "v2")))["result"] == "applied"
    shown = (await speaking.look("/openapi.json")).json()["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    assert list(shown) == ["application/json", FHIR_JSON, PIPES]


async def test_a_record_that_names_its_content_type_is_taken_and_what_it_cannot_read_is_a_dead_letter(
    speaking: Door, installation: Installation
) -> None:
    await send_inbound(installation, ("v1", BOOKED), content_type=PIPES)
    await send_inbound(installation, ("v2", b"no event"), content_type=PIPES)
    await send_inbound(installation, ("v3", BOOKED + b"\n" + BOOKED), content_type=PIPES)
    await send_inbound(installation, ("v4", orjson.dumps(booking("e4", "v4"))))
    async with running(speaking):
        await until(speaking.service.consumer.idle)
    taken = await speaking.pool.fetch("SELECT key, result FROM ingress ORDER BY key")
    assert {(row["key"], row["result"]) for row in taken} == {("e1", "applied"), ("e4", "applied")}
    dead = await speaking.pool.fetch("SELECT key, code FROM dead_letter ORDER BY key")
    assert [(row["key"], row["code"]) for row in dead] == [(b"v2", "WRONG_TYPE"), (b"v3", "WRONG_TYPE")]


async def test_fhir_comes_by_the_topic_and_by_the_route_of_events_as_well(
    speaking: Door, installation: Installation
) -> None:
    await speaking.put("/v1/clinics/EYE", orjson.loads((FOLDER / "clinic.json").read_bytes()))
    message, resource = ((FOLDER / "fhir" / name).read_bytes() for name in ("booking-request.json", "appointment.json"))
    answer = await speaking.ask("POST", "/v1/events", message, content_type=FHIR_JSON)
    assert (answer.status_code, answer.json()["result"]) == (200, "applied")
    (command,) = FhirR4().parse(resource, Hints(LOCAL, NOW)).commands
    assert isinstance(command, BookAppointment)
    await send_inbound(installation, (command.appointment, resource), content_type=FHIR_JSON)
    async with running(speaking):
        await until(speaking.service.consumer.idle)
    assert await speaking.pool.fetchval("SELECT result FROM ingress WHERE key = $1", command.key) == "applied"
