"""A place in the feed is told and read, and whatever else comes as one is refused."""

import pytest

from chassis.api.page_cursor import BadCursor
from notifier.outcomes.place import Place


@pytest.mark.parametrize("place", [Place(0, 0), Place(761, 1), Place(2**64 - 1, 2**63 - 1)])
def test_a_place_is_read_as_it_was_told(place: Place) -> None:
    assert Place.read(place.text()) == place
    assert place.text().isascii()


def test_places_are_ordered_by_the_transaction_then_by_the_row() -> None:
    assert Place(9, 99) < Place(10, 1) < Place(10, 2)


@pytest.mark.parametrize(
    "text",
    ["", "x", "NzYx", "é", "LTEuMQ", "MTgwMDAwMDAwMDAwMDAwMDAwMDAwLjE", "MS45OTk5OTk5OTk5OTk5OTk5OTk5", "MS4yLjM"],
)
def test_what_no_page_gave_is_refused(text: str) -> None:
    """Empty, no base64, one number, other letters, a minus, too large by either number, three."""
    with pytest.raises(BadCursor):
        Place.read(text)
