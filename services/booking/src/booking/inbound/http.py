"""What became of events, by their ids, and of records of the inbound topics, by their places; and replaying these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query

from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import OPERATOR, Client
from booking.inbound import reads
from booking.inbound.bodies import EventView, RecordView, RefusedEventPage, RefusedEventView
from booking.inbound.domain import InboundTopics, Position
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import Problem, answers, refuses
from chassis.api.query_fields import Moment
from chassis.delivery import dead_letter
from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent

LONGEST_PAGE = 1_000

State = Literal["open", "replayed", "discarded", "all"]

type Replay = Callable[[int], Awaitable[object]]
"""Applies a dead letter, by its id, and settles it; raises `RejectedEvent`: it is refused again, or was not open."""

_TOPIC = "^[A-Za-z0-9._-]{1,249}$"
TopicName = Annotated[str, Path(pattern=_TOPIC, description="With the installation's prefix, or without it.")]
Partition = Annotated[int, Path(ge=0, lt=2**31)]
Offset = Annotated[int, Path(ge=0, lt=2**63)]


_NO_RECORD = {404: ("UNKNOWN_RECORD",)}


def routes(
    pool: Pool,
    topics: InboundTopics,
    replay: Replay,
    event_id_of: reads.EventIdOf,
    caller: Caller,
    again: Mapping[int, Sequence[str]],
) -> APIRouter:
    """Return the routes. A client sees its own events and topics; the operator sees all.

    Args:
        again: By which codes a record may be refused again, by HTTP status.
    """
    router = APIRouter(prefix="/v1/inbound", tags=["inbound"])

    async def position(
        topic: TopicName, partition: Partition, offset: Offset, client: Annotated[Client, Depends(caller)]
    ) -> Position:
        at = Position(topics.full_name(topic), partition, offset)
        if at.topic not in topics.seen_by(_whose(client)) or at.partition >= topics.partitions:
            raise reads.unknown_record()
        return at

    async def fate(at: Position) -> dict[str, Any]:
        is_clearance = at.topic in topics.clearances
        return await reads.of_record(pool, at, topics.owners[at.topic], event_id_of, is_clearance=is_clearance)

    @router.get(
        "",
        summary="What was refused and waits for people, newest first",
        responses={**answers(RefusedEventPage), **refuses({422: ("BAD_CURSOR",)})},
    )
    async def get_refused_events(
        client: Annotated[Client, Depends(caller)],
        code: Annotated[
            str | None, Query(max_length=100, pattern="^[A-Z0-9_]+$", description="Such as IDENTITY_CONFLICT.")
        ] = None,
        topic: Annotated[str | None, Query(pattern=_TOPIC, description="Records of this topic alone.")] = None,
        since: Annotated[Moment | None, Query(description="Refused then or later: ISO 8601.")] = None,
        state: Annotated[State, Query(description="Of the dead letter.")] = "open",
        after: Annotated[str | None, Query(max_length=200, description="`next_after` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> dict[str, Any]:
        """Records of the inbound topics that are dead letters, and what came over HTTP and only people can mend.

        Of these: names of two appointments, and steps that the state table lacks. An event that was taken since is
        not among the open ones.
        """
        whose = _whose(client)
        return await reads.page(
            pool, topics.seen_by(whose), whose, after, limit, code=code, since=since,
            topic=None if topic is None else topics.full_name(topic), state=None if state == "all" else state,
            clearances=topics.clearances,
        )  # fmt: skip

    @router.get(
        "/records/{topic}/{partition}/{offset}",
        summary="What became of a record",
        responses={**answers(RecordView), **refuses(_NO_RECORD)},
    )
    async def get_record(at: Annotated[Position, Depends(position)]) -> dict[str, Any]:
        """The fate of the record there, by the place that Kafka gave its producer, whether an id can be read or not."""
        return await fate(at)

    @router.post(
        "/records/{topic}/{partition}/{offset}/replay",
        summary="Take a record that was refused, now that it may be taken",
        responses={**answers(RecordView), **refuses({**again, **_NO_RECORD, 409: (*again[409], "DISCARDED")})},
    )
    async def replay_record(at: Annotated[Position, Depends(position)]) -> dict[str, Any]:
        """As `attend dead-letters replay`: once, and with its place in time. What was taken already stays as it is.

        If it is refused again the answer is that refusal, and the dead letter stays open.
        """
        letter = await dead_letter.at(pool, reads.CONSUMER, *at)
        if letter is not None and letter.state == "discarded":
            raise Problem(409, "DISCARDED", "People have settled this record without effect; send its event again.")
        if letter is not None and letter.id is not None and letter.state == "open":
            try:
                await replay(letter.id)
            except RejectedEvent as refusal:
                if refusal.code != "NOT_OPEN":  # else another has replayed it meanwhile
                    raise _again(refusal) from None
        return await fate(at)

    @router.get(
        "/{event_id:path}",
        summary="What became of an event",
        responses={
            **answers(EventView | RefusedEventView),
            **refuses({404: ("UNKNOWN_EVENT",), 422: ("PADDED_ID", "EMPTY_TEXT", "CONTROL_CHARACTER")}),
        },
    )
    async def get_event(
        event_id: str,
        client: Annotated[Client, Depends(caller)],
        kind: Annotated[
            Literal["booking", "clearance"] | None,
            Query(description="Ids of both are their own; else the booking's, or the clearance's if there is none."),
        ] = None,
    ) -> dict[str, Any]:
        """The result of an event by its id, taken or refused, over HTTP or from an inbound topic."""
        is_clearance = None if kind is None else kind == "clearance"
        try:
            called = texts.identifier(event_id, "event_id")
            return await reads.of_event(pool, called, _whose(client), is_clearance=is_clearance)
        except Refused as refusal:
            raise problem(refusal) from None

    return router


def _again(refusal: RejectedEvent) -> Problem:
    if refusal.place is None:  # it is no event's own: the record cannot be read, or nothing reads its topic
        return Problem(422, "REPLAY_FAILED", f"It cannot be taken, {refusal.code}: {refusal.message}")
    return problem(Refused(refusal.code, refusal.message, refusal.place))


def _whose(client: Client) -> str | None:
    return None if client is OPERATOR else client.client_id
