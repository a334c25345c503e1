"""Who waits for an outcome is woken by one look that serves all, and nobody waits for ever."""

import asyncio

from chassis.process.errors import Unavailable
from notifier.outcomes.place import Place
from notifier.outcomes.waiting import WaitingForOutcomes

LONG_S = 60.0


class Feed:
    """What looks find."""

    def __init__(self) -> None:
        self.newest, self.looks, self.away = Place(1, 1), 0, 0
        self.looked = asyncio.Event()

    async def __call__(self) -> Place:
        self.looks += 1
        self.looked.set()
        if self.looks <= self.away:
            raise Unavailable("DATABASE_UNAVAILABLE", "gone")
        return self.newest


def waiting(feed: Feed, most: int = 3) -> WaitingForOutcomes:
    return WaitingForOutcomes(feed, asyncio.Event(), most, look_s=0.001)


async def test_what_comes_later_wakes_whoever_waits_for_it() -> None:
    feed = Feed()
    made = waiting(feed)
    first = asyncio.create_task(made.beyond(Place(1, 1), LONG_S))
    later = asyncio.create_task(made.beyond(Place(5, 0), LONG_S))
    await feed.looked.wait()
    assert not first.done()

    feed.newest = Place(2, 0)
    assert await first is True
    assert not later.done()
    feed.newest = Place(5, 1)
    assert await later is True


async def test_nobody_waits_longer_than_asked_and_no_look_is_made_for_nobody() -> None:
    feed = Feed()
    made = waiting(feed)
    assert await made.beyond(Place(1, 1), 0) is False
    assert feed.looks == 0
    assert await made.beyond(Place(1, 1), 0.01) is False
    assert await made.beyond(Place(0, 0), LONG_S) is True, "and after a pause looks begin anew"


async def test_a_database_that_is_away_is_waited_for() -> None:
    feed = Feed()
    feed.away, feed.newest = 2, Place(3, 3)
    assert await waiting(feed).beyond(Place(1, 1), LONG_S) is True
    assert feed.looks == 3


async def test_who_would_be_too_many_and_whoever_waits_at_the_end_is_answered_at_once() -> None:
    feed, stop = Feed(), asyncio.Event()
    made = WaitingForOutcomes(feed, stop, most=2, look_s=LONG_S)
    held = [asyncio.create_task(made.beyond(Place(9, 9), LONG_S)) for _ in range(2)]
    await feed.looked.wait()
    assert await made.beyond(Place(9, 9), LONG_S) is False

    stop.set()
    assert await asyncio.gather(*held) == [False, False]
    assert await made.beyond(Place(0, 0), LONG_S) is False
