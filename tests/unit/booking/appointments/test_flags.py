"""What staff should look at is flagged by the change that brings it, and by nothing that changes nothing."""

from booking.appointments.domain.batch import Batch
from booking.work_list.domain import Flag
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import VISIT, batch, change, command


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
