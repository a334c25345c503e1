"""R34: at our own door a patient is let in when his visit is cleared; what upstream reports is taken, and flagged."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.intake import for_staff
from booking.check_ins.domain import CheckInAtDesk
from booking.clearances.domain.clearance import Clearance, Slot
from booking.clearances.domain.kinds import State
from booking.clearances.domain.policy import Mode, Requirement
from booking.clearances.domain.standing import NO_TERMS, Terms
from booking.values.refusals import Refused
from booking.work_list.domain import Flag
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import ANN, START, VISIT, batch, change, command
from tests.unit.booking.clearances.made import KINDS, consent, held, policy, word

REQUIRES = (
    Requirement("consent", "mri-1", how="Read the form and sign it.", link="https://x.org/f"),
    Requirement("financial"),
)
WAITS = held(word("financial", State.PENDING))
SIGNED = held(word("financial"), consent(form="mri-1"))


def terms(holds: Mapping[Slot, Clearance], mode: Mode = Mode.ENFORCE, service_type: str | None = None) -> Terms:
    """Return terms by which the eye clinic, or a service type of it, requires a consent and a payment."""
    required = policy(*REQUIRES, mode=mode, service_type=service_type)._replace(clinic_id="EYE")
    return Terms({"EYE": [required]}, {"EYE": KINDS}, {VISIT: [one._replace(patient_id=ANN) for one in holds.values()]})


CLEARED = terms(SIGNED)
LACKING = {mode: terms(WAITS, mode) for mode in Mode}
DESK = CheckInAtDesk("front desk")


def told(required: Terms, *commands: BookAppointment) -> tuple[Batch, EventAnswer]:
    """Return the batch in which the commands come after a booking, and the answer to the last one."""
    known = batch()
    known.take(command("e1"))
    after = batch(known=known, terms=required)
    answers = [after.take(one) for one in commands]
    return after, answers[-1]


def at_desk(key: str = "c1", *, override: bool = False, reason: str | None = None) -> BookAppointment:
    asked = DESK._replace(override=override)
    return change(key, Status.CHECKED_IN, check_in=asked, reason=reason)


def test_r34_a_cleared_visit_is_checked_in_and_what_was_checked_is_kept() -> None:
    after, answer = told(CLEARED, at_desk())

    [kept] = after.check_ins
    assert answer.check_in == kept
    assert (kept.version, kept.status, kept.asked) == (2, Status.CHECKED_IN, DESK)
    assert [(one.kind, one.code) for one in kept.standing.checked] == [("consent", "CLEARED"), ("financial", "CLEARED")]
    assert (after.flags, answer.warnings) == ([], ())
    state = after.changed[VISIT]
    assert (state.status, state.said_status, state.caused_by) == (Status.CHECKED_IN, Status.BOOKED, "check-in/local/c1")


def test_what_was_given_for_a_patient_clears_no_other_whom_the_visit_is_given_to() -> None:
    _, answer = told(CLEARED, change("e2", patient="bob"), at_desk())

    assert answer.refusal is not None
    assert {(one.place, one.code) for one in answer.refusal.also} == {
        ("clearances.consent", "MISSING"), ("clearances.financial", "MISSING"),
    }  # fmt: skip


def test_what_was_given_for_whom_the_patient_is_merged_into_clears_his_visit() -> None:
    kept = UUID(int=77)
    mine = {VISIT: [one._replace(patient_id=kept) for one in SIGNED.values()]}
    _, answer = told(CLEARED._replace(held=mine, kept={ANN: kept}), at_desk())

    assert (answer.refusal, answer.check_in is not None) == (None, True)


def test_r34_what_lacks_is_refused_where_it_is_enforced_and_nothing_is_changed() -> None:
    after, answer = told(LACKING[Mode.ENFORCE], at_desk())

    assert answer.refusal is not None
    assert (answer.refusal.status, answer.refusal.code) == (409, "NOT_CLEARED")
    assert [(one.place, one.code) for one in answer.refusal.also] == [
        ("clearances.consent", "MISSING"),
        ("clearances.financial", "PENDING"),
    ]
    for words in ("the patient", "Read the form and sign it", "https://x.org/f"):
        assert words in answer.refusal.also[0].message
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
    assert (kept.verdict.overridden, kept.reason, len(kept.standing.lacking)) == (True, "Dr Who agreed", 2)
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
    assert (kept.asked, kept.standing.mode, len(kept.standing.lacking)) == (None, mode, 2)


@pytest.mark.parametrize("status", [Status.CHECKED_IN, Status.FULFILLED])
def test_r34_whoever_is_first_heard_of_as_let_in_is_judged_by_what_his_clinic_requires(status: Status) -> None:
    after = batch(new=["v1"], terms=terms({}))
    answer = after.take(command("e1", status=status))

    assert [one.code for one in answer.warnings if one.code == "NOT_CLEARED"] == ["NOT_CLEARED"]
    assert Flag(VISIT, "NOT_CLEARED", 1) in after.flags
    assert [len(one.standing.lacking) for one in after.check_ins] == [2]


@pytest.mark.parametrize(("given", "lacks"), [({"clinic": "ENT"}, 0), ({"service_type": "MRI"}, 2), ({}, 0)])
def test_r34_a_visit_is_judged_as_the_command_leaves_it(given: dict[str, str], lacks: int) -> None:
    after, answer = told(terms(WAITS, service_type="MRI"), change("e2", Status.CHECKED_IN, **given))

    assert len(answer.warnings) == (lacks > 0)
    assert [len(one.standing.lacking) for one in after.check_ins] == [lacks] * (lacks > 0)


def test_a_fact_of_whom_nothing_is_required_leaves_no_row() -> None:
    after, answer = told(NO_TERMS, change("e2", Status.CHECKED_IN))
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
    assert (other.result, other.check_in.standing.is_cleared, len(after.versions)) == ("repeat", True, 1)


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


@pytest.mark.parametrize("status", [Status.BOOKED, Status.ARRIVED])
@pytest.mark.parametrize("minutes", [10, 90, -15])
def test_a_slot_that_runs_late_does_not_send_anybody_out_of_the_waiting_room(status: Status, minutes: int) -> None:
    start = START + timedelta(minutes=minutes)
    moved = change("e2", status, starts_at=start)
    after, answer = told(CLEARED, at_desk(), moved, change("e3", status, service_type="Scan"))

    state = after.changed[VISIT]
    assert (state.status, state.starts_at, state.said_starts_at) == (Status.CHECKED_IN, start, None)
    assert [(one.code, one.place) for one in answer.warnings] == [("KEPT_DESK_CHANGE", "appointment.status")]
    assert (after.flags, len(after.check_ins)) == ([], 1)


def test_a_visit_that_is_put_to_another_day_is_not_the_one_he_was_checked_in_for() -> None:
    after, answer = told(CLEARED, at_desk(), change("e2", starts_at=START + timedelta(days=7)))
    assert after.changed[VISIT].status is Status.BOOKED
    assert [one.code for one in answer.warnings] == ["ILLEGAL_TRANSITION"]


def test_what_is_refused_at_our_own_door_is_read_there_and_upstreams_is_kept_for_staff() -> None:
    off = Refused("ILLEGAL_TRANSITION", "no step from fulfilled to checked-in")
    said = [at_desk(), change("e2", Status.CHECKED_IN)]
    kept = for_staff(said, [EventAnswer(one.key, refusal=off) for one in said])
    assert [one.event_id for one in kept] == ["e2"]


@pytest.mark.parametrize("status", [Status.FULFILLED, Status.PENDING, Status.WAITLIST])
def test_who_is_only_asked_for_or_was_there_is_not_checked_in(status: Status) -> None:
    known = batch()
    known.take(command("e1", status=status))
    refusal = batch(known=known, terms=CLEARED).take(at_desk(reason="walked in")).refusal
    assert refusal is not None
    assert refusal.code == "ILLEGAL_TRANSITION"
