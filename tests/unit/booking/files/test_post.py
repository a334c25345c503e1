"""Bodies are sent until they are answered; each record is counted once, and what is refused is told by its line."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from booking.files.bodies import Body
from booking.files.cut import Record
from booking.files.post import Poster, Stopped, Target, post_all
from booking.files.tally import Rejects, Tally
from booking.values.refusals import Refused

TAKEN = {"status": 200, "result": "applied", "warnings": [{"code": "NO_CONTACT"}], "reminders_cancelled": 2}
REFUSED = {"status": 422, "code": "BAD_TIME", "place": "start", "detail": "no time"}


def answered(status: int, **members: Any) -> httpx2.Response:
    return httpx2.Response(status, json=members)


def problem(status: int, code: str) -> httpx2.Response:
    return answered(status, code=code, detail="in words", errors=[{"place": "here", "code": code}])


class Posted:
    """What was sent to a door that answers as it is told, and what became of it."""

    def __init__(self, folder: Path, answer: Callable[[list[str], int], httpx2.Response]) -> None:
        self.sent: list[list[str]] = []
        self.slept: list[float] = []
        self.tally = Tally()
        self.path = folder / "feed.csv.rejected.csv"
        self._answer = answer

    async def __call__(self, *found: Body | Record, lanes: int = 1) -> None:
        def handle(request: httpx2.Request) -> httpx2.Response:
            lines = request.content.decode().split()
            self.sent.append(lines)
            return self._answer(lines, len(self.sent))

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        waiting = iter(found)
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(handle), base_url="http://door") as http:
            with Rejects(self.path) as rejects:
                target = Target(http, "text/csv", {"source": "s"})
                poster = Poster(target, self.tally, rejects, sleep=sleep)
                await post_all(lambda: next(waiting, None), poster, lanes)


def body(*lines: int, lane: int = 0) -> Body:
    return Body(lane, [Record(line, b"r%d\n" % line) for line in lines])


def each(lines: list[str], _time: int) -> httpx2.Response:
    return answered(200, results=[REFUSED if line == "r2" else TAKEN for line in lines])


async def test_each_record_is_counted_by_its_answer_and_a_refused_one_is_told_by_its_line(tmp_path: Path) -> None:
    posted = Posted(tmp_path, each)
    unsent = Record(9, b"secret", refusal=Refused("BAD_CSV", "a quote", ""))
    await posted(body(1, 2, 3), unsent, body(4))

    assert posted.tally.results == {"applied": 3}
    assert posted.tally.refused == {"BAD_TIME": 1, "BAD_CSV": 1}
    assert (posted.tally.warnings, posted.tally.reminders_cancelled) == ({"NO_CONTACT": 3}, 6)
    told = posted.path.read_text().splitlines()
    assert told[0] == "line,code,place,detail"
    assert sorted(told[1:]) == ["2,BAD_TIME,start,no time", "9,BAD_CSV,,a quote"]


async def test_a_door_that_is_away_is_asked_again_and_again_with_longer_pauses(tmp_path: Path) -> None:
    posted = Posted(tmp_path, lambda lines, time: each(lines, time) if time > 3 else problem(503, "BUSY"))
    await posted(body(1))

    assert posted.sent == [["r1"]] * 4
    assert posted.slept == [0.25, 0.5, 1.0]
    assert posted.tally.seen == 1


async def test_one_that_stays_away_is_given_up_and_what_was_taken_stays_counted(tmp_path: Path) -> None:
    posted = Posted(tmp_path, lambda lines, time: each(lines, time) if time == 1 else problem(503, "BUSY"))
    with pytest.raises(Stopped, match="send the file again"):
        await posted(body(1), body(3))

    assert posted.tally.seen == 1
    assert sum(posted.slept) >= 120


async def test_a_body_that_is_refused_for_one_record_is_halved_until_that_one_stands_alone(tmp_path: Path) -> None:
    posted = Posted(tmp_path, lambda lines, t: problem(422, "NOT_A_CALENDAR") if "r3" in lines else each(lines, t))
    await posted(body(1, 2, 3, 4, 5))

    assert posted.tally.results == {"applied": 3}
    assert posted.tally.refused == {"BAD_TIME": 1, "NOT_A_CALENDAR": 1}
    assert "3,NOT_A_CALENDAR,here,in words" in posted.path.read_text()


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "WRONG_KEY"), (403, "FOREIGN_SOURCE"), (422, "NO_COLUMNS"), (422, "SOURCE_REQUIRED"), (404, "NOT_FOUND")],
)
async def test_what_is_refused_for_every_body_alike_stops_the_file(tmp_path: Path, status: int, code: str) -> None:
    posted = Posted(tmp_path, lambda *_: problem(status, code))
    with pytest.raises(Stopped) as stopped:
        await posted(body(1), body(2), body(3))

    assert stopped.value.code == code
    assert posted.tally.seen == 0
    assert len(posted.sent) == 1


async def test_a_message_alone_is_answered_as_one_and_one_of_nobodys_visit_is_no_reject(tmp_path: Path) -> None:
    answers = {
        "r1": answered(200, result="repeat", warnings=[]),
        "r2": problem(422, "IGNORED_MESSAGE"),
        "r3": problem(409, "SEQUENCE_CONFLICT"),
    }
    posted = Posted(tmp_path, lambda lines, _: answers[lines[0]])
    await posted(body(1), body(2), body(3))

    assert (posted.tally.results, posted.tally.ignored) == ({"repeat": 1}, 1)
    assert posted.tally.refused == {"SEQUENCE_CONFLICT": 1}


async def test_another_number_of_answers_than_records_is_never_counted(tmp_path: Path) -> None:
    posted = Posted(tmp_path, lambda *_: answered(200, results=[TAKEN]))
    with pytest.raises(Stopped, match="from line 1"):
        await posted(body(1, 2))

    assert posted.tally.seen == 0


async def test_lanes_send_beside_each_other_and_each_keeps_its_order(tmp_path: Path) -> None:
    posted = Posted(tmp_path, each)
    await asyncio.wait_for(posted(*[body(number, lane=number % 2) for number in range(10, 30)], lanes=2), 5)

    order = [int(lines[0][1:]) for lines in posted.sent]
    assert [one for one in order if one % 2] == list(range(11, 30, 2))
    assert [one for one in order if not one % 2] == list(range(10, 30, 2))


async def test_a_file_without_refused_lines_leaves_no_file_of_them_not_even_an_old_one(tmp_path: Path) -> None:
    posted = Posted(tmp_path, each)
    posted.path.write_text("of yesterday")
    await posted(body(1))

    assert not posted.path.exists()


async def test_a_file_of_refused_lines_that_cannot_be_written_stops_the_file(tmp_path: Path) -> None:
    posted = Posted(tmp_path / "gone", lambda *_: answered(200, results=[REFUSED]))

    with pytest.raises(Stopped, match="NOT_WRITTEN"):
        await posted(body(1), body(2))

    assert len(posted.sent) == 1


async def test_a_full_disk_stops_the_file(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejected.csv") as rejects:
        rejects.path = Path("/dev/full")
        async with httpx2.AsyncClient() as http:
            poster = Poster(Target(http, "text/csv", {}), Tally(), rejects)
            with pytest.raises(Stopped, match="No space left"):
                poster.refuse(Record(1, b"r1"), "BAD_TIME", "start", "no time")
