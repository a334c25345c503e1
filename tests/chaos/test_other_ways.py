"""The judge of the other ways in, tried on seeded faults: each must be reported."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from stack.demo.client import Client
from tests.chaos.other_ways import OtherWays

START = datetime(2027, 3, 4, 13, tzinfo=UTC)

Run = tuple[OtherWays, dict[str, Any], dict[str, dict[str, Any]], dict[str, list[dict[str, Any]]]]


def sound() -> Run:
    """Return a run in which all is as it must be: the visit -x0 is cancelled, the others stand."""
    ways = OtherWays(cast(Client, None), "", [START], people=2)
    ways.patients = {name: f"id of {name}" for name in ways.visits.values()}
    ways.main_files = {name: f"FILE of {name}" for name in ways.visits.values()}
    results = {f"{visit}:booked": {"result": "applied", "appointment_id": visit} for visit in ways.visits}
    visits = {
        visit: {
            "status": "cancelled" if visit in ways.cancelled else "booked",
            "patient_id": ways.patients[patient.removesuffix("-double")],
        }
        for visit, patient in ways.visits.items()
    }
    rules = (("24h", "CANCELLED", "SUPERSEDED"), ("48h", "FAILED", "NO_CONTACT"), ("2h", "FAILED", "NO_CONTACT"))
    reminders = {
        visit: [{"rule": rule, "status": status, "reason": reason} for rule, status, reason in rules]
        for visit in ways.visits
    }
    return ways, results, visits, reminders


def lose_an_event(run: Run) -> None:
    run[1]["chaos-x1:booked"] = {"result": "refused", "code": "INTERNAL"}


def never_book(run: Run) -> None:
    del run[2]["chaos-x1"]


def give_a_number_twice(run: Run) -> None:
    run[0].main_files["chaos-x1-p"] = run[0].main_files["chaos-x0-p"]


def make_one_patient_of_two(run: Run) -> None:
    run[0].patients["chaos-x1-p"] = run[0].patients["chaos-x0-p"]


def forget_a_cancellation(run: Run) -> None:
    run[2]["chaos-x0"]["status"] = "booked"


def leave_a_visit_with_the_merged_patient(run: Run) -> None:
    run[2]["chaos-x1-double"]["patient_id"] = run[0].patients["chaos-x1-p-double"]


def leave_a_reminder_open(run: Run) -> None:
    run[3]["chaos-x1"][1] |= {"status": "SCHEDULED", "reason": None}


def miss_the_policy(run: Run) -> None:
    del run[3]["chaos-x1"][1]


def keep_the_old_rule(run: Run) -> None:
    run[3]["chaos-x1"][0] |= {"status": "FAILED", "reason": "NO_CONTACT"}


FAULTS: tuple[Callable[[Run], None], ...] = (
    lose_an_event,
    never_book,
    give_a_number_twice,
    make_one_patient_of_two,
    forget_a_cancellation,
    leave_a_visit_with_the_merged_patient,
    leave_a_reminder_open,
    miss_the_policy,
    keep_the_old_rule,
)


def test_nothing_is_reported_of_a_sound_run() -> None:
    ways, *found = sound()
    assert ways.judge(*found) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_seeded_fault_is_reported(fault: Callable[[Run], None]) -> None:
    run = sound()
    fault(run)
    ways, *found = run
    assert len(ways.judge(*found)) >= 1
