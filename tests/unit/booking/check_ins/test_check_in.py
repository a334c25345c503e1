"""R34: at our own door a patient is let in when his visit is cleared; what upstream reports is taken, and flagged."""

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.check_ins.domain import CheckInAtDesk
from booking.clearances.domain.policy import Mode
from booking.clearances.domain.standing import Checked, Lack, Standing
from booking.values.refusals import Refused
from booking.work_list.domain import Flag
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import VISIT, batch, change, command

CONSENT = Lack("consent", "mri-1", "MISSING", "the patient", "Read the form and sign it.", "https://x.org/f", "Consent")
MONEY = Lack("financial", None, "PENDING", "the patient", None, None, "Payment")
CHECKED = (Checked("consent", "mri-1", "MISSING"), Checked("financial", None, "PENDING"))
CLEARED = Standing(Mode.ENFORCE, (Checked("consent", "mri-1", "CLEARED"),))
LACKING = {mode: Standing(mode, CHECKED, (CONSENT, MONEY)) for mode in Mode}
DESK = CheckInAtDesk("front desk")


def told(standing: Standing, *commands: BookAppointment) -> tuple[Batch, EventAnswer]:
    """Return the batch in which the commands come after a booking, and the answer to the last one."""
    known = batch()
    known.take(command("e1"))
    after = batch(known=known, standing=standing)
    answers = [after.take(one) for one in commands]
    return after, answers[-1]


def at_desk(key: str = "c1", *, override: bool = False, reason: str | None = None) -> BookAppointment:
    asked = DESK._replace(override=override)
    return change(key, Status.CHECKED_IN, check_in=asked, reason=reason)


def test_r34_a_cleared_visit_is_checked_in_and_what_was_checked_is_kept() -> None:
    after, answer = told(CLEARED, at_desk())

    [kept] = after.check_ins
    assert answer.check_in == kept
    assert (kept.version, kept.status, kept.standing, kept.asked) == (2, Status.CHECKED_IN, CLEARED, DESK)
    assert (after.flags, answer.warnings) == ([], ())
    state = after.changed[VISIT]
    assert (state.status, state.said_status, state.caused_by) == (Status.CHECKED_IN, Status.BOOKED, "check-in/local/c1")


def test_r34_what_lacks_is_refused_where_it_is_enforced_and_nothing_is_changed() -> None:
    after, answer = told(LACKING[Mode.ENFORCE], at_desk())

    assert answer.refusal is not None
    assert (answer.refusal.status, answer.refusal.code) == (409, "NOT_CLEARED")
    assert [(one.place, one.code) for one in answer.refusal.also] == [
        ("clearances.consent", "MISSING"),
        ("clearances.financial", "PENDING"),
    ]
    for word in ("the patient", "Read the form and sign it", "https://x.org/f"):
        assert word in answer.refusal.also[0].message
    assert (after.versions, after.check_ins, after.flags, after.recorded_events) == ([], [], [], {})


def test_r34_what_lacks_is_told_and_no_more_where_it_is_observed() -> None:
    after, answer = told(LACKING[Mode.OBSERVE], at_desk())

    assert answer.check_in is not None
    assert [lack.kind for lack in answer.check_in.standing.lacking] == ["consent", "financial"]
    assert [one.code for one in answer.warnings] == ["NOT_CLEARED"]
    assert not answer.check_in.verdict.overridden
    assert after.flags == []


def test_r34_whoever_overrides_lets_him_in_and_that_is_kept() -> None:
    after, answer = told(LACKING[Mode.ENFORCE], at_desk(override=True, reason="Dr Who agreed"))

    [kept] = after.check_ins
    assert (kept.verdict.overridden, kept.reason, kept.standing.lacking) == (True, "Dr Who agreed", (CONSENT, MONEY))
    assert [one.code for one in answer.warnings] == ["NOT_CLEARED"]
    assert after.flags == []


@pytest.mark.parametrize("status", [Status.CHECKED_IN, Status.FULFILLED])
@pytest.mark.parametrize(("mode", "flags"), [(Mode.OBSERVE, []), (Mode.ENFORCE, [Flag(VISIT, "NOT_CLEARED", 2)])])
def test_r34_what_upstream_reports_is_taken_and_flagged_where_it_is_enforced(
    status: Status, mode: Mode, flags: list[Flag]
) -> None:
    after, answer = told(LACKING[mode], change("e2", status))

    assert after.changed[VISIT].status is status
    assert [one.code for one in answer.warnings] == ["NOT_CLEARED"]
    assert after.flags == flags
    [kept] = after.check_ins
    assert (kept.asked, kept.standing) == (None, LACKING[mode])


def test_a_fact_of_whom_nothing_is_required_leaves_no_row() -> None:
    after, answer = told(Standing(), change("e2", Status.CHECKED_IN))
    assert (after.check_ins, answer.warnings) == ([], ())


def test_who_is_in_is_not_judged_again() -> None:
    after, answer = told(LACKING[Mode.ENFORCE], at_desk(override=True, reason="x"), change("e3", Status.FULFILLED))
    assert (after.changed[VISIT].status, answer.warnings, after.flags) == (Status.FULFILLED, (), [])
    assert len(after.check_ins) == 1


def test_the_same_again_changes_nothing_and_another_finds_him_in() -> None:
    after, again = told(CLEARED, at_desk(), at_desk())
    assert (again.result, again.check_in, len(after.check_ins)) == ("repeat", None, 1)
    after, other = told(CLEARED, at_desk(), at_desk("c2"))
    assert other.check_in is not None
    assert (other.result, other.check_in.standing, len(after.versions)) == ("repeat", CLEARED, 1)


def test_a_history_that_is_imported_is_not_judged() -> None:
    after, answer = told(LACKING[Mode.ENFORCE], change("e2", Status.CHECKED_IN, mode=IngestMode.BACKFILL))
    assert (answer.warnings, after.flags, after.check_ins) == ((), [], [])


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.ENTERED_IN_ERROR])
def test_nobody_is_checked_in_to_a_visit_that_is_off(status: Status) -> None:
    _, answer = told(CLEARED, change("e2", status), at_desk())
    assert isinstance(answer.refusal, Refused)
    assert (answer.refusal.status, answer.refusal.code) == (409, "ALREADY_CANCELLED")


@pytest.mark.parametrize("status", [Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN])
def test_what_upstream_says_again_does_not_undo_a_check_in(status: Status) -> None:
    after, answer = told(CLEARED, at_desk(), change("e2", status, reason="x", service_type="Scan"))
    assert after.changed[VISIT].status is Status.CHECKED_IN
    assert answer.result == "applied"
    kept = [("KEPT_DESK_CHANGE", "appointment.status")] if status is not Status.CHECKED_IN else []
    assert [(one.code, one.place) for one in answer.warnings] == kept


def test_upstream_goes_on_from_a_check_in_at_the_desk() -> None:
    after, _ = told(CLEARED, at_desk(), change("e2", Status.ARRIVED), change("e3", Status.FULFILLED))
    assert after.changed[VISIT].status is Status.FULFILLED
    assert len(after.check_ins) == 1
