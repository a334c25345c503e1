"""`POST /fhir/R4/$process-message`, `POST|PUT /fhir/R4/Appointment`: answers and refusals in FHIR's words."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import Result
from booking.door.auth import Caller
from booking.door.bodies import Source, described
from booking.door.domain import Client
from booking.formats.fhir_r4.format import FHIR_JSON, parse_appointment, parse_message
from booking.formats.fhir_r4.outcomes import outcome, warnings
from booking.formats.http import EVENT_CODES, KEY_HEADER, EventDoor
from booking.formats.port import Parse
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses

_CODES_422 = (
    "NOT_A_MESSAGE", "NOT_AN_APPOINTMENT", "UNKNOWN_MESSAGE_EVENT", "NO_APPOINTMENT", "NO_APPOINTMENT_ID", "NO_PATIENT",
    "SEVERAL_PATIENTS", "INVALID_FHIR", "FHIR_INVARIANT", "FHIR_R5", *EVENT_CODES[422],
)  # fmt: skip


class _Resource(BaseModel):
    model_config = ConfigDict(extra="allow")


class FhirAppointment(_Resource):
    """An Appointment of R4, of which FHIR itself says the rest."""

    resource_type: Literal["Appointment"] = Field(alias="resourceType")


class FhirBundle(_Resource):
    """A Bundle of R4, of which FHIR itself says the rest."""

    resource_type: Literal["Bundle"] = Field(alias="resourceType")


NOT_READ = (
    "A field that the release does not have is not read, and named with the one that may be meant: `UNKNOWN_FIELD` in "
    "an issue of the answer's OperationOutcome."
)
"""What becomes of an unknown field of a resource (0047)."""

_APPOINTMENT, _BUNDLE = (described(one, {})["schema"] for one in (FhirAppointment, FhirBundle))


async def fhir_parameters(
    as_format: Annotated[str | None, Query(alias="_format", description="Every answer is JSON.")] = None,
    pretty: Annotated[str | None, Query(alias="_pretty", description="Without effect.")] = None,
    summary: Annotated[str | None, Query(alias="_summary", description="Every answer is whole.")] = None,
    elements: Annotated[str | None, Query(alias="_elements", description="Every answer is whole.")] = None,
) -> None:
    """Name the parameters that any FHIR request may have (R4, RESTful API, section 3.1.0.1.11): they change nothing."""


def routes(door: EventDoor, caller: Caller) -> APIRouter:
    """Return the FHIR routes."""
    router = APIRouter(
        prefix="/fhir/R4",
        tags=["FHIR R4"],
        dependencies=[Depends(fhir_parameters)],
        responses=refuses({**EVENT_CODES, 422: _CODES_422}),
    )

    taken = {
        **answers(_APPOINTMENT, FHIR_JSON),
        **answers(_APPOINTMENT, FHIR_JSON, status=201),
    }

    async def take(request: Request, client: Client, parse: Parse, source: str | None, *, as_message: bool) -> Response:
        try:
            parsed, (answer,) = await door.take(request, client, parse, source)
        except Refused as refusal:
            return outcome(refusal)
        (command,) = parsed.commands
        if answer.refusal is not None or not isinstance(command, BookAppointment):
            return outcome(answer.refusal or Refused("NOT_READ", "the command could not be read"))
        resource = message(answer, command) if as_message else with_warnings(appointment(answer, command), answer)
        return answered(resource, answer)

    @router.post(
        "/$process-message",
        summary="Take a booking message",
        responses=answers(_BUNDLE, FHIR_JSON),
        openapi_extra=_taking(_BUNDLE),
    )
    async def process_fhir_message(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take a message Bundle whose focus is an Appointment, as NHS BaRS sends it."""
        return await take(request, client, parse_message, source, as_message=True)

    @router.post("/Appointment", summary="Take an Appointment", responses=taken, openapi_extra=_taking(_APPOINTMENT))
    async def post_fhir_appointment(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take one Appointment resource; its identifier, else its id, says which it is."""
        return await take(request, client, parse_appointment, source, as_message=False)

    @router.put(
        "/Appointment/{resource_id}",
        summary="Take an Appointment",
        responses=taken,
        openapi_extra=_taking(_APPOINTMENT),
    )
    async def put_fhir_appointment(
        request: Request, resource_id: str, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take one Appointment resource; as POST, the id in the path is the sender's and only names it."""
        return await take(request, client, parse_appointment, source, as_message=False)

    return router


def _taking(schema: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "description": NOT_READ, "content": {FHIR_JSON: {"schema": schema}}}
    return {"parameters": [KEY_HEADER], "requestBody": body}


def answered(resource: dict[str, Any], answer: EventAnswer) -> Response:
    """Return the answer to an event that was taken; our id and the result stand in headers too."""
    assert answer.recorded is not None and answer.result is not None  # noqa: S101, PT018  # taken, not refused
    new = answer.result is Result.APPLIED and answer.recorded.version == 1 and resource["resourceType"] == "Appointment"
    headers = {
        "Attend-Result": answer.result.value,
        "Attend-Appointment": str(answer.recorded.appointment_id),
        "Location": f"/v1/appointments/{answer.recorded.appointment_id}",
    }
    if answer.warnings:
        headers["Attend-Warnings"] = ", ".join(warned.code for warned in answer.warnings)
    if answer.reminders_cancelled is not None:
        headers["Attend-Reminders-Cancelled"] = str(answer.reminders_cancelled)
    return JSONResponse(resource, 201 if new else 200, headers, media_type=FHIR_JSON)


def appointment(answer: EventAnswer, command: BookAppointment) -> dict[str, Any]:
    """Return the Appointment under our id: version, status and times, and the patient by the sender's own id."""
    assert answer.recorded is not None  # noqa: S101
    written = (("start", command.starts_at), ("end", command.ends_at))
    times = {name: at.isoformat() for name, at in written if isinstance(at, datetime)}
    return {
        "resourceType": "Appointment",
        "id": str(answer.recorded.appointment_id),
        "meta": {"versionId": str(answer.recorded.version)},
        "identifier": [{"value": command.appointment}],
        "status": command.status.value,
        **times,
        "participant": [{"actor": {"type": "Patient", "identifier": {"value": command.patient}}, "status": "accepted"}],
    }


def with_warnings(resource: dict[str, Any], answer: EventAnswer) -> dict[str, Any]:
    """Return the resource with what is said of the event, if anything is, contained in it and referred to."""
    if not answer.warnings:
        return resource
    reference = {"url": "urn:attend:warnings", "valueReference": {"reference": "#warnings"}}
    return {**resource, "contained": [{**warnings(answer), "id": "warnings"}], "extension": [reference]}


def message(answer: EventAnswer, command: BookAppointment) -> dict[str, Any]:
    """Return the answering message: a MessageHeader that says ok, the Appointment under our id, and warnings."""
    resource = appointment(answer, command)
    noted = f"urn:uuid:{uuid4()}"
    details = {"details": {"reference": noted}} if answer.warnings else {}
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "booking-response",
        },
        "source": {"endpoint": "urn:attend:booking"},
        "response": {"identifier": command.key, "code": "ok", **details},
        "focus": [{"reference": f"urn:uuid:{resource['id']}"}],
    }
    return {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [
            {"fullUrl": f"urn:uuid:{uuid4()}", "resource": header},
            {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource},
            *([{"fullUrl": noted, "resource": warnings(answer)}] if answer.warnings else ()),
        ],
    }
