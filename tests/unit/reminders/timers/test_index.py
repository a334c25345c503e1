"""The index of a large partition: nothing is lost or early, and no single step looks at more than a few entries."""

import asyncio
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from reminders.timers.index import HOUR, MOVED_A_TURN, SLACK, SWEPT_A_STEP, Index

MINUTE = HOUR // 60


class Watched:
    """Keys with instants, and how often they were asked for."""

    def __init__(self) -> None:
        self.wakes: dict[int, int] = {}
        self.asked = 0
        self.index = Index(self._wake)

    def _wake(self, key: int) -> int | None:
        self.asked += 1
        return self.wakes.get(key)

    def put(self, key: int, wake: int) -> int:
        """Move a key; return how many entries were looked at for it."""
        before, self.wakes[key] = self.asked, wake
        self.index.enter(wake, key)
        self.index.tidy(len(self.wakes))
        return self.asked - before

    async def take(self, now: int, most: int = 10**9) -> list[int]:
        await self.index.reach(now)
        return self.index.take(now, most)


async def turns_of_others(work: object) -> int:
    """Await some work; return how many turns others had meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    running = asyncio.ensure_future(others())
    await work  # type: ignore[misc]
    running.cancel()
    return turns


def test_a_sweep_is_shared_among_the_puts_and_ends() -> None:
    kept, random = Watched(), Random(3)
    for key in range(1000):
        kept.put(key, random.randrange(9 * HOUR))
    looked_at = [kept.put(random.randrange(1000), random.randrange(9 * HOUR)) for _ in range(5 * SLACK)]

    assert max(looked_at) <= SWEPT_A_STEP
    assert sum(looked_at) > SLACK, "nothing was swept"
    assert len(kept.index) <= 3 * SLACK


def test_a_key_that_goes_to_and_fro_in_one_hour_does_not_fill_the_index() -> None:
    kept = Watched()
    for number in range(5 * SLACK):
        kept.put(1, HOUR + number % 2 * MINUTE)

    assert len(kept.index) <= 2 * SLACK


async def test_what_has_come_is_swept_too() -> None:
    kept = Watched()
    await kept.take(HOUR)
    for number in range(5 * SLACK):
        kept.put(1, HOUR + MINUTE + number)

    assert len(kept.index) <= 2 * SLACK
    assert await kept.take(2 * HOUR) == [1]


async def test_hours_that_come_together_are_moved_in_slices_however_few_keys_each_has() -> None:
    kept = Watched()
    for key in range(10 * MOVED_A_TURN):
        kept.put(key, key % 2000 * HOUR)

    assert await turns_of_others(kept.index.reach(2000 * HOUR)) >= 9


async def test_an_hour_with_many_keys_is_moved_in_slices() -> None:
    kept = Watched()
    for key in range(10 * MOVED_A_TURN):
        kept.put(key, HOUR)

    assert await turns_of_others(kept.index.reach(HOUR)) >= 9


async def test_a_take_looks_at_no_more_than_it_was_told_to() -> None:
    kept = Watched()
    for key in range(1000):
        kept.put(key, HOUR)
    await kept.index.reach(HOUR)
    for key in range(900):
        kept.put(key, 5 * HOUR)
    before = kept.asked

    while kept.index.next_wake == HOUR:
        kept.index.take(HOUR, 100)
        assert kept.asked - before <= 100
        before = kept.asked


async def test_keys_may_be_moved_into_an_hour_that_is_being_moved() -> None:
    kept = Watched()
    for key in range(3 * MOVED_A_TURN):
        kept.put(key, HOUR + MINUTE)
    reaching = asyncio.ensure_future(kept.index.reach(HOUR + MINUTE))
    await asyncio.sleep(0)

    kept.put(-1, HOUR + MINUTE)
    kept.put(1, HOUR)
    await reaching

    assert set(await kept.take(HOUR)) == {1}
    assert set(await kept.take(HOUR + MINUTE)) == {-1, *range(3 * MOVED_A_TURN)} - {1}


async def test_two_may_reach_at_once() -> None:
    kept = Watched()
    for key in range(3 * MOVED_A_TURN):
        kept.put(key, key % 3 * HOUR)

    await asyncio.gather(kept.index.reach(2 * HOUR), kept.index.reach(HOUR), kept.index.reach(2 * HOUR))

    assert Counter(await kept.take(2 * HOUR)) == Counter(range(3 * MOVED_A_TURN))


@given(st.data())
def test_every_key_comes_at_its_newest_instant_and_never_before(data: st.DataObject) -> None:
    async def story() -> None:
        kept, now, out = Watched(), 0, set[int]()
        for _ in range(data.draw(st.integers(1, 40))):
            if data.draw(st.booleans()):
                key, wake = data.draw(st.integers(0, 5)), now + data.draw(st.integers(0, 5 * HOUR))
                kept.put(key, wake)
                out.discard(key)
            else:
                now += data.draw(st.integers(0, 2 * HOUR))
                found = await kept.take(now, data.draw(st.integers(1, 10)))
                assert all(kept.wakes[key] <= now for key in found)
                out.update(found)
                while more := await kept.take(now):
                    out.update(more)
                assert out >= {key for key, wake in kept.wakes.items() if wake <= now}
                assert len(kept.index) >= len(kept.wakes.keys() - out)

    asyncio.run(story())
