"""When a message is tried again."""

from datetime import timedelta

import pytest

from notifier.ledger.domain.backoff import delay, retry_at
from tests.support.notifier.builders import NOW


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (6, 160), (7, 300), (8, 300), (1000, 300)]
)
def test_r24_d33_the_wait_doubles_from_5_s_up_to_5_min(attempts: int, seconds: int) -> None:
    assert delay(attempts, 0.5) == timedelta(seconds=seconds)


@pytest.mark.parametrize("attempts", [1, 3, 9])
def test_d33_jitter_spreads_by_a_fifth_and_never_beyond_the_cap(attempts: int) -> None:
    exact = delay(attempts, 0.5)

    assert delay(attempts, 0.0) == exact * 0.8
    assert delay(attempts, 1.0) == min(exact * 1.2, timedelta(minutes=5))


def test_d33_no_attempt_is_planned_after_the_deadline() -> None:
    assert retry_at(NOW, 1, NOW + timedelta(seconds=5), 0.5) == NOW + timedelta(seconds=5)
    assert retry_at(NOW, 1, NOW + timedelta(seconds=4.9), 0.5) is None


def test_a_carriers_retry_after_is_never_undercut() -> None:
    deadline = NOW + timedelta(hours=1)

    assert retry_at(NOW, 1, deadline, 0.5, timedelta(seconds=90)) == NOW + timedelta(seconds=90)
    assert retry_at(NOW, 5, deadline, 0.5, timedelta(seconds=1)) == NOW + timedelta(seconds=80)
