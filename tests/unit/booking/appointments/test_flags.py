"""What staff should look at is flagged by the change that brings it, and by nothing that changes nothing."""

import pytest

from booking.appointments.domain.batch import Batch
from booking.appointments.domain.command import BookAppointment, SeenAtDesk
from booking.values.warned import HELD_BACK, Warned
from booking.work_list.domain import Flag
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import HOUR, START, VISIT, batch, change, command


def booked() -> Batch:
    known = batch()
    known.take(command("e1"))
    return batch(known=known)


def test_r33_a_step_that_the_state_table_lacks_is_flagged_with_the_version_that_it_made() -> None:
    told = booked()
    told.take(change("e2", Status.FULFILLED))
    told.take(change("e3", Status.BOOKED))
    assert told.flags == [Flag(VISIT, "ILLEGAL_TRANSITION", 3)]


def test_a_repeat_and_a_step_of_the_table_flag_nothing() -> None:
    told = booked()
    for key, status in (("e2", Status.ARRIVED), ("e2", Status.ARRIVED), ("e3", Status.FULFILLED)):
        told.take(change(key, status))
    assert told.flags == []


def test_d43_a_history_that_is_imported_flags_nothing() -> None:
    told = booked()
    told.take(change("e2", Status.FULFILLED))
    told.take(change("e3", Status.BOOKED, mode=IngestMode.BACKFILL))
    assert told.flags == []
    assert told.versions[-1][1].status is Status.BOOKED


HELD = (Warned(HELD_BACK, "SCH-25"),)
FLAG = Flag(VISIT, HELD_BACK, 1)


@pytest.mark.parametrize(
    ("messages", "flags", "agreed"),
    [
        ([change("e2", warnings=HELD)], [FLAG], False),
        ([change("e2", starts_at=START + HOUR, warnings=HELD)], [FLAG._replace(version=2)], False),
        ([change("e2", warnings=HELD), change("e3", agrees=True)], [FLAG], True),
        ([change("e2", agrees=True), change("e3", warnings=HELD)], [FLAG], False),
        ([change("e2", warnings=HELD), change("e3")], [FLAG], False),
        ([change("e2", warnings=HELD), change("e3", Status.CANCELLED, at_desk=SeenAtDesk(START))], [FLAG], True),
        ([change("e2", agrees=True)], [], True),
    ],
)
def test_what_contradicts_itself_is_held_back_until_something_agrees_or_a_person_acts(
    messages: list[BookAppointment], flags: list[Flag], *, agreed: bool
) -> None:
    told = booked()
    for message in messages:
        assert told.take(message).refusal is None
    assert [flag for flag in told.flags if flag.code == HELD_BACK] == flags
    assert (told.agreed == {VISIT}) is agreed


def test_what_is_overtaken_holds_and_frees_nothing() -> None:
    known = batch()
    known.take(command("e1", sequence=5))
    told = batch(known=known)
    assert told.take(change("e2", sequence=3, agrees=True)).result is not None
    assert told.take(change("e3", sequence=4, warnings=HELD)).result is not None
    assert (told.agreed, told.flags) == (set(), [])
