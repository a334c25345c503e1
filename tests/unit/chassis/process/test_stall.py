"""Stuck is seen: what stands still gets a new client first, then it is said, and an outage counts as neither."""

import pytest

from chassis.process.stall import Stuck


class Clock:
    """Machine time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stuck(clock: Clock) -> Stuck:
    return Stuck(clock, after_s=60)


def test_what_gets_on_is_never_stuck(stuck: Stuck, clock: Clock) -> None:
    for far in range(100):
        clock.now += 59
        assert not stuck.look({"p0": far})
    assert stuck.reason is None


def test_what_stands_still_for_the_bound_gets_a_new_client_once(stuck: Stuck, clock: Clock) -> None:
    assert not stuck.look({"p0": 7})
    clock.now += 59.9
    assert not stuck.look({"p0": 7})
    clock.now += 0.1
    assert stuck.look({"p0": 7})
    assert not stuck.look({"p0": 7})
    assert stuck.reason is None


def test_one_that_stands_still_is_seen_beside_others_that_get_on(stuck: Stuck, clock: Clock) -> None:
    for far in range(60):
        assert not stuck.look({"p0": 7, "p1": far})
        clock.now += 1
    assert stuck.look({"p0": 7, "p1": 60})


def test_in_spite_of_a_new_client_it_is_dead_and_says_what_stands_still(stuck: Stuck, clock: Clock) -> None:
    for _ in range(4):
        stuck.look({"group": 1})
        clock.now += 60
    assert stuck.reason == "stands still in spite of a new client: group"


def test_once_all_is_done_it_lives_again_and_counts_anew(stuck: Stuck, clock: Clock) -> None:
    for _ in range(4):
        stuck.look({"group": 1})
        clock.now += 60

    assert not stuck.look({})

    assert stuck.reason is None
    stuck.look({"group": 1})
    clock.now += 60
    assert stuck.look({"group": 1})
    assert stuck.reason is None


def test_an_outage_counts_neither_for_a_new_client_nor_for_death(stuck: Stuck, clock: Clock) -> None:
    for _ in range(10):
        if stuck.look({"group": 1}):
            stuck.excuse()
        clock.now += 60
    assert stuck.reason is None


def test_ten_years_of_nothing_to_do_are_not_stuck(stuck: Stuck, clock: Clock) -> None:
    stuck.look({})
    clock.now += 3e8
    assert not stuck.look({})
    assert not stuck.look({"p0": 7})
