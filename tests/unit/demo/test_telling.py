"""The independent model of who is told what, when carriers refuse or are down and patients say STOP."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from stack.demo.changes import Change
from stack.demo.conditions import Conditions, Outage, Refusal
from stack.demo.expectation import Facts, expect_of
from stack.demo.people import Patient, Preferences
from stack.demo.reminder_rules import slots
from stack.demo.visits import Schedule
from tests.unit.demo.test_expectation import BOOKED, PATIENT, START

MOBILE, EMAIL = PATIENT.mobile or "", PATIENT.email or ""
ALL_ON = Preferences(whatsapp=True, sms=True, email=True)
ONLY_SMS = replace(PATIENT, email=None)
LATER = START + timedelta(days=2)


def told(
    *changes: Change, patient: Patient = PATIENT, conditions: Conditions | None = None, until: datetime = LATER
) -> Facts:
    return expect_of(changes, {"p": patient}, frozenset({"dr"}), (), conditions or Conditions(), until)


def reminders(facts: Facts) -> list[str]:
    return [f"{rule} {status} {why}" for _, _, rule, status, why in sorted(facts.reminders)]


def news(facts: Facts, kind: str) -> list[tuple[str, str]]:
    return [fact[2:] for fact in facts.news.elements() if fact[1] == kind]


def test_d32_a_channel_that_refuses_for_good_gives_way_to_the_next() -> None:
    refused = Conditions((Refusal("whatsapp", MOBILE),))
    both = Conditions((Refusal("whatsapp", MOBILE), Refusal("sms", MOBILE)))

    assert reminders(told(BOOKED, patient=replace(PATIENT, preferences=ALL_ON), conditions=refused)) == [
        "24h SENT sms",
        "2h SENT sms",
    ]
    assert reminders(told(BOOKED, patient=replace(PATIENT, preferences=ALL_ON), conditions=both))[0] == "24h SENT email"


def test_d32_the_last_channels_refusal_is_the_reason_of_the_failure() -> None:
    facts = told(BOOKED, patient=ONLY_SMS, conditions=Conditions((Refusal("sms", MOBILE),)))

    assert reminders(facts) == ["24h FAILED REFUSED", "2h FAILED REFUSED"]
    assert news(facts, "confirmation") == [("failed", "REFUSED")]
    assert not facts.messages


@pytest.mark.parametrize(
    ("patient", "want"),
    [(PATIENT, ["24h SENT sms", "2h SENT email"]), (ONLY_SMS, ["24h SENT sms", "2h FAILED NOT_ACCEPTED"])],
)
def test_d33_a_short_outage_delays_the_24_h_reminder_and_moves_the_2_h_one_on(
    patient: Patient, want: list[str]
) -> None:
    down = [Outage("sms", due - timedelta(minutes=5), due + timedelta(minutes=15)) for due in _dues()]

    assert reminders(told(BOOKED, patient=patient, conditions=Conditions(outages=tuple(down)))) == want


def test_d36_who_wrote_stop_gets_no_text_message_but_a_mail() -> None:
    stop = Conditions(stops={MOBILE: BOOKED.at + timedelta(hours=1)})

    assert reminders(told(BOOKED, conditions=stop)) == ["24h SENT email", "2h SENT email"]
    assert reminders(told(BOOKED, patient=ONLY_SMS, conditions=stop)) == [
        "24h CANCELLED OPTED_OUT",
        "2h CANCELLED OPTED_OUT",
    ]


def test_r27_moves_and_cancellations_are_told_and_a_cancellation_only_to_who_had_heard() -> None:
    moved = BOOKED.then(START - timedelta(days=2), "moved", start=START + timedelta(days=1))
    cancelled = BOOKED.then(START - timedelta(days=2), "cancelled", status="cancelled")
    deaf = Conditions((Refusal("sms", MOBILE),))

    assert news(told(BOOKED, moved), "moved") == [("accepted", "email")]
    assert news(told(BOOKED, cancelled), "cancelled") == [("accepted", "email")]
    assert news(told(BOOKED, cancelled, patient=ONLY_SMS, conditions=deaf), "cancelled") == []


def test_d37_a_cancellation_and_a_booking_in_its_place_are_one_move() -> None:
    at = START - timedelta(days=2)
    cancelled = BOOKED.then(at, "cancelled", status="cancelled")
    again = replace(BOOKED, appointment="b", at=at, start=START + timedelta(days=1))
    other = replace(again, service="Surgery")

    facts = told(BOOKED, cancelled, again)

    assert facts.news["a", "cancelled", "skipped", "ALREADY_TOLD"] == 1
    assert facts.news["b", "moved", "accepted", "email"] == 1
    assert facts.notices["dr", "provider-cancelled", "a"] == facts.notices["dr", "provider-booked", "b"] == 1
    assert told(BOOKED, cancelled, other).news["b", "confirmation", "accepted", "email"] == 1
    past = replace(again, start=at - timedelta(days=300))
    assert told(BOOKED, cancelled, past).news["a", "cancelled", "accepted", "email"] == 1


def test_d58_a_visit_that_is_moved_and_moved_back_is_told_each_time_and_what_is_the_same_is_nothing() -> None:
    there = BOOKED.then(START - timedelta(days=2), "there", start=START + timedelta(days=1))
    back = BOOKED.then(START - timedelta(days=2) + timedelta(hours=1), "back")
    again = BOOKED.then(START - timedelta(days=2) + timedelta(hours=2), "again", confirmed=True)

    facts = told(BOOKED, there, back, again)

    assert news(facts, "moved") == [("accepted", "email")] * 2
    assert facts.notices["dr", "provider-moved", "a"] == 2


def test_d58_a_visit_taken_from_a_provider_is_told_to_both() -> None:
    other = BOOKED.then(START - timedelta(days=2), "other", provider="new")
    over = BOOKED.then(START - timedelta(days=1), "over", provider="new", status="waitlist")

    facts = expect_of((BOOKED, other, over), {"p": PATIENT}, frozenset({"dr", "new"}), (), Conditions(), START)

    assert facts.notices == Counter(
        {(who, f"provider-{kind}", "a"): 1 for who in ("dr", "new") for kind in ("booked", "cancelled")}
    )
    assert news(facts, "cancelled") == [("accepted", "email")]


@pytest.mark.parametrize("status", ["arrived", "fulfilled"])
def test_d58_what_had_begun_and_is_booked_for_another_day_is_a_move(status: str) -> None:
    begun = BOOKED.then(START - timedelta(days=2), "begun", status=status)
    again = BOOKED.then(START - timedelta(days=1), "again", start=START + timedelta(days=1))

    assert news(told(BOOKED, begun, again), "moved") == [("accepted", "email")]


def test_d58_an_address_that_comes_too_late_is_told_nothing() -> None:
    nowhere = replace(PATIENT, mobile=None, email=None)
    moved = BOOKED.then(START - timedelta(days=1), "moved", start=START + timedelta(days=1))

    assert news(told(BOOKED, moved, patient=nowhere), "confirmation") == [("skipped", "NO_CONTACT")]


def test_d18_at_eight_only_who_is_not_reminded_otherwise_is_written_to() -> None:
    by_phone = replace(BOOKED, at=START.replace(hour=7, minute=30), start=START.replace(hour=9))

    assert news(told(BOOKED), "today") == [("skipped", "ALREADY_TOLD")]
    assert news(told(by_phone), "today") == [("accepted", "sms")]


@pytest.mark.parametrize(
    ("patient", "reason"),
    [(replace(PATIENT, do_not_contact=True), "DO_NOT_CONTACT"), (replace(PATIENT, consent=False), "NO_CONSENT")],
)
def test_d18_d44_a_barred_patient_has_no_reminder_to_come_and_the_morning_says_why_he_gets_nothing(
    patient: Patient, reason: str
) -> None:
    facts = told(BOOKED, patient=patient)

    assert reminders(facts) == [f"24h CANCELLED {reason}", f"2h CANCELLED {reason}"]
    assert news(facts, "today") == [("skipped", reason)]
    assert not facts.messages


def test_d44_the_reason_of_a_reminder_that_was_born_cancelled_stays_when_the_visit_goes() -> None:
    cancelled = BOOKED.then(START - timedelta(days=2), "cancelled", status="cancelled")

    facts = told(BOOKED, cancelled, patient=replace(PATIENT, do_not_contact=True))

    assert reminders(facts) == ["24h CANCELLED DO_NOT_CONTACT", "2h CANCELLED DO_NOT_CONTACT"]


def test_d18_a_third_message_of_a_day_stays_at_home() -> None:
    start = START.replace(hour=15)
    booked = replace(BOOKED, at=start.replace(hour=8, minute=30), start=start)

    facts = told(booked, conditions=Conditions(follow_up=frozenset({"THAMES"})))

    assert reminders(facts) == ["24h CANCELLED DUE_IN_PAST", "2h SENT sms"]
    assert news(facts, "no-show") == [("skipped", "LIMIT")]


def test_a_no_show_is_followed_up_where_the_clinic_wants_it() -> None:
    follow_up = Conditions(follow_up=frozenset({"THAMES"}))

    assert news(told(BOOKED), "no-show") == [("skipped", "NOT_WANTED")]
    assert news(told(BOOKED, conditions=follow_up), "no-show") == [("accepted", "sms")]
    assert news(told(BOOKED, conditions=follow_up, until=START), "no-show") == []


def test_r28_an_arrival_and_the_list_of_the_day_reach_the_provider() -> None:
    facts = told(BOOKED, BOOKED.then(START - timedelta(minutes=10), "here", status="arrived"))

    assert facts.notices == Counter(
        {
            ("dr", "provider-booked", "a"): 1,
            ("dr", "provider-arrived", "a"): 1,
            ("dr", "provider-day", START.date().isoformat()): 1,
        }
    )


@pytest.mark.parametrize(
    ("start", "want"),
    [
        ("2027-03-15T14:00", {"24h": "14T14:00", "2h": "15T12:00"}),
        ("2027-03-15T06:00", {"24h": "13T20:30", "2h": "14T20:30"}),  # both out of the night before them
        ("2027-03-15T22:00", {"24h": "14T20:30", "2h": "15T20:00"}),
        ("2027-03-15T21:15", {"24h": "14T20:30", "2h": "15T19:15"}),
    ],
)
def test_d16_a_reminder_in_the_night_leaves_before_it(start: str, want: dict[str, str]) -> None:
    at = datetime.fromisoformat(f"{start}+00:00")
    found = {
        slot.rule: f"{slot.at:%dT%H:%M}" for slot in slots(Schedule(at, BOOKED.at, sendable=True), "Europe/London")
    }

    assert found == want


def test_d16_a_reminder_whose_evening_is_over_when_the_visit_is_booked_is_never_sent() -> None:
    at = START.replace(hour=6)
    schedule = Schedule(at, at - timedelta(hours=8), sendable=True)

    assert [slot.born for slot in slots(schedule, "Europe/London")] == ["DUE_IN_PAST", "QUIET_HOURS"]


def _dues() -> list[datetime]:
    return [START - timedelta(hours=24), START - timedelta(hours=2)]
