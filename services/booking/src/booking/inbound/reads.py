"""What became of events and of records of the inbound topics, read for who may see it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.inbound.domain import Position
from booking.inbound.store import REFUSALS
from booking.values.warned import UNKNOWN_PATIENT, UNKNOWN_PROVIDER, Warned, of_line
from chassis.api.app import Problem
from chassis.api.page_cursor import LAST, Cursor, next_place
from chassis.delivery import dead_letter
from chassis.delivery.dead_letter import DeadLetter
from chassis.postgres.database import Pool

CONSUMER = "booking"
"""The consumer's name, under which positions and dead letters are kept."""

type EventIdOf = Callable[[DeadLetter], str | None]
"""Reads which event a letter is, as the release before did not when it kept it; None: that cannot be read."""

_TAKEN = {
    False: """
SELECT result, appointment_id, version, warnings FROM ingress
WHERE key = $1 AND ($2::text IS NULL OR client = $2) LIMIT 1
""",
    True: """
SELECT result, appointment_id, version, ARRAY[]::text[] AS warnings FROM clearance_history
WHERE key = $1 AND ($2::text IS NULL OR client = $2) LIMIT 1
""",
}
"""Whether it is of a clearance → the event of an id: bookings and clearances have ids of their own."""
_KNOWN_NOW = """
SELECT coalesce(p.version > 0, false) AS patient,
       EXISTS (SELECT FROM provider d WHERE d.provider_id = a.provider_id) AS provider
FROM appointment a LEFT JOIN patient p USING (patient_id) WHERE a.appointment_id = $1
"""
_REFUSED = """
SELECT code, message, place, recorded_at, topic, partition, "offset" FROM {refusals}
WHERE key = $1 AND ($2::text IS NULL OR client = $2)
"""
_TAKEN_AT = """
SELECT client, event_ids[array_position(offsets, $3)] AS event_id, $3 = ANY (repeats) AS is_repeat,
       $3 = ANY (offsets) AND event_ids[array_position(offsets, $3)] IS NULL AS is_ignored
FROM inbound_taken AS taken
WHERE topic = $1 AND partition = $2 AND first_offset <= $3 AND NOT EXISTS (
    SELECT FROM position_skip AS back
    WHERE back.consumer = $4 AND back.topic = $1 AND back.partition = $2 AND back.to_offset < back.from_offset
      AND back.to_offset <= $3 AND back.skipped_at > taken.recorded_at
)
ORDER BY first_offset DESC LIMIT 1
"""  # a position is moved back where the topic was made anew: what was taken before is another record's
_NEXT = "SELECT next_offset FROM consumer_offset WHERE consumer = $1 AND topic = $2 AND partition = $3"
_SKIPPED = """
SELECT FROM position_skip
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND from_offset <= $4 AND to_offset > $4
"""

# One taken since is not shown. A letter's id, and a hash of what a refusal over HTTP is of, decide between equal
# instants. A batch of clearances, of 10 s at most (the role's transaction_timeout), is taken before its letters are
# written: in it, the offsets tell which of two records of one id came after the other.
_PAGE = """
(SELECT whose.client, letter.event_id, letter.code, letter.message, coalesce(letter.place, '') AS place,
        letter.recorded_at, letter.topic, letter.partition, letter."offset", letter.id, letter.state,
        lpad(to_hex(letter.id), 32, '0')::uuid AS mark
 FROM dead_letter AS letter
 CROSS JOIN LATERAL (SELECT ($3::text[])[array_position($2::text[], letter.topic)] AS client) AS whose
 WHERE letter.consumer = $1 AND letter.topic = ANY ($2::text[])
   AND ($4::text IS NULL OR letter.state = $4) AND ($5::text IS NULL OR letter.code = $5)
   AND ($6::timestamptz IS NULL OR letter.recorded_at >= $6)
   AND (letter.recorded_at, lpad(to_hex(letter.id), 32, '0')::uuid) < ($7, $8)
   AND (letter.state <> 'open' OR letter.event_id IS NULL OR NOT CASE WHEN letter.topic = ANY ($12::text[])
        THEN EXISTS
        (SELECT FROM clearance_history AS said WHERE said.client = whose.client AND said.key = letter.event_id
         AND (said.taken_at > letter.recorded_at OR EXISTS
              (SELECT FROM inbound_taken AS one WHERE one.topic = letter.topic AND one.partition = letter.partition
               AND one.recorded_at BETWEEN said.taken_at AND letter.recorded_at
               AND one.recorded_at > letter.recorded_at - interval '10 s'
               AND one.offsets[array_position(one.event_ids, letter.event_id)] > letter."offset")))
        ELSE EXISTS
        (SELECT FROM ingress WHERE ingress.client = whose.client AND ingress.key = letter.event_id
                               AND ingress.recorded_at > letter.recorded_at) END)
 ORDER BY letter.recorded_at DESC, letter.id DESC LIMIT $9)
UNION ALL
(SELECT client, key, code, message, place, recorded_at, NULL, NULL, NULL, NULL, NULL,
        md5(client || chr(31) || key)::uuid
 FROM inbound_refusal AS refused
 WHERE topic IS NULL AND code IN ('IDENTITY_CONFLICT', 'ILLEGAL_TRANSITION') AND $4 = 'open' AND $11::text IS NULL
   AND ($10::text IS NULL OR client = $10) AND ($5::text IS NULL OR code = $5)
   AND ($6::timestamptz IS NULL OR recorded_at >= $6)
   AND (recorded_at, md5(client || chr(31) || key)::uuid) < ($7, $8)
   AND NOT EXISTS (SELECT FROM ingress WHERE ingress.client = refused.client AND ingress.key = refused.key)
 ORDER BY recorded_at DESC, md5(client || chr(31) || key)::uuid DESC LIMIT $9)
ORDER BY recorded_at DESC, mark DESC LIMIT $9
"""
_HIGHEST = UUID(int=2**128 - 1)


async def of_event(
    pool: Pool, event_id: str, client_id: str | None, *, is_clearance: bool | None = None
) -> dict[str, Any]:
    """Return what became of an event of this client; None: of anybody's.

    Args:
        is_clearance: Whether the event of a clearance is meant, or a booking's; None: the booking's, if there is one.

    Raises:
        Problem: 404 UNKNOWN_EVENT.
    """
    for kind in (False, True) if is_clearance is None else (is_clearance,):
        found = await _taken(pool, event_id, client_id, is_clearance=kind)
        found = found or await _refused(pool, event_id, client_id, is_clearance=kind)
        if found is not None:
            return found
    raise Problem(404, "UNKNOWN_EVENT", "No event of this id was taken or refused for good.")


async def _refused(pool: Pool, event_id: str, client_id: str | None, *, is_clearance: bool) -> dict[str, Any] | None:
    refused = await pool.fetchrow(_REFUSED.format(refusals=REFUSALS[is_clearance]), event_id, client_id)
    if refused is None:
        return None
    said = {name: refused[name] for name in ("code", "place", "recorded_at")}
    fate = {"event_id": event_id, "result": "refused", "detail": refused["message"], **said}
    if refused["topic"] is None:
        return fate
    at = Position(refused["topic"], refused["partition"], refused["offset"])
    letter = await dead_letter.at(pool, CONSUMER, *at)
    return {**fate, "record": at._asdict(), **_letter(letter)}


async def of_record(
    pool: Pool, at: Position, client_id: str | None, event_id_of: EventIdOf, *, is_clearance: bool = False
) -> dict[str, Any]:
    """Return what became of the record there.

    Args:
        is_clearance: Its topic is one of clearances.
        client_id: To whom the topic belongs; None: to nobody.

    Raises:
        Problem: 404 UNKNOWN_RECORD: nothing is known of it, and it is no longer waited for.
    """
    # asked first: whatever lies before it was committed before the looks that follow, and is found by one of them
    read_up_to = await pool.fetchval(_NEXT, CONSUMER, at.topic, at.partition) or 0
    letter = await dead_letter.at(pool, CONSUMER, *at)
    if letter is not None:
        told = await _of_letter(pool, letter, letter.event_id or event_id_of(letter), client_id, is_clearance)
        return {**told, "record": at._asdict(), **_letter(letter)}
    found = await pool.fetchrow(_TAKEN_AT, *at, CONSUMER)
    taken = (
        found
        and found["event_id"]
        and await _taken(pool, found["event_id"], found["client"], is_clearance=is_clearance)
    )
    if found and taken:
        return {**_as_told(taken, is_repeat=found["is_repeat"]), "record": at._asdict()}
    if found and found["is_ignored"]:
        return {"result": "ignored", "record": at._asdict()}
    if at.offset >= read_up_to:
        return {"result": "waiting", "read_up_to": read_up_to, "record": at._asdict()}
    if await pool.fetchrow(_SKIPPED, CONSUMER, *at) is not None:
        return {"result": "skipped", "record": at._asdict()}
    raise unknown_record()


async def page(
    pool: Pool,
    topics: Mapping[str, str | None],
    client_id: str | None,
    after: str | None,
    limit: int,
    *,
    topic: str | None = None,
    state: str | None = "open",
    code: str | None = None,
    since: datetime | None = None,
    clearances: Collection[str] = (),
) -> dict[str, Any]:
    """Return a page of what was refused: of these topics, and over HTTP for people to look at; newest first.

    Args:
        topics: Those that may be seen → whose they are.
        client_id: Whose refusals over HTTP may be seen; None: everybody's.
        topic: Of this one alone, and of nothing that came over HTTP.
        state: Of the dead letter; None: any.
        since: Refused then or later.
        clearances: The topics of clearances.
    """
    place = Cursor(LAST, _HIGHEST) if after is None else Cursor.read(after)
    asked = {name: whose for name, whose in topics.items() if topic in {None, name}}
    rows = await pool.fetch(
        _PAGE, CONSUMER, list(asked), list(asked.values()), state, code, since, place.at, place.id, limit, client_id,
        topic, list(clearances),
    )  # fmt: skip
    last = next_place(rows, limit, lambda row: Cursor(row["recorded_at"], row["mark"]).text())
    return {"items": [_item(row) for row in rows], "next_after": last}


def unknown_record() -> Problem:
    """Return the answer of what is not there, the same as of what belongs to others."""
    return Problem(404, "UNKNOWN_RECORD", "Nothing is known of such a record in a topic of this client.")


async def _taken(pool: Pool, event_id: str, client_id: str | None, *, is_clearance: bool) -> dict[str, Any] | None:
    row = await pool.fetchrow(_TAKEN[is_clearance], event_id, client_id)
    if row is None:
        return None
    said = {name: row[name] for name in ("appointment_id", "version", "result")}
    return {"event_id": event_id, **said, "warnings": [warned.members for warned in await _warnings(pool, row)]}


async def _warnings(pool: Pool, taken: Any) -> Sequence[Warned]:
    """Return what was said of an event, without those of whoever became known since."""
    kept = [of_line(line) for line in taken["warnings"]]
    if not any(warned.code in (UNKNOWN_PATIENT, UNKNOWN_PROVIDER) for warned in kept):
        return kept
    known = await pool.fetchrow(_KNOWN_NOW, taken["appointment_id"])
    gone = {UNKNOWN_PATIENT: known and known["patient"], UNKNOWN_PROVIDER: known and known["provider"]}
    return [warned for warned in kept if not gone.get(warned.code)]


async def _of_letter(
    pool: Pool, letter: DeadLetter, event_id: str | None, client_id: str | None, is_clearance: bool
) -> dict[str, Any]:
    if letter.state == "replayed" and event_id is not None:
        taken = await _taken(pool, event_id, client_id, is_clearance=is_clearance)
        if taken is not None:
            return taken
    place = letter.place or ""
    said = {"code": letter.code, "detail": letter.message, "place": place, "recorded_at": letter.recorded_at}
    return {"result": "refused", "event_id": event_id, **said}


def _as_told(taken: dict[str, Any], *, is_repeat: bool) -> dict[str, Any]:
    return {**taken, "result": "repeat", "original_result": taken["result"]} if is_repeat else taken


def _letter(letter: DeadLetter | None) -> dict[str, Any]:
    return {} if letter is None else {"dead_letter": {"id": letter.id, "state": letter.state}}


def _item(row: Any) -> dict[str, Any]:
    said = {name: row[name] for name in ("client", "event_id", "code", "place", "recorded_at")}
    by_topic = row["topic"] is not None
    at = {name: row[name] for name in ("topic", "partition", "offset")}
    letter = {"id": row["id"], "state": row["state"]}
    return {
        **said,
        "detail": row["message"],
        "record": at if by_topic else None,
        "dead_letter": letter if by_topic else None,
    }
