"""Keeps what became of records of the inbound topics, in the transaction of their batch."""

from collections.abc import Sequence
from datetime import datetime

from booking.inbound import statements
from booking.inbound.domain import RefusedEvent, TakenRecord
from chassis.postgres.database import Connection

REFUSALS = {False: "inbound_refusal", True: "clearance_refusal"}
"""Whether it was of a clearance → where refusals of events are kept: the ids of both are their own."""


async def keep_refused(
    connection: Connection, refused: Sequence[RefusedEvent], now: datetime, *, of_clearances: bool = False
) -> None:
    """Keep why events were refused, so that staff see it and it can be asked by their ids.

    Args:
        of_clearances: They are events of clearances, not of bookings.
    """
    if refused:
        rows = [
            (e.client, e.event_id, e.why.code, e.why.in_words, e.why.place, *(e.at or (None, None, None)))
            for e in refused
        ]
        keep = statements.KEEP_REFUSED.format(refusals=REFUSALS[of_clearances])
        await connection.execute(keep, *map(list, zip(*rows, strict=True)), now)


async def keep_taken(connection: Connection, taken: Sequence[TakenRecord]) -> None:
    """Keep which events the records of a batch were."""
    if taken:
        rows = [(*one.at, one.client, one.event_id, one.is_repeat) for one in taken]
        await connection.execute(statements.KEEP_TAKEN, *map(list, zip(*rows, strict=True)))
