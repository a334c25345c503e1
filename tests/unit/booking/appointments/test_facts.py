"""R33: what happened to a visit is a fact before its booking only if nobody ever said that it is booked."""

from dataclasses import replace
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch
from schemas.appointments import Status
from tests.support.booking.builders import LOCAL, batch, command

WAYS: list[tuple[str, list[list[str]]]] = [
    ("booked pending arrived", [[], ["ILLEGAL_TRANSITION"], []]),
    ("booked pending checked-in fulfilled", [[], ["ILLEGAL_TRANSITION"], [], []]),
    ("booked waitlist noshow", [[], [], []]),
    ("pending booked pending arrived", [[], [], ["ILLEGAL_TRANSITION"], []]),
    ("booked cancelled pending arrived", [[], [], [], []]),
    ("waitlist cancelled booked cancelled proposed fulfilled", [[], [], [], [], [], []]),
    ("pending arrived", [[], ["FACT_BEFORE_BOOKING"]]),
    ("pending waitlist noshow", [[], [], ["FACT_BEFORE_BOOKING"]]),
    ("waitlist cancelled pending arrived", [[], [], [], ["FACT_BEFORE_BOOKING"]]),
    ("arrived pending fulfilled", [["FACT_BEFORE_BOOKING"], ["ILLEGAL_TRANSITION"], ["FACT_BEFORE_BOOKING"]]),
    ("arrived booked arrived", [["FACT_BEFORE_BOOKING"], ["STALE"], []]),
    ("arrived booked pending arrived", [["FACT_BEFORE_BOOKING"], ["STALE"], ["ILLEGAL_TRANSITION"], []]),
    ("pending booked arrived", [[], [], []]),
    ("cancelled arrived", [[], ["FACT_BEFORE_BOOKING"]]),
]


def along(taken: Batch, way: str, **given: Any) -> list[list[str]]:
    """Return the warnings of each of these steps of one visit."""
    steps = [command(f"e{number}", status=Status(status), **given) for number, status in enumerate(way.split())]
    answers = [taken.take(one) for one in steps]
    assert [one.refusal for one in answers if one.refusal] == []
    return [[warned.code for warned in one.warnings] for one in answers]


@pytest.mark.parametrize(("way", "warned"), WAYS, ids=[way for way, _ in WAYS])
def test_r33_what_happened_is_before_its_booking_only_if_the_visit_was_never_booked(
    way: str, warned: list[list[str]]
) -> None:
    taken = batch()
    assert along(taken, way) == warned
    facts = [flag.version for flag in taken.flags if flag.code == "FACT_BEFORE_BOOKING"]
    assert len(facts) == sum("FACT_BEFORE_BOOKING" in codes for codes in warned)


def test_r33_where_steps_are_enforced_what_happened_after_a_correction_is_no_fact_before_its_booking() -> None:
    taken = batch(replace(LOCAL, may_correct=True))
    taken.known = replace(taken.known, enforced={"local"})
    assert along(taken, "booked pending arrived", reason="a mistake") == [[], [], []]
    assert taken.flags == []
