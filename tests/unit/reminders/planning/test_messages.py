"""What is encoded in C is what the contracts encode, and reads what they read."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.planning.messages import RecordWording
from reminders.planning.visit_reader import cause_of, read_visit
from schemas.appointments import Appointment, Status
from schemas.envelope import Envelope
from schemas.instants import instant
from schemas.planning import plan
from schemas.reminders import REMINDER_DUE, REMINDERS_PLANNED, ReminderDue, RemindersPlanned
from schemas.wire import derived_id, encode, event_id, reminder_id
from tests.support.reminders.builders import NOW, VISIT, Record, appointment, headers_of, kept, rule, source_of

WORDING = RecordWording(lambda: NOW)
starts = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds
appointments = st.builds(
    appointment,
    st.uuids().map(str),
    st.integers(1, 2**31),
    st.sampled_from(Status),
    starts_at=starts,
    schedule_gen=st.integers(1, 1000),
    rules=st.sampled_from([(), (rule("24h", hours=24), rule("2h", hours=2)), (rule("2d", days=2),)]),
    zone=st.sampled_from(["Europe/London", "America/New_York", "UTC"]),
)


@given(appointments)
def test_a_plan_is_what_its_contract_encodes(event: Appointment) -> None:
    source = source_of(event)
    visit, _ = read_visit(source)

    key, value, headers = WORDING.planned(visit, kept(event).slots, *cause_of(source, visit))

    body = RemindersPlanned(
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        patient_id=event.patient_id,
        clinic_id=event.clinic_id,
        reminders=plan(event),
        caused_by=str(event_id(event.appointment_id, event.version)),
        starts_at=event.starts_at,
    )
    subject = str(event.appointment_id)
    ce_id = str(event_id(event.appointment_id, event.version))
    assert value == encode(body)
    assert key == subject.encode()
    assert tuple(headers) == Envelope(ce_id, REMINDERS_PLANNED, "attend/reminders", subject, event.event_time).headers()


@given(appointments.filter(lambda event: bool(event.policy.rules and (event.starts_at or NOW) > NOW)))
def test_a_hand_over_is_what_its_contract_encodes(event: Appointment) -> None:
    held = kept(event)
    timer = next(iter(held.timers.values()))

    _, value, headers = WORDING.due(str(event.appointment_id), held.row, timer, NOW)

    body = ReminderDue(
        reminder_id=reminder_id(event.appointment_id, event.schedule_gen, timer.rule),
        appointment_id=event.appointment_id,
        version=event.version,
        schedule_gen=event.schedule_gen,
        rule=timer.rule,
        due=instant(timer.due),
        not_after=instant(timer.not_after),
        caused_by=str(event_id(event.appointment_id, event.version)),
        starts_at=event.starts_at,
    )
    ce_id = str(derived_id("due", body.reminder_id))
    whole = Envelope(ce_id, REMINDER_DUE, "attend/reminders", str(event.appointment_id), NOW).headers()
    assert value == encode(body)
    assert tuple(headers) == whole


@pytest.mark.parametrize(
    "changes",
    [
        {"appointment_id": str(uuid4()).upper()},
        {"starts_at": "2026-03-07T10:00:00+01:00"},
        {"starts_at": "2026-03-07T09:00:00.000000Z", "unknown": [1]},
        {"version": 3.0},
        {"event_time": 1772442000},
        {"barred": "DECEASED"},
        {"barred": "NO_CONSENT", "appointment_id": str(uuid4()).upper()},
    ],
)
def test_what_the_contract_accepts_is_read_with_the_same_values(changes: dict[str, object]) -> None:
    value = orjson.dumps(orjson.loads(encode(appointment())) | changes)
    event = Appointment.model_validate_json(value)

    visit, policy = read_visit(
        Record("appointments", 0, 0, str(event.appointment_id).encode(), value, headers_of(event))
    )

    read = (
        visit.appointment_id, visit.version, visit.status, visit.barred, visit.starts_at, visit.event_time, visit.zone,
    )  # fmt: skip
    assert read == (
        str(event.appointment_id), event.version, event.status, event.barred, event.starts_at, event.event_time,
        event.zone,
    )  # fmt: skip
    assert [lead.slug for lead in policy.leads] == ["24h", "2h"]


def test_a_start_in_another_zone_plans_the_same_instants() -> None:
    there = VISIT.astimezone(timezone(timedelta(hours=5)))

    assert kept(appointment(starts_at=there)).row == kept(appointment()).row


@pytest.mark.parametrize("cause", ['a "quoted" id', "back\\slash", "tab\there", "ünlike", ""])
def test_a_cause_that_json_must_escape_is_encoded_as_the_contract_does(cause: str) -> None:
    """A plan's JSON is put together from texts; of all its values only the id of a foreign event is free text."""
    event = appointment()
    visit, _ = read_visit(source_of(event))

    _, value, _ = WORDING.planned(visit, kept(event).slots, cause, b"2026-03-01T09:00:00+00:00")

    assert RemindersPlanned.model_validate_json(value or b"").caused_by == cause
    assert value == encode(RemindersPlanned.model_validate_json(value or b""))


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (2, 5, 1)])
def test_cause_and_time_are_found_whatever_the_order_of_the_headers(order: tuple[int, ...]) -> None:
    event = appointment()
    written = [headers_of(event)[place] for place in order] + [("traceparent", b"00-1")]
    source = Record("appointments", 0, 0, str(event.appointment_id).encode(), encode(event), tuple(written))

    caused_by, at = cause_of(source, read_visit(source)[0])

    assert caused_by == str(event_id(event.appointment_id, event.version))
    assert at == event.event_time.isoformat().encode()


def test_a_record_without_id_and_time_is_caused_by_its_version() -> None:
    event = appointment()
    source = Record("appointments", 0, 0, str(event.appointment_id).encode(), encode(event), headers_of(event)[2:3])

    caused_by, at = cause_of(source, read_visit(source)[0])

    assert caused_by == str(event_id(event.appointment_id, event.version))
    assert at == event.event_time.isoformat().encode()
