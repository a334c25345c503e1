"""The longer something fails the longer it waits, up to a bound, and the less is said of it."""

from chassis.process.backoff import Backoff


def test_a_pause_is_doubled_by_each_failure_and_bounded() -> None:
    backoff, pauses = Backoff(0.2, 5.0), list[float]()
    for _ in range(2000):
        backoff.failed()
        pauses.append(backoff.pause_s())

    for failures, longest in ((1, 0.2), (2, 0.4), (3, 0.8), (5, 3.2), (6, 5.0), (2000, 5.0)):
        assert longest / 2 <= pauses[failures - 1] <= longest


def test_what_failed_together_does_not_come_back_together() -> None:
    made = [Backoff() for _ in range(20)]
    for one in made:
        one.failed()
    assert len({one.pause_s() for one in made}) > 1


def test_the_first_second_fourth_and_eighth_failure_in_a_row_are_told() -> None:
    backoff = Backoff()
    assert [number for number in range(1, 17) if backoff.failed()] == [1, 2, 4, 8, 16]


def test_after_a_success_it_begins_anew() -> None:
    backoff = Backoff(0.2, 5.0)
    for _ in range(9):
        backoff.failed()
    backoff.succeeded()
    assert backoff.failures == 0
    assert backoff.failed()
    assert backoff.pause_s() <= 0.2
