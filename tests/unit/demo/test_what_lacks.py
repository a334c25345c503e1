"""The independent model of who is told what his visit lacks, of who has another number, and of history."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from stack.demo.changes import Change, NewNumber
from stack.demo.conditions import Conditions, Refusal
from stack.demo.expectation import Facts, expect_of
from stack.demo.let_in import Missing
from stack.demo.people import Patient, Preferences
from tests.unit.demo.test_expectation import BOOKED, PATIENT, START
from tests.unit.demo.test_telling import LATER, MOBILE, news, reminders, told

DUE = START - timedelta(days=2)
ONLY_WHATSAPP = replace(PATIENT, preferences=Preferences(whatsapp=True, sms=False, email=False))
ALL_ON = replace(PATIENT, preferences=Preferences(whatsapp=True, sms=True, email=True))


def lacking(*changes: Change, patient: Patient = PATIENT, at: datetime = DUE) -> list[tuple[str, str]]:
    found = expect_of(
        changes, {"p": patient}, frozenset({"dr"}), (), Conditions(), LATER, [Missing(at, "a"), Missing(at, "other")]
    )
    return news(found, "clearance-missing")


@pytest.mark.parametrize(
    ("patient", "outcome"),
    [
        (PATIENT, ("accepted", "sms")),
        (ALL_ON, ("accepted", "sms")),
        (ONLY_WHATSAPP, ("failed", "REFUSED")),
        (replace(PATIENT, mobile=None), ("accepted", "email")),
        (replace(PATIENT, do_not_contact=True), ("skipped", "DO_NOT_CONTACT")),
    ],
)
def test_r34_whatsapp_has_no_words_for_what_lacks_and_the_next_channel_tells(
    patient: Patient, outcome: tuple[str, str]
) -> None:
    assert lacking(BOOKED, patient=patient) == [outcome]


def test_r34_who_moved_or_cancelled_meanwhile_is_not_told_what_the_old_time_lacked() -> None:
    night = DUE.replace(hour=22)
    moved = BOOKED.then(night + timedelta(hours=1), "moved", start=START + timedelta(hours=2))
    cancelled = BOOKED.then(night + timedelta(hours=1), "cancelled", status="cancelled")

    assert lacking(BOOKED, at=night) == [("accepted", "sms")]
    assert lacking(BOOKED, moved, at=night) == [("skipped", "RESCHEDULED")]
    assert lacking(BOOKED, cancelled, at=night) == [("skipped", "APPOINTMENT_CANCELLED")]


def test_from_its_change_on_messages_go_to_the_other_number() -> None:
    other = "+13325550100"
    new = Conditions((Refusal("sms", MOBILE),), new_numbers=(NewNumber(START - timedelta(hours=12), "p", other),))

    facts = told(BOOKED, patient=replace(PATIENT, email=None), conditions=new)

    assert reminders(facts) == ["24h FAILED REFUSED", "2h SENT sms"]
    assert facts.messages == Counter({("sms", other): 1})


@pytest.mark.parametrize(
    ("status", "reason", "told_before"),
    [
        ("fulfilled", "NOT_SENDABLE", []),
        ("noshow", "NOT_SENDABLE", []),
        ("cancelled", "APPOINTMENT_CANCELLED", []),
        ("booked", "DUE_IN_PAST", [("skipped", "BACKFILL")]),
    ],
)
def test_d43_of_history_records_are_made_and_nobody_is_told(
    status: str, reason: str, told_before: list[tuple[str, str]]
) -> None:
    past = replace(BOOKED, at=START + timedelta(days=400), status=status, imported=True)

    facts: Facts = told(past, until=START + timedelta(days=500))

    assert facts.sub_files == Counter({("p", "THAMES", "ACTIVE", "dr"): 1})
    assert reminders(facts) == [f"24h CANCELLED {reason}", f"2h CANCELLED {reason}"]
    assert [fact[2:] for fact in facts.news.elements()] == told_before
    assert not facts.messages
    assert not facts.notices
