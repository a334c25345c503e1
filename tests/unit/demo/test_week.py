"""The script of the week and the calendar it lies in."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from schemas.appointments import Status
from schemas.planning import barred_by, plan
from stack.demo.calendar import first_day, next_change
from stack.demo.expectation import expect
from stack.demo.new_dates import moved, start_of, weeks_ahead, weeks_back
from stack.demo.reminder_rules import slots
from stack.demo.visits import visits
from stack.demo.week import write_week
from tests.support.schemas.builders import appointment

WEEK = write_week(seed=7, after=date(2026, 11, 24))


@pytest.mark.parametrize(
    ("zone", "after", "change"),
    [
        ("America/New_York", date(2026, 11, 24), date(2027, 3, 14)),
        ("Europe/London", date(2026, 11, 24), date(2027, 3, 28)),
        ("Europe/London", date(2027, 3, 28), date(2027, 10, 31)),
        ("Asia/Tokyo", date(2026, 11, 24), None),
    ],
)
def test_the_next_change_of_clocks(zone: str, after: date, change: date | None) -> None:
    assert next_change(zone, after) == change


@pytest.mark.parametrize("days", range(0, 400, 7))
def test_day_0_is_always_ahead_and_the_change_inside_the_week(days: int) -> None:
    today = date(2026, 1, 1) + timedelta(days=days)
    day0 = first_day(["Europe/London", "Asia/Tokyo"], today)
    assert day0 > today + timedelta(days=1)
    assert next_change("Europe/London", day0) == day0 + timedelta(days=3)


def test_the_same_seed_writes_the_same_week() -> None:
    assert write_week(seed=7, after=date(2026, 11, 24)) == WEEK
    assert write_week(seed=8, after=date(2026, 11, 24)) != WEEK


def test_the_week_has_300_patients_who_share_no_address() -> None:
    addresses = Counter(a for p in WEEK.patients.values() for a in (p.mobile, p.email) if a)
    assert len(WEEK.patients) == 300
    assert set(addresses.values()) == {1}


def test_every_kind_of_story_is_told() -> None:
    facts = expect(WEEK)
    outcomes = {(status, why) for _, _, _, status, why in facts.reminders}
    assert {("SENT", "sms"), ("SENT", "whatsapp"), ("SENT", "email")} <= outcomes
    reasons = {why for status, why in outcomes if status == "CANCELLED"}
    assert reasons >= {
        "DUE_IN_PAST",
        "LIMIT",
        "OPTED_OUT",
        "RESCHEDULED",
        "APPOINTMENT_CANCELLED",
        "NOT_SENDABLE",
        "CHANNELS_DISABLED",
        "NO_CONTACT",
        "UNKNOWN_PATIENT",
        "NO_CONSENT",
        "DO_NOT_CONTACT",
    }
    assert {("FAILED", "REFUSED"), ("FAILED", "NOT_ACCEPTED")} <= outcomes
    assert {change.answer for change in WEEK.changes} == {"applied", "repeat", "stale", "tombstone"}


def test_the_model_and_the_product_plan_every_schedule_of_the_week_alike() -> None:
    differing = {}
    for visit in visits(WEEK.changes, None):
        patient, zone = WEEK.patients[visit.history[0].patient], visit.history[0].zone
        bar = barred_by(deceased=False, do_not_contact=patient.do_not_contact, consent=patient.consent)
        for generation, schedule in enumerate(visit.schedules, 1):
            modelled = {(slot.rule, slot.at, slot.born) for slot in slots(schedule, zone, patient.barred)}
            status = Status(visit.at(schedule.set_at).status)
            planned = plan(
                appointment(
                    starts_at=schedule.start, schedule_set_at=schedule.set_at, zone=zone, status=status, barred=bar
                )
            )
            product = {(one.rule, one.due, one.reason) for one in planned}
            if modelled != product:
                differing[visit.name, generation] = modelled ^ product

    assert differing == {}


def test_no_change_is_posted_at_the_moment_a_reminder_is_due() -> None:
    assert {instant.minute for instant in WEEK.instants()} == {30}
    assert {change.start.minute for change in WEEK.changes} == {0}


def test_visits_keep_their_wall_time_across_the_change_of_clocks() -> None:
    visits = {c.start for c in WEEK.changes if c.clinic == "HARBOR"}
    assert {v.hour for v in visits if v < datetime(2027, 3, 14, tzinfo=UTC)} <= {11, 14, 16, 18, 20} | {3}
    assert {v.hour for v in visits if v > datetime(2027, 3, 15, tzinfo=UTC)} <= {10, 13, 15, 17, 19} | {2}


MESSAGE = {
    "resourceType": "Bundle",
    "id": "b1",
    "timestamp": "2021-10-11T12:15:10+00:00",
    "entry": [
        {
            "fullUrl": "urn:uuid:h",
            "resource": {"resourceType": "MessageHeader", "focus": [{"reference": "urn:uuid:a"}]},
        },
        {
            "fullUrl": "urn:uuid:a",
            "resource": {
                "resourceType": "Appointment",
                "start": "2021-10-12T12:30:30+00:00",
                "participant": [{"actor": {"reference": "urn:uuid:p"}}],
            },
        },
        {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "birthDate": "1974-12-25"}},
    ],
}


def test_a_sample_moves_by_whole_weeks_into_the_coming_days_as_another_visit() -> None:
    now = datetime(2027, 3, 10, 20, tzinfo=UTC)
    start = start_of(orjson.dumps(MESSAGE))
    assert start == datetime(2021, 10, 12, 12, 30, 30, tzinfo=UTC)

    body = orjson.loads(moved(orjson.dumps(MESSAGE), weeks_ahead(start, now), "-1"))
    header, appointment, patient = (entry["resource"] for entry in body["entry"])
    new = datetime.fromisoformat(appointment["start"])

    assert timedelta(days=2) <= new - now < timedelta(days=9)
    assert (new.weekday(), new.time()) == (start.weekday(), start.time())
    assert body["id"] == "b1-1"
    assert header["focus"][0]["reference"] == body["entry"][1]["fullUrl"] == "urn:uuid:a-1"
    assert (patient["birthDate"], body["entry"][2]["fullUrl"]) == ("1974-12-25", "urn:uuid:p")


def test_every_message_about_one_visit_goes_years_back_by_whole_weeks() -> None:
    now = datetime(2027, 3, 10, 20, tzinfo=UTC)
    ahead, old = datetime(2027, 3, 11, 14, tzinfo=UTC), datetime(2013, 12, 10, 9, tzinfo=UTC)
    assert timedelta(weeks=104) < now - (ahead + timedelta(weeks=weeks_back(ahead, now))) <= timedelta(weeks=105)
    assert weeks_back(old, now) == 0
