"""A checker that never failed proves nothing: each seeded mutant of a sound run must be reported."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from schemas.wire import event_id, notification_id, reminder_id, sub_file_id
from tests.chaos.evidence import Evidence, Record
from tests.chaos.invariants import check

APPOINTMENT, PATIENT = UUID(int=1), UUID(int=2)
REMINDER = reminder_id(APPOINTMENT, 1, "24h")
CONFIRMATION = notification_id((APPOINTMENT, 1, "booked"), "patient", "confirmation")
MESSAGE = notification_id((REMINDER,), "patient", "reminder")
NUMBER = "FILE-2027-000001-THAMES-01"


def record(offset: int, key: UUID, kind: str, identifier: object, **value: Any) -> Record:
    body = {name: str(item) if isinstance(item, UUID) else item for name, item in value.items()}
    return Record(0, offset, str(key), str(identifier), kind, body, orjson.dumps(body))


def appointment(offset: int, version: int, status: str) -> Record:
    return record(
        offset,
        APPOINTMENT,
        "appointment.changed.v1",
        event_id(APPOINTMENT, version),
        appointment_id=APPOINTMENT,
        version=version,
        status=status,
        patient_id=PATIENT,
        clinic_id="THAMES",
        schedule_gen=1,
        policy={"rules": [{"slug": "24h"}]},
    )


def outcome(offset: int, message: UUID, version: int, said: str, reminder: UUID | None = None) -> Record:
    more = {"reminder_id": reminder} if reminder else {}
    kind = "notification.changed.v1"
    body = {"notification_id": message, "version": version, "outcome": said, "channel": "sms", **more}
    return record(offset, APPOINTMENT, kind, f"{message}:{version}", **body)


def sub_file_opened(offset: int, ordinal: int) -> Record:
    opened = sub_file_id(PATIENT, "THAMES", ordinal)
    return record(offset, opened, "sub_file.changed.v1", opened, sub_file_id=opened, version=1, number=NUMBER)


def sound() -> Evidence:
    """Return a run without a fault: a booking that was published twice, then cancelled after its reminder."""
    planned = [{"reminder_id": str(REMINDER)}]
    return Evidence(
        answered={str(APPOINTMENT): 2},
        topics={
            "appointments": [appointment(0, 1, "booked"), appointment(1, 1, "booked"), appointment(2, 2, "cancelled")],
            "subfiles": [sub_file_opened(0, 1)],
            "reminders": [
                record(0, APPOINTMENT, "reminders.planned.v1", "p", version=1, reminders=planned),
                record(1, APPOINTMENT, "reminder.due.v1", "d", reminder_id=REMINDER),
            ],
            "notifications": [
                outcome(0, CONFIRMATION, 1, "unknown"),
                outcome(1, CONFIRMATION, 2, "accepted"),
                outcome(2, MESSAGE, 1, "accepted", REMINDER),
            ],
        },
        positions={("records", "appointments", 0): (3, 3)},
        accepted=[{"notification_id": str(CONFIRMATION)}, {"notification_id": str(MESSAGE)}],
    )


def test_a_sound_run_has_no_violation() -> None:
    assert check(sound()) == []


def test_an_unknown_send_may_be_in_the_carriers_log_or_not() -> None:
    evidence = sound()
    evidence.topics["notifications"][2] = outcome(2, MESSAGE, 1, "unknown", REMINDER)
    assert check(evidence) == []
    del evidence.accepted[1]
    assert check(evidence) == []


def drop(topic: str, index: int) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.topics[topic].__delitem__(index)


def swap_versions(evidence: Evidence) -> None:
    first, _, last = evidence.topics["appointments"]
    evidence.topics["appointments"] = [replace(last, offset=0), replace(first, offset=2)]


def alter_a_copy(evidence: Evidence) -> None:
    records = evidence.topics["appointments"]
    records[1] = replace(records[1], raw=b"{}")


def add_sub_file(evidence: Evidence) -> None:
    evidence.topics["subfiles"].append(sub_file_opened(1, 2))


def fall_behind(evidence: Evidence) -> None:
    evidence.positions["records", "appointments", 0] = 2, 3


def contradict(evidence: Evidence) -> None:
    evidence.topics["notifications"].append(outcome(3, MESSAGE, 2, "failed", REMINDER))


@pytest.mark.parametrize(
    ("invariant", "mutate"),
    [
        pytest.param("I1", drop("appointments", 2), id="an answered version lost"),
        pytest.param("I2", swap_versions, id="two versions swapped"),
        pytest.param("I2", alter_a_copy, id="a copy that differs"),
        pytest.param("I3", fall_behind, id="a record unread"),
        pytest.param("I4", drop("subfiles", 0), id="a sub-file dropped"),
        pytest.param("I4", add_sub_file, id="a sub-file doubled"),
        pytest.param("I5", drop("reminders", 0), id="a plan dropped"),
        pytest.param("I5", contradict, id="a reminder with two outcomes"),
        pytest.param("I6", lambda e: e.accepted.append(e.accepted[0]), id="a send doubled"),
        pytest.param("I6", lambda e: e.accepted.pop(), id="a send dropped"),
        pytest.param("I6", drop("notifications", 2), id="a send without a ledger row"),
        pytest.param("I10", contradict, id="a final outcome changed"),
    ],
)
def test_each_mutant_is_reported(invariant: str, mutate: Callable[[Evidence], None]) -> None:
    evidence = deepcopy(sound())
    mutate(evidence)
    assert invariant in {line.split(":")[0] for line in check(evidence)}
