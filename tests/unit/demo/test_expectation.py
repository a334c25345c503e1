"""The independent model of the rules, and the table that compares it with what was found."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stack.demo.changes import Change, Registration
from stack.demo.comparison import compare
from stack.demo.expectation import Facts, expect_of
from stack.demo.people import Patient, Preferences

START = datetime(2027, 3, 15, 14, tzinfo=UTC)
BOOKED = Change(
    at=START - timedelta(days=3),
    event_id="a:booked",
    appointment="a",
    status="booked",
    patient="p",
    clinic="THAMES",
    zone="Europe/London",
    start=START,
    provider="dr",
)
PATIENT = Patient("p", "Ada", "Abara", "+12125550100", "p@example.org")


def expected(*changes: Change, patient: Patient = PATIENT, registrations: tuple[Registration, ...] = ()) -> Facts:
    return expect_of(changes, {"p": patient}, frozenset({"dr"}), registrations)


def reminders(facts: Facts) -> set[tuple[int, str, str, str]]:
    return {fact[1:] for fact in facts.reminders}


def test_r10_r20_r22_a_booking_gives_a_sub_file_two_reminders_a_notice_and_a_confirmation() -> None:
    facts = expected(BOOKED)

    assert facts.sub_files == Counter({("p", "THAMES", "ACTIVE", "dr"): 1})
    assert reminders(facts) == {(1, "24h", "SENT", "sms"), (1, "2h", "SENT", "sms")}
    assert facts.news == Counter(
        {("a", "confirmation", "accepted", "email"): 1, ("a", "no-show", "skipped", "NOT_WANTED"): 1}
    )
    assert facts.notices == Counter({("dr", "provider-booked", "a"): 1})
    assert facts.messages == Counter({("sms", "+12125550100"): 2, ("email", "p@example.org"): 1})


def test_d14_a_booking_inside_24_hours_has_only_the_second_reminder_left() -> None:
    facts = expected(replace(BOOKED, at=START - timedelta(hours=20)))
    assert reminders(facts) == {(1, "24h", "CANCELLED", "DUE_IN_PAST"), (1, "2h", "SENT", "sms")}


def test_r14_r26_a_cancellation_keeps_at_home_what_was_not_yet_due() -> None:
    facts = expected(BOOKED, BOOKED.then(START - timedelta(hours=5), "cancelled", status="cancelled"))
    assert reminders(facts) == {(1, "24h", "SENT", "sms"), (1, "2h", "CANCELLED", "APPOINTMENT_CANCELLED")}


def test_d10_a_move_cancels_the_old_schedule_and_plans_anew() -> None:
    facts = expected(BOOKED, BOOKED.then(START - timedelta(hours=30), "moved", start=START + timedelta(days=2)))
    assert reminders(facts) == {
        (1, "24h", "CANCELLED", "RESCHEDULED"),
        (1, "2h", "CANCELLED", "RESCHEDULED"),
        (2, "24h", "SENT", "sms"),
        (2, "2h", "SENT", "sms"),
    }


def test_a_cancelled_visit_booked_again_is_planned_and_confirmed_anew() -> None:
    cancelled = BOOKED.then(START - timedelta(days=2), "cancelled", status="cancelled")
    facts = expected(BOOKED, cancelled, BOOKED.then(START - timedelta(hours=40), "again"))
    assert {gen for gen, *_ in reminders(facts)} == {1, 2}
    kinds = Counter(kind for _, kind, outcome, _ in facts.news if outcome == "accepted")
    assert kinds == {"confirmation": 1, "cancelled": 1}
    assert facts.news["a", "confirmation", "accepted", "email"] == 2
    assert facts.notices["dr", "provider-booked", "a"] == 2


def test_d3_a_proposal_opens_no_sub_file_and_reminds_nobody() -> None:
    facts = expected(replace(BOOKED, status="proposed"))
    assert not facts.sub_files
    assert {reason for *_, reason in reminders(facts)} == {"NOT_SENDABLE"}
    assert not facts.messages


def test_d5_a_booking_of_nobody_known_is_parked_and_completed_by_registration() -> None:
    stranger = replace(PATIENT, registered=False)

    parked = expected(BOOKED, patient=stranger)
    completed = expected(BOOKED, patient=stranger, registrations=(Registration(START - timedelta(days=2), "p"),))

    assert parked.sub_files == Counter({("p", "THAMES", "PARKED", "dr"): 1})
    assert not parked.messages
    assert completed.sub_files == Counter({("p", "THAMES", "ACTIVE", "dr"): 1})
    assert completed.messages == Counter({("sms", "+12125550100"): 2, ("email", "p@example.org"): 1})
    assert parked.news["a", "confirmation", "skipped", "UNKNOWN_PATIENT"] == 1


def test_d6_an_unknown_provider_leaves_the_sub_file_without_one_and_gets_no_notice() -> None:
    facts = expected(replace(BOOKED, provider="nobody"))
    assert facts.sub_files == Counter({("p", "THAMES", "ACTIVE", None): 1})
    assert not facts.notices


def test_r23_d30_the_chain_follows_the_preferences() -> None:
    told = Preferences(whatsapp=True, sms=True, email=True)
    off = Preferences(whatsapp=False, sms=False, email=False)
    channels = {
        "whatsapp": replace(PATIENT, preferences=told),
        "sms": replace(PATIENT, preferences=replace(told, whatsapp=False)),
        "email": replace(PATIENT, mobile=None),
        "NO_CONTACT": replace(PATIENT, mobile=None, email=None),
        "CHANNELS_DISABLED": replace(PATIENT, preferences=off),
    }
    for channel, patient in channels.items():
        assert {last for *_, last in reminders(expected(BOOKED, patient=patient))} == {channel}


def test_duplicates_and_stale_events_change_nothing() -> None:
    assert expected(BOOKED, replace(BOOKED, answer="repeat")) == expected(BOOKED)
    assert expected(replace(BOOKED, answer="stale")) == Facts()


def test_the_table_agrees_only_with_exactly_the_expected_facts() -> None:
    want = expected(BOOKED)
    assert all(row.agrees for row in compare(want, expected(BOOKED)))

    dropped, doubled, swapped = expected(BOOKED), expected(BOOKED), expected(BOOKED)
    dropped.sub_files.clear()
    doubled.messages["email", "p@example.org"] += 1
    swapped.messages["sms", "+12125550100"] -= 1
    swapped.messages["sms", "+12125550199"] += 1

    assert [row.what for row in compare(want, dropped) if row.missing] == ["sub-files: ACTIVE"]
    assert [row.what for row in compare(want, doubled) if row.extra] == ["messages at the carriers: email"]
    assert [(row.missing, row.extra) for row in compare(want, swapped) if not row.agrees] == [(1, 1)]


def test_the_table_names_three_of_what_is_missing_and_says_how_many_more_there_are() -> None:
    want, found = Facts(), Facts()
    for n in range(6):
        want.visits[f"a-{n}", "booked"] += 1
    found.visits["b-0", "booked"] += 4

    [row] = compare(want, found)

    assert row.examples == (
        "missing ('a-0', 'booked')",
        "missing ('a-1', 'booked')",
        "missing ('a-2', 'booked')",
        "… and 3 more missing",
        "extra ('b-0', 'booked')",
        "extra ('b-0', 'booked')",
        "extra ('b-0', 'booked')",
        "… and 1 more extra",
    )
