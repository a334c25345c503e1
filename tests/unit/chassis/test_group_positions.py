"""An order to pass over what cannot be read covers that, and nothing later or on another topic of the name."""

import pytest

from chassis.group_positions import Order


@pytest.mark.parametrize(
    ("stands_at", "covered"), [(49, False), (50, True), (52, True), (59, True), (60, False), (400, False)]
)
def test_an_order_moves_only_forward_and_only_what_stood_still_when_it_was_given(stands_at: int, covered: bool) -> None:
    assert Order(position=50, to=60).covers(stands_at) is covered
