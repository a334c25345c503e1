"""Bodies on their way to the door, over several connections: sent again while it is away, halved where one is bad."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import httpx2

from booking.files.bodies import Body
from booking.files.cut import Record
from booking.files.tally import Rejects, Tally
from chassis.process.errors import AttendError

PATIENCE_S = 120.0
"""How long the door may be away before it is given up; what was taken stays, and the file is sent again."""

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_HALVED = frozenset(
    {"BAD_CSV", "NOT_A_CALENDAR", "EMPTY_BATCH", "EMPTY_BODY", "BODY_TOO_LARGE", "BATCH_TOO_LARGE", "BAD_CHARSET"}
)
"""Refusals of a body for the sake of one record in it."""

_WHOLE = frozenset({"SOURCE_REQUIRED", "NO_COLUMNS", "UNKNOWN_COLUMN", "SEVERAL_COLUMNS", "OPERATOR_BOOKS_NOTHING"})
"""Refusals of every body alike."""


class Stopped(AttendError):
    """The door takes nothing of this file, or does not answer."""


class Target(NamedTuple):
    """Where bodies go.

    Attributes:
        query: The same of each: source, mode, dry run.
        tail: What stands after the last record of each.
        encoding: In which they are sent; None: as they are.
    """

    http: httpx2.AsyncClient
    content_type: str
    query: Mapping[str, str]
    tail: bytes = b""
    encoding: str | None = None


class Poster:
    """Sends bodies and counts what becomes of their records.

    Args:
        sleep: Waits so many seconds.
        seen: Called with how many records were answered.
    """

    def __init__(
        self,
        target: Target,
        tally: Tally,
        rejects: Rejects,
        seen: Callable[[int], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._target, self._tally, self._rejects = target, tally, rejects
        self._seen, self._sleep = seen, sleep

    async def post(self, body: Body) -> None:
        """Send a body until it is answered.

        Raises:
            Stopped: NO_ANSWER, or the code by which the door refuses every body.
        """
        answer = await self._answered(body.written(self._target.tail, self._target.encoding))
        told = _json(answer)
        if answer.is_success and told is not None:
            self._take(body.records, told.get("results", [told]))
            return
        code = str((told or {}).get("code", ""))
        if code in _HALVED and len(body.records) > 1:
            for half in body.halves:
                await self.post(half)
        elif len(body.records) == 1 and answer.status_code in {400, 409, 413, 422} and code and code not in _WHOLE:
            self._take(body.records, [_as_listed(told or {})])
        else:
            raise _stopped(answer, told)

    def refuse(self, record: Record, code: str, place: str, detail: str) -> None:
        """Count and keep a record that is refused.

        Raises:
            Stopped: NOT_WRITTEN: of refused lines nobody would hear.
        """
        if not self._tally.refuse(code):
            return
        try:
            self._rejects.add(record, code, place, detail)
        except OSError as error:
            text = f"{self._rejects.path}: {error.strerror}: send the file again, what was taken is not doubled"
            raise Stopped("NOT_WRITTEN", text) from None

    def _take(self, records: Sequence[Record], answers: Sequence[Mapping[str, Any]]) -> None:
        if len(records) != len(answers):
            text = f"{len(records)} records were answered by {len(answers)} answers"
            raise Stopped("NO_ANSWER", f"{text}: from line {records[0].line}; please report it")
        for record, answer in zip(records, answers, strict=True):
            if "code" in answer:
                self.refuse(record, answer["code"], str(answer.get("place", "")), str(answer.get("detail", "")))
            else:
                self._tally.take(answer)
        self._seen(len(records))

    async def _answered(self, content: bytes) -> httpx2.Response:
        waited, pause = 0.0, 0.25
        while True:
            why = ""
            try:
                answer = await self._target.http.post(
                    "/v1/files",
                    content=content,
                    params=dict(self._target.query),
                    headers={"content-type": self._target.content_type},
                )
                if answer.status_code not in _AGAIN:
                    return answer
                why = f"answers {answer.status_code}"
            except httpx2.TransportError as error:
                why = f"does not answer ({type(error).__name__})"
            if waited >= PATIENCE_S:
                told = (
                    f"booking at {self._target.http.base_url} {why}: send the file again, what was taken is not doubled"
                )
                raise Stopped("NO_ANSWER", told)
            await self._sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 10.0)


def _json(answer: httpx2.Response) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _as_listed(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem as the refusal of one event of a batch."""
    place = next((one.get("place", "") for one in problem.get("errors", ())), "")
    return {"code": problem["code"], "detail": problem.get("detail", ""), "place": place}


def _stopped(answer: httpx2.Response, told: dict[str, Any] | None) -> Stopped:
    if told is None or "code" not in told:
        return Stopped("NO_ANSWER", f"booking answers {answer.status_code}, but not as booking does")
    refusal = _as_listed(told)
    at = f" (at {refusal['place']})" if refusal["place"] else ""
    return Stopped(str(refusal["code"]), f"{refusal['detail']}{at}")


async def post_all(bodies: Callable[[], Body | Record | None], poster: Poster, lanes: int, waiting: int = 2) -> None:
    """Send all bodies, those of one lane in order.

    Args:
        bodies: Gives the next one, or a record that is refused unsent; None: there are no more.
        waiting: Bodies of a lane that wait at most, while one of it is under way.

    Raises:
        Stopped: See `Poster.post`.
    """
    queues = [asyncio.Queue[Body | None](waiting) for _ in range(lanes)]

    async def of_lane(queue: "asyncio.Queue[Body | None]") -> None:
        while (body := await queue.get()) is not None:
            await poster.post(body)

    try:
        async with asyncio.TaskGroup() as group:
            for queue in queues:
                group.create_task(of_lane(queue))
            while (found := bodies()) is not None:
                if isinstance(found, Record):
                    assert found.refusal is not None  # noqa: S101  # it was not sent for that
                    poster.refuse(found, found.refusal.code, found.refusal.place, found.refusal.message)
                else:
                    await queues[found.lane].put(found)
            for queue in queues:
                await queue.put(None)
    except* Stopped as stopped:
        raise stopped.exceptions[0] from None
