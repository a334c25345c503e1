"""R34: who was let in is a person: of a visit that is given to another one afterwards nobody was let in yet."""

from uuid import UUID

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.check_ins.domain import CheckInAtDesk
from booking.clearances.domain.policy import Mode, Requirement
from booking.clearances.domain.standing import Terms
from booking.work_list.domain import Flag
from schemas.appointments import Status
from tests.support.booking.builders import ANN, VISIT, batch, change, command
from tests.unit.booking.clearances.made import KINDS, held, policy, word

DESK = CheckInAtDesk("front desk")


def paid_by_ann(mode: Mode = Mode.ENFORCE) -> Terms:
    required = policy(Requirement("financial"), mode=mode)._replace(clinic_id="EYE")
    paid = [one._replace(patient_id=ANN) for one in held(word("financial")).values()]
    return Terms({"EYE": [required]}, {"EYE": KINDS}, {VISIT: paid})


def told(*commands: BookAppointment, mode: Mode = Mode.ENFORCE) -> tuple[Batch, list[EventAnswer]]:
    """Return the batch in which the commands come after Ann's booking, and their answers."""
    known = batch()
    known.take(command("e1"))
    after = batch(known=known, terms=paid_by_ann(mode))
    return after, [after.take(one) for one in commands]


def at_desk(key: str = "c1", asked: CheckInAtDesk = DESK) -> BookAppointment:
    return change(key, Status.CHECKED_IN, check_in=asked, reason="Dr Who agreed" if asked.override else None)


@pytest.mark.parametrize("said", [Status.BOOKED, Status.ARRIVED])
def test_a_check_in_at_the_desk_is_not_the_next_patients(said: Status) -> None:
    after, answers = told(at_desk(), change("e2", said, patient="bob"), at_desk("c2"))

    assert after.changed[VISIT].status is said
    assert [one.code for one in answers[1].warnings] == ["ILLEGAL_TRANSITION"]
    assert [flag.code for flag in after.flags] == ["ILLEGAL_TRANSITION"]
    assert answers[2].refusal is not None
    assert answers[2].refusal.code == "NOT_CLEARED"


def test_an_override_is_not_the_next_patients() -> None:
    by_right = at_desk(asked=DESK._replace(override=True))
    after, answers = told(change("e2", patient="cid"), by_right, change("e3", patient="bob"), at_desk("c2"))

    assert (answers[1].result, after.changed[VISIT].status) == ("applied", Status.BOOKED)
    assert answers[3].refusal is not None
    assert answers[3].refusal.code == "NOT_CLEARED"


@pytest.mark.parametrize("status", [Status.CHECKED_IN, Status.FULFILLED])
def test_whom_upstream_lets_in_in_place_of_another_is_judged_and_flagged(status: Status) -> None:
    after, answers = told(change("e2", Status.CHECKED_IN), change("e3", status, patient="bob"))

    assert [[one.code for one in answer.warnings] for answer in answers] == [[], ["NOT_CLEARED"]]
    assert after.flags == [Flag(VISIT, "NOT_CLEARED", 3)]
    assert [(one.version, len(one.standing.lacking)) for one in after.check_ins] == [(2, 0), (3, 1)]


def test_who_is_in_and_named_again_is_not_judged_again() -> None:
    after, answers = told(at_desk(), change("e2", Status.CHECKED_IN, patient="ann", service_type="Scan"))

    assert (answers[1].result, answers[1].warnings, after.flags, len(after.check_ins)) == ("applied", (), [], 1)


@pytest.mark.parametrize(("seen", "is_let_in"), [(ANN, True), (UUID(int=9), False), (None, True)])
def test_whoever_is_checked_in_is_whom_the_desk_saw(seen: UUID | None, is_let_in: bool) -> None:
    after, [answer] = told(at_desk(asked=DESK._replace(patient_id=seen)))

    refusal = None if answer.refusal is None else (answer.refusal.code, answer.refusal.place)
    assert refusal == (None if is_let_in else ("CHANGED_MEANWHILE", "patient"))
    assert len(after.versions) == is_let_in
