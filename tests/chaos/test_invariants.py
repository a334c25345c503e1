"""A checker that never failed proves nothing: each seeded mutant of a sound run must be reported."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from schemas.wire import event_id, notification_id, reminder_id, sub_file_id
from tests.chaos.evidence import Call, Evidence, Letter, Message, Record
from tests.chaos.invariants import check

APPOINTMENT, PATIENT = UUID(int=1), UUID(int=2)
REMINDER = reminder_id(APPOINTMENT, 1, "24h")
CONFIRMATION = notification_id((APPOINTMENT, 1, "booked"), "patient", "confirmation")
MESSAGE = notification_id((REMINDER,), "patient", "reminder")
CANCELLATION = notification_id((APPOINTMENT, 2, "cancelled"), "patient", "cancelled")
OTHER, OTHER_PATIENT = UUID(int=3), UUID(int=4)
NUMBER = "FILE-2027-000001-THAMES-01"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
POISON = ("appointments", 0, 3)


def record(offset: int, key: UUID, kind: str, identifier: object, **value: Any) -> Record:
    body = {name: str(item) if isinstance(item, UUID) else item for name, item in value.items()}
    return Record(0, offset, str(key), str(identifier), kind, body, orjson.dumps(body))


def appointment(offset: int, version: int, status: str, visit: UUID = APPOINTMENT, patient: UUID = PATIENT) -> Record:
    return record(
        offset,
        visit,
        "appointment.changed.v1",
        event_id(visit, version),
        appointment_id=visit,
        version=version,
        status=status,
        patient_id=patient,
        clinic_id="THAMES",
        schedule_gen=1,
        zone="Europe/London",
        policy={"rules": [{"slug": "24h"}], "window": {"opens": "07:00:00", "closes": "21:00:00"}},
    )


def outcome(offset: int, message: UUID, version: int, said: str, reminder: UUID | None = None) -> Record:
    more = {"reminder_id": reminder} if reminder else {}
    kind = "notification.changed.v1"
    body = {"notification_id": message, "version": version, "outcome": said, "channel": "sms", **more}
    return record(offset, APPOINTMENT, kind, f"{message}:{version}", **body)


def call(message: UUID, ordinal: int, kind: str, said: str, channel: str = "sms") -> Call:
    return Call(
        attempt_id=f"{message} {ordinal}",
        notification_id=str(message),
        ordinal=ordinal,
        appointment_id=str(APPOINTMENT),
        clinic_id="THAMES",
        kind=kind,
        channel=channel,
        schedule_gen=1,
        gated_version=1,
        called_at=NOON,
        not_after=NOON,
        outcome=said,
        delivery_state="unknown",
        address_key="ab",
    )


def message(notification: UUID, kind: str, state: str, minute: int = 0, **fields: Any) -> Message:
    """Return a row of the ledger about the visit, to its patient unless it says otherwise."""
    said_at = NOON + timedelta(minutes=minute)
    held = Message(
        notification_id=str(notification), appointment_id=str(APPOINTMENT), replaces=None, recipient="patient",
        recipient_id=str(PATIENT), kind=kind, state=state, reason=None, clinic_id="THAMES", said_starts_at=None,
        said_at=said_at, changed_at=said_at, accepted=state == "accepted",
    )  # fmt: skip
    return replace(held, **fields)


def sub_file_opened(offset: int, ordinal: int, patient: UUID = PATIENT, number: str = NUMBER) -> Record:
    opened = sub_file_id(patient, "THAMES", ordinal)
    return record(offset, opened, "sub_file.changed.v1", opened, sub_file_id=opened, version=1, number=number)


def sound() -> Evidence:
    """Return a run without a fault: a booking that was published twice, then cancelled after its reminder.

    The reminder was refused once before it was accepted; after it a record came that nobody can read.
    """
    planned = [{"reminder_id": str(REMINDER), "status": "SCHEDULED", "not_after": NOON.isoformat()}]
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
        positions={("records", "appointments", 0): (4, 4)},
        counts={("records", "appointments", 0): (4, 4)},
        now=NOON + timedelta(hours=72),
        accepted=[{"notification_id": str(CONFIRMATION)}, {"notification_id": str(MESSAGE)}],
        calls=[
            call(CONFIRMATION, 1, "confirmation", "accepted"),
            call(MESSAGE, 1, "reminder", "not-accepted"),
            call(MESSAGE, 2, "reminder", "accepted"),
        ],
        messages=[
            message(CONFIRMATION, "confirmation", "accepted"),
            message(MESSAGE, "reminder", "accepted", 1),
            message(CANCELLATION, "cancelled", "skipped", 2, reason="PAST_VISIT"),
        ],
        letters=[Letter("records", *POISON, value=b"{", code="UNDECODABLE")],
        poison={POISON: b"{"},
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


def add_sub_file_with_its_own_number(evidence: Evidence) -> None:
    evidence.topics["subfiles"].append(sub_file_opened(1, 2, number=NUMBER[:-1] + "2"))


def give_a_number_twice(evidence: Evidence) -> None:
    """Open the sub-file of another patient who is booked, under the number of the first."""
    book_another(evidence, "booked")
    evidence.topics["subfiles"].append(sub_file_opened(1, 1, OTHER_PATIENT))


def book_another(evidence: Evidence, status: str) -> None:
    """Tell of another patient's visit, whose reminder is planned."""
    evidence.topics["appointments"].append(appointment(3, 1, status, OTHER, OTHER_PATIENT))
    plan = [{"reminder_id": str(reminder_id(OTHER, 1, "24h")), "status": "CANCELLED"}]
    evidence.topics["reminders"].append(record(2, OTHER, "reminders.planned.v1", "q", version=1, reminders=plan))


def plan_nothing(evidence: Evidence) -> None:
    """Leave the plan and all that came of it out."""
    evidence.topics["reminders"].clear()
    del evidence.topics["notifications"][2]


def hand_over_what_was_not_planned(evidence: Evidence) -> None:
    """Hand over a reminder of a rule that the visit does not have, and tell how it ended."""
    unheard = reminder_id(APPOINTMENT, 1, "2h")
    evidence.topics["reminders"].append(record(2, APPOINTMENT, "reminder.due.v1", "d2", reminder_id=unheard))
    message = notification_id((unheard,), "patient", "reminder")
    evidence.topics["notifications"].append(outcome(3, message, 1, "skipped", unheard))


def fall_behind(evidence: Evidence) -> None:
    evidence.positions["records", "appointments", 0] = 2, 4


def count_one_twice(evidence: Evidence) -> None:
    evidence.counts["records", "appointments", 0] = 5, 4


def count_one_less(evidence: Evidence) -> None:
    evidence.counts["records", "appointments", 0] = 3, 4


def cancel_what_was_sent(evidence: Evidence) -> None:
    gone = [{"reminder_id": str(REMINDER)}]
    evidence.topics["reminders"].append(record(2, APPOINTMENT, "reminders.cancelled.v1", "c", reminders=gone))


def never_hand_over(evidence: Evidence) -> None:
    del evidence.topics["reminders"][1]
    del evidence.topics["notifications"][2]


def contradict(evidence: Evidence) -> None:
    evidence.topics["notifications"].append(outcome(3, MESSAGE, 2, "failed", REMINDER))


def last_call(**fields: Any) -> Callable[[Evidence], None]:
    """Alter the call by which the reminder was accepted."""

    def mutate(evidence: Evidence) -> None:
        evidence.calls[2] = replace(evidence.calls[2], **fields)

    return mutate


def first_refusal(said: str | None) -> Callable[[Evidence], None]:
    """Let the call before that one have ended so."""

    def mutate(evidence: Evidence) -> None:
        evidence.calls[1] = replace(evidence.calls[1], outcome=said)

    return mutate


def opt_out(evidence: Evidence) -> None:
    evidence.opted_out["sms", "ab", "reminders"] = NOON - timedelta(seconds=1)


def tell(version: int, said: str, arrival: str) -> Record:
    """Return a later word about the reminder."""
    told = outcome(2 + version, MESSAGE, version, said, REMINDER)
    return replace(told, value={**told.value, "delivery_state": arrival})


def forget_an_arrival(evidence: Evidence) -> None:
    evidence.topics["notifications"] += [tell(2, "accepted", "delivered"), tell(3, "accepted", "undelivered")]


def leave_a_version_out(evidence: Evidence) -> None:
    evidence.topics["notifications"].append(tell(3, "accepted", "delivered"))


def test_what_was_reported_undelivered_may_be_sent_by_another_channel() -> None:
    evidence = sound()
    evidence.calls[2] = replace(evidence.calls[2], delivery_state="undelivered")
    evidence.calls.append(call(MESSAGE, 3, "reminder", "accepted", "email"))
    evidence.topics["notifications"] += [tell(2, "accepted", "undelivered"), tell(3, "accepted", "delivered")]
    assert check(evidence) == []


def test_a_reminder_that_a_later_plan_leaves_out_is_over() -> None:
    evidence = sound()
    before = [{"reminder_id": "of the visit's first time", "status": "SCHEDULED", "not_after": NOON.isoformat()}]
    evidence.topics["reminders"].insert(
        0, record(0, APPOINTMENT, "reminders.planned.v1", "p0", version=1, reminders=before)
    )
    assert check(evidence) == []


def test_after_an_unknown_call_only_a_clinic_that_prefers_doubles_calls_again_and_elsewhere() -> None:
    evidence = sound()
    evidence.doubles_preferred = {"THAMES"}
    first_refusal("unknown")(evidence)
    assert len(check(evidence)) == 1
    last_call(channel="email")(evidence)
    assert check(evidence) == []


@pytest.mark.parametrize(
    ("invariant", "mutate"),
    [
        pytest.param("I1", drop("appointments", 2), id="an answered version lost"),
        pytest.param("I2", swap_versions, id="two versions swapped"),
        pytest.param("I2", alter_a_copy, id="a copy that differs"),
        pytest.param("I3", fall_behind, id="a record unread"),
        pytest.param("I3", count_one_twice, id="a record counted twice"),
        pytest.param("I3", count_one_less, id="a record not counted"),
        pytest.param("I4", drop("subfiles", 0), id="a sub-file dropped"),
        pytest.param("I4", add_sub_file, id="a sub-file doubled"),
        pytest.param("I5", drop("reminders", 0), id="a plan dropped"),
        pytest.param("I5", contradict, id="a reminder with two outcomes"),
        pytest.param("I5", cancel_what_was_sent, id="a reminder sent and cancelled"),
        pytest.param("I5", never_hand_over, id="a reminder whose time is over without an outcome"),
        pytest.param("I5", drop("notifications", 2), id="a reminder handed over without an outcome"),
        pytest.param("I6", lambda e: e.accepted.append(e.accepted[0]), id="a send doubled"),
        pytest.param("I6", lambda e: e.accepted.pop(), id="a send dropped"),
        pytest.param("I6", drop("notifications", 2), id="a send without a ledger row"),
        pytest.param("I7", last_call(gated_version=2), id="a call gated at the cancellation"),
        pytest.param("I7", last_call(gated_version=9), id="a call gated at a version of nobody"),
        pytest.param("I7", last_call(schedule_gen=2), id="a reminder of another schedule"),
        pytest.param("I8", last_call(called_at=NOON + timedelta(seconds=1)), id="a call after its deadline"),
        pytest.param("I8", last_call(called_at=NOON - timedelta(hours=6)), id="a call outside the hours"),
        pytest.param("I8", opt_out, id="a call after the opt-out"),
        pytest.param("I9", first_refusal("unknown"), id="a call after an unknown one"),
        pytest.param("I9", first_refusal("accepted"), id="a call after an accepted one"),
        pytest.param("I9", first_refusal(None), id="a call after an open one"),
        pytest.param("I10", contradict, id="a final outcome changed"),
        pytest.param("I10", forget_an_arrival, id="an arrival forgotten"),
        pytest.param("I10", leave_a_version_out, id="a version left out"),
        pytest.param("I11", lambda e: e.letters.clear(), id="a dead letter dropped"),
        pytest.param("I11", lambda e: e.poison.clear(), id="a dead letter of a sound record"),
        pytest.param("I11", lambda e: e.poison.update({POISON: b"{}"}), id="a dead letter with other bytes"),
    ],
)
def test_each_mutant_is_reported(invariant: str, mutate: Callable[[Evidence], None]) -> None:
    evidence = deepcopy(sound())
    mutate(evidence)
    assert invariant in {line.split(":")[0] for line in check(evidence)}


@pytest.mark.parametrize(
    ("said", "mutate"),
    [
        ("I4: sub-file missing", drop("subfiles", 0)),
        ("I4: sub-file of nobody booked", add_sub_file_with_its_own_number),
        ("I4: number given twice", give_a_number_twice),
        ("I5: reminder never planned", plan_nothing),
        ("I5: handed over but never planned", hand_over_what_was_not_planned),
    ],
)
def test_each_rule_of_sub_files_and_reminders_is_reported_by_itself(
    said: str, mutate: Callable[[Evidence], None]
) -> None:
    evidence = sound()
    mutate(evidence)
    assert any(line.startswith(said) for line in check(evidence))


def test_a_visit_that_was_only_proposed_opens_no_sub_file() -> None:
    evidence = sound()
    book_another(evidence, "proposed")
    assert check(evidence) == []
