"""What booking shows: appointments with their history, and those ahead."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from booking.appointments import ahead_reads, pages, visits
from booking.appointments.bodies import (
    AheadPage,
    AppointmentPage,
    AppointmentView,
    Snapshots,
    States,
    VisitPage,
)
from booking.appointments.reads import beginning, by_source, one
from booking.appointments.wanted import NO_FILTER, Filter, filter_of, own_source, wanted_of
from booking.door.auth import Caller
from booking.door.bodies import Order, problem
from booking.door.domain import ALL, Client
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.times import instant
from chassis.api.app import Problem, answers, refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from schemas.topics import APPOINTMENTS

LONGEST_PAGE = 1_000

LONGEST_LOOK = 5_000
"""Appointments looked at for one page of those ahead; those ahead among them are its items."""

MOST_IDS = 1_000
"""Ids in one question."""

_LIST_CODES = {
    403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC"),
    404: ("UNKNOWN_APPOINTMENT", "UNKNOWN_PATIENT", "UNKNOWN_PROVIDER"),
    422: (
        *("SOURCE_REQUIRED", "BAD_TIME", "NAIVE_TIME", "TIME_OUT_OF_RANGE", "BAD_CURSOR", "PADDED_ID"),
        *("CLINIC_REQUIRED", "DAY_OR_RANGE", "BAD_DAY", "UNKNOWN_CLINIC", "ILLEGAL_CLINIC_CODE"),
    ),
}
_NOTHING = UUID(int=0)
_PREFIX = "^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{1,4}){0,6}$"

_EVER = datetime(1900, 1, 1, tzinfo=UTC)


class Ids(Order):
    """The appointments asked for; repeats are answered once."""

    ids: list[UUID] = Field(min_length=1, max_length=MOST_IDS)


def routes(pool: Pool, clock: Clock, caller: Caller) -> APIRouter:
    """Return the read API. A client sees its own sources and clinics; of others it cannot tell whether they exist."""
    router = APIRouter(prefix="/v1", tags=["reading"])

    @router.get(
        "/appointments",
        summary="Appointments by page: of a day, a clinic, a provider, a patient; or the one a source calls so",
        responses={**answers(VisitPage | AppointmentPage | AppointmentView), **refuses(_LIST_CODES)},
    )
    async def get_appointments(
        client: Annotated[Client, Depends(caller)],
        source: Annotated[str | None, Query(description="What came from it alone; whose ids the others are.")] = None,
        id: str | None = None,  # the API's word
        prefix: Annotated[str | None, Query(pattern=_PREFIX, description="The beginning of an id.")] = None,
        start_from: Annotated[str | None, Query(alias="from", description="ISO 8601 with offset")] = None,
        after: Annotated[str | None, Query(max_length=200, description="`next_after` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = LONGEST_PAGE,
        given: Annotated[Filter, Depends(filter_of)] = NO_FILTER,
    ) -> dict[str, Any]:
        """With `id`: the appointment that the source calls so. With `prefix`: up to 5 whose ids begin so.

        Else those that start at or after `from`, soonest first: id, version and schedule_gen. With a clinic, a day, an
        end, a provider, a patient or a status those alone, each whole: what a front desk needs of it.
        """
        if prefix is not None:
            return await beginning(pool, client, prefix)
        try:
            if id is not None:
                called = (texts.identifier(client.source(source), "source"), texts.identifier(id, "id"))
                return await by_source(pool, *called, client, clock.now())
            if given.is_any:
                wanted = await wanted_of(pool, client, given, clock.now(), start_from, source)
                return await visits.page(pool, client, wanted, after, limit)
            named = None if source is None else own_source(client, source)
            start = _EVER if start_from is None else instant(start_from, None, "from")
        except Refused as refusal:
            raise problem(refusal) from None
        return await pages.page(pool, client, start, after, limit, named)

    @router.get(
        "/appointments/{appointment_id}",
        summary="An appointment and every version of it",
        responses={**answers(AppointmentView), **refuses({404: ("UNKNOWN_APPOINTMENT",)})},
    )
    async def get_appointment(appointment_id: UUID, client: Annotated[Client, Depends(caller)]) -> dict[str, Any]:
        """The appointment as it is, and its history, each version as it was published."""
        return await one(pool, appointment_id, client, clock.now())

    return router


def ahead_routes(pool: Pool, clock: Clock, caller: Caller) -> APIRouter:
    """Return the routes of those ahead. Only a key that sees all sources and clinics opens them: the operator's."""

    async def overseer(client: Annotated[Client, Depends(caller)]) -> None:
        if not (client.sees_source(ALL) and client.sees_clinic(ALL)):
            raise Problem(403, "OPERATOR_ONLY", "Only a key that sees all sources and clinics may ask this.")

    own = refuses({403: ("OPERATOR_ONLY",)})
    router = APIRouter(prefix="/v1/ahead", tags=["ahead"], dependencies=[Depends(overseer)], responses=own)

    @router.get(
        "",
        summary="Version, schedule and bar of every appointment ahead, by page",
        responses={**answers(AheadPage), **refuses({422: ("OTHER_PARTITIONS",)})},
    )
    async def get_ahead(
        after: UUID = _NOTHING,
        limit: Annotated[int, Query(ge=1, le=LONGEST_LOOK)] = LONGEST_LOOK,
        partition: Annotated[int | None, Query(ge=0, lt=APPOINTMENTS.partitions)] = None,
        of: Annotated[int, Query(ge=1)] = APPOINTMENTS.partitions,
    ) -> Response:
        """Items in the order of their ids, and `next_after`: null on the last page. A page may be empty before it.

        `barred` says why the newest version bars messages to its patient, null if it does not.

        With `partition` only those whose events are in that partition of the topic `appointments`, which has `of`.
        """
        if of != APPOINTMENTS.partitions:
            there = f"The topic {APPOINTMENTS.name} has {APPOINTMENTS.partitions} partitions, not {of}."
            raise Problem(422, "OTHER_PARTITIONS", there)
        return _json(await ahead_reads.page(pool, clock.now(), after, limit, partition))

    @router.post("/states", summary="Version, schedule and bar of the appointments named", responses=answers(States))
    async def find_states(asked: Ids) -> Response:
        """As they are now, ahead or not; those that booking does not know, or never booked, are left out."""
        return _json({"items": await ahead_reads.states(pool, asked.ids)})

    @router.post("/snapshots", summary="The newest event of the appointments named", responses=answers(Snapshots))
    async def find_snapshots(asked: Ids) -> Response:
        """Each whole, as it was published on the topic `appointments`."""
        return _json(
            {"items": [orjson.Fragment(snapshot) for snapshot in await ahead_reads.snapshots(pool, asked.ids)]}
        )

    return router


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body, default=_text, option=orjson.OPT_UTC_Z), media_type="application/json")


def _text(value: object) -> str:
    """Write asyncpg's UUIDs, which are a class of their own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
