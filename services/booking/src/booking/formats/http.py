"""`POST /v1/events`: one event, or a batch with an answer for each, in any format by its media type."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import JSONResponse

from booking.appointments.domain.batch import EventAnswer
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, PASSED_OVER, Source, problem
from booking.door.domain import Client
from booking.door.transactions import RefusalCounts
from booking.formats import answers as written
from booking.formats.bodies import EventBatch, EventTaken, FileTaken
from booking.formats.choice import Formats
from booking.formats.port import Asked, Hints, Parse, Parsed, parsed_by
from booking.formats.taking import Taking
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.profiles.current import Profiles
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses
from chassis.process.clock import Clock
from schemas.appointments import IngestMode

EVENT_CODES = {
    400: BAD_BODY,
    403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC"),
    409: ("EVENT_ID_CONFLICT", "SEQUENCE_CONFLICT", "IDENTITY_CONFLICT", "ILLEGAL_TRANSITION"),
    422: (
        *BAD_FIELD, "PATIENT_REQUIRED", "CLINIC_REQUIRED", "START_REQUIRED", "UNKNOWN_CLINIC", "UNKNOWN_STATUS",
        "UNKNOWN_MODE", "BAD_TIME", "NAIVE_TIME", "TIME_OUT_OF_RANGE", "START_IN_SPRING_GAP", "UNKNOWN_ZONE",
        "END_BEFORE_START", "PADDED_ID", "NUMBER_OUT_OF_RANGE", "EMPTY_BATCH",
    ),
    503: ("KEY_RACE", "IDENTITY_RACE"),
}  # fmt: skip
"""Of an event alone; one of a batch has its own status and code in the answer."""

REPLAY_CODES = {
    **{status: codes for status, codes in EVENT_CODES.items() if status != 400},
    413: ("BATCH_TOO_LARGE",),
    422: (*BAD_BODY, *EVENT_CODES[422], "NO_CLIENT", "UNKNOWN_CLIENT", "KEY_MISMATCH", "REPLAY_FAILED"),
}
"""Of a record that is replayed: what it holds was not sent with the request."""


Mode = Annotated[
    IngestMode | None,
    Query(
        description="For all events but those that are history by themselves. Left out: as each says, or its source."
    ),
]
DryRun = Annotated[bool, Query(description="Say what each would be answered, and keep nothing.")]

KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The id of a single event that has none in its body.",
    "schema": {"type": "string"},
}


class Wish(NamedTuple):
    """How a request's events are to be taken.

    Attributes:
        mode: For all of them, but those that are history by themselves; None: as each says, or its source's profile.
        dry_run: Say what each would be answered, and keep nothing.
        patients: Take what is told of patients alone, too.
    """

    mode: IngestMode | None = None
    dry_run: bool = False
    patients: bool = False


class EventDoor(NamedTuple):
    """Where the bodies of requests become commands, and are answered."""

    taking: Taking
    counts: RefusalCounts
    clock: Clock
    profiles: Profiles
    country: str | None = None

    async def take(
        self, request: Request, client: Client, parse: Parse, source: str | None, wish: Wish | None = None
    ) -> tuple[Parsed, list[EventAnswer]]:
        """Return what the request's body holds, and the answer to each command after the commit.

        Args:
            source: The source that the request's query names, if it names one.
            wish: What else the query asks for.
        """
        wish = wish or Wish()
        hints = Hints(
            client, self.clock.now(), source, request.headers.get("idempotency-key"), self.profiles, self.country
        )
        try:
            parsed = parsed_by(parse, await request.body(), hints)
        except Refused as refusal:
            self.counts.refused(refusal)
            raise
        commands = [_wished(one, wish) for one in parsed.commands]
        if wish.dry_run:
            return parsed, await self.taking.plan_all(commands, client)
        return parsed, await self.taking.answer_all(commands, client)


_OF_PATIENTS = Refused("UNSUPPORTED_MESSAGE", "POST /v1/hl7v2 and /v1/files take messages of patients", "MSH-9.1")


def _wished(one: Asked, wish: Wish) -> Asked:
    """Return what is asked for in the mode of all; what is history by itself stays so."""
    if isinstance(one, Registration | ToldMerges):
        return one if wish.patients else _OF_PATIENTS
    if wish.mode is None or isinstance(one, Refused) or one.mode is IngestMode.BACKFILL:
        return one
    return one._replace(mode=wish.mode)


def routes(door: EventDoor, formats: Formats, caller: Caller) -> APIRouter:
    """Return the route of events."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.post(
        "/events",
        summary="Book, move, cancel: one event or a batch",
        responses={
            **answers(EventTaken | EventBatch),
            **refuses({**EVENT_CODES, 413: ("BATCH_TOO_LARGE",)}),
        },
        openapi_extra=_described(formats),
    )
    async def post_events(
        request: Request,
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        mode: Mode = None,
        dry_run: DryRun = False,
    ) -> Response:
        """Take events. The same event again has no second effect: `repeat`, with the `original_result`."""
        format_ = formats.of_request(request.headers.get("content-type"))
        try:
            parsed, answered = await door.take(request, client, format_.parse, source, Wish(mode, dry_run))
        except Refused as refusal:
            raise problem(refusal) from None
        if parsed.is_one:
            return JSONResponse(written.single(answered[0]))
        return JSONResponse(written.batch(answered, parsed.warnings))

    @router.post(
        "/files",
        summary="Take a part of a file",
        responses={**answers(FileTaken), **refuses({**EVENT_CODES, 413: ("BATCH_TOO_LARGE",)})},
        openapi_extra=_described(formats),
    )
    async def post_file(
        request: Request,
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        mode: Mode = None,
        dry_run: DryRun = False,
    ) -> Response:
        """Take the records of a file, as `attend import` sends them: each is answered for itself, also a single one.

        Messages of patients alone (HL7 v2: ADT) are taken among those of visits, in their order.
        """
        format_ = formats.of_request(request.headers.get("content-type"))
        try:
            wish = Wish(mode, dry_run, patients=True)
            parsed, answered = await door.take(request, client, format_.parse, source, wish)
        except Refused as refusal:
            raise problem(refusal) from None
        return JSONResponse(written.batch(answered, parsed.warnings))

    return router


def _described(formats: Formats) -> dict[str, Any]:
    content = {type_: dict(one.openapi) for one in formats.all for type_ in one.media_types}
    text = f"One event, or what its format has for several; the media type says which format. {PASSED_OVER}"
    return {"parameters": [KEY_HEADER], "requestBody": {"required": True, "description": text, "content": content}}
