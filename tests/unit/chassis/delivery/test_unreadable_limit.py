"""Too many of our own records that cannot be read: the fault is ours, and no more events are taken (design §3)."""

import pytest

from chassis.delivery.unreadable_limit import Breaker


class Watch:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_nineteen_in_a_minute_are_borne(watch: Watch) -> None:
    breaker = Breaker(watch)
    for _ in range(19):
        breaker.count(100, 1)

    assert not breaker.is_open
    assert breaker.reason("shop") is None


def test_twenty_in_a_minute_open_it_and_it_says_what_to_do(watch: Watch) -> None:
    breaker = Breaker(watch)
    for _ in range(20):
        breaker.count(100, 1)

    assert breaker.is_open
    assert "attend dead-letters list shop" in (breaker.reason("shop") or "")


def test_twenty_over_more_than_a_minute_are_borne(watch: Watch) -> None:
    breaker = Breaker(watch)
    for _ in range(40):
        breaker.count(1000, 1)
        watch.now_s += 4

    assert not breaker.is_open


@pytest.mark.parametrize(
    ("records", "bad", "opens"), [(200, 10, True), (199, 10, False), (400, 19, False), (200, 9, False)]
)
def test_five_percent_of_at_least_200_open_it(watch: Watch, records: int, bad: int, opens: bool) -> None:
    breaker = Breaker(watch)
    breaker.count(records, bad)

    assert breaker.is_open is opens


def test_the_good_before_the_bad_count_too(watch: Watch) -> None:
    breaker = Breaker(watch)
    breaker.count(10_000, 0)
    breaker.count(200, 10)

    assert not breaker.is_open


def test_once_open_it_stays_open(watch: Watch) -> None:
    breaker = Breaker(watch)
    breaker.count(20, 20)
    watch.now_s += 3600
    breaker.count(10_000, 0)

    assert breaker.is_open
