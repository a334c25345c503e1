"""The clinic that speaks HL7 v2, the one with a file of its past, and the table of both."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from booking.formats.hl7v2.segments import Message, read
from stack.demo import by_clinic, hl7, people
from stack.demo.changes import Change
from stack.demo.expectation import Facts, expect
from stack.demo.history import COLUMNS, WORDS, as_csv
from stack.demo.people import CLINICS, Patient
from stack.demo.week import write_week

WEEK = write_week(seed=7, after=date(2026, 11, 24))
HARBOR = next(clinic for clinic in CLINICS if clinic.code in people.BY_MLLP)
BY_HL7 = [change for change in WEEK.changes if change.clinic == HARBOR.code]
NEW_YORK = "America/New_York"


def message_of(change: Change) -> Message:
    patient = WEEK.patients[change.patient]
    return read(hl7.of_visit(change, patient, WEEK.providers.get(change.provider or "")).encode())


def test_the_week_says_every_event_of_a_visit_in_hl7() -> None:
    kinds = Counter((one.trigger, str(one.at("SCH-25"))) for one in map(message_of, BY_HL7))

    assert {trigger for trigger, _ in kinds} == {"S12", "S13", "S14", "S15", "S26"}
    assert {("S12", "Pending"), ("S12", "Waitlist"), ("S14", "Confirmed"), ("S14", "Arrived")} <= set(kinds)
    assert kinds["S26", "No show"] == 1


def test_a_message_says_the_change_in_the_clinics_walls() -> None:
    start = datetime(2027, 3, 15, 13, tzinfo=UTC)  # nine in New York, in summer time since the day before
    change = Change(
        at=datetime(2027, 3, 11, 13, 30, tzinfo=UTC), event_id="v:moved", appointment="v", status="booked",
        patient="p", clinic="HARBOR", zone=NEW_YORK, start=start, provider="dr-1",
    )  # fmt: skip
    patient = Patient("p", "Ada", "O'Connor", "+16465550101", "p@example.org")

    told = read(hl7.of_visit(change, patient, "Dr Priya Anand").encode())

    assert (told.kind, told.trigger, told.control_id, told.application) == ("SIU", "S13", "v:moved", hl7.APPLICATION)
    said = {path: told.at(path) for path in ("MSH-7", "SCH-2", "SCH-9", "SCH-11.4", "PID-3", "PID-5.1", "AIL-3.4")}
    assert said == {
        "MSH-7": "20270311083000", "SCH-2": "v", "SCH-9": "30", "SCH-11.4": "20270315090000", "PID-3": "p",
        "PID-5.1": "O'Connor", "AIL-3.4": hl7.DEPARTMENT,
    }  # fmt: skip
    assert [told.at(f"AIP-3.{n}") for n in (1, 2, 3, 6)] == ["dr-1", "Anand", "Priya", "Dr"]
    nobody = read(hl7.of_visit(change, replace(patient, registered=False), None).encode())
    assert nobody.first("PID").text(5) == ""  # type: ignore[union-attr]
    assert (nobody.at("AIP-3.1"), nobody.first("AIP").text(3, 2)) == ("dr-1", "")  # type: ignore[union-attr]


def test_a_patient_is_told_of_with_what_he_has() -> None:
    patient = WEEK.patients["harbor-p006"]
    told = read(hl7.of_patient("A08", patient, WEEK.opens_at, HARBOR).encode())
    person = told.first("PID")
    assert person is not None
    assert (told.kind, told.trigger) == ("ADT", "A08")
    assert [person.text(13, part) for part in (1, 2, 3)] == [patient.mobile, "PRS", "CP"]
    assert person.text(13, 4, 1, 1) == patient.email
    assert (person.text(3, 5), person.text(15)) == ("MR", "en")


def test_what_is_sent_again_is_the_same_to_the_last_byte_and_what_came_late_was_written_before() -> None:
    again = [one for one in BY_HL7 if one.answer == "repeat"]
    first = {one.event_id: one for one in BY_HL7 if one.answer == "applied"}
    assert len(again) == 5
    for one in again:
        patient, name = WEEK.patients[one.patient], WEEK.providers.get(one.provider or "")
        assert hl7.of_visit(one, patient, name) == hl7.of_visit(first[one.event_id], patient, name)
    [stale] = [one for one in BY_HL7 if one.answer == "stale"]
    [tombstone] = [one for one in BY_HL7 if one.answer == "tombstone"]
    assert str(message_of(stale).at("MSH-7")) < str(message_of(tombstone).at("MSH-7"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("MSH|^~\\&|A\rMSA|AA|1\r", "AA"),
        ("MSH|^~\\&|A\rMSA|AR|1\rERR||SCH^1|100^Segment^HL70357|E|NO_SCH^why\r", "AR NO_SCH"),
        ("MSH|^~\\&|A\rMSA|AE|1\rERR|||207^Internal|E\r", "AE"),
    ],
)
def test_an_acknowledgement_is_read_with_the_code_of_its_error(answer: str, code: str) -> None:
    assert hl7.code_of(answer) == code


def test_history_is_a_file_in_its_own_words_and_walls_and_all_of_it_is_past() -> None:
    header, *rows = csv.reader(as_csv(WEEK.history).splitlines())
    first = WEEK.history[0]

    assert tuple(header) == COLUMNS
    assert len(rows) == len(WEEK.history) == 120
    assert rows[0][:3] == [first.appointment, first.patient, f"{first.start + timedelta(hours=9):%Y/%m/%d %H:%M}"]
    assert {row[4] for row in rows} == set(WORDS.values())
    assert max(one.start for one in WEEK.history) < WEEK.opens_at - timedelta(weeks=4)
    assert {one.clinic for one in WEEK.history} == {"SAKURA"}


def test_what_was_expected_of_the_week_is_expected_with_the_history_as_well() -> None:
    without, whole = expect(replace(WEEK, history=())), expect(WEEK)
    mine = {one.appointment for one in WEEK.history}

    for kind in ("reminders", "news"):
        facts: Counter[tuple[str, ...]] = getattr(whole, kind)
        others = Counter({fact: n for fact, n in facts.items() if fact[0] not in mine})
        assert others == getattr(without, kind)
    assert (whole.messages, whole.notices, whole.sub_files) == (without.messages, without.notices, without.sub_files)


def facts_of_week() -> Facts:
    facts = expect(WEEK)
    facts.visits = Counter((one.appointment, "x") for one in [*WEEK.history, *BY_HL7] if one.answer == "applied")
    facts.visits = Counter(dict.fromkeys(facts.visits, 1))
    return facts


def test_the_table_says_for_each_clinic_what_was_sent_in_which_format() -> None:
    found = facts_of_week()
    rows = {(row.feed.clinic, row.feed.format): row for row in by_clinic.rows(by_clinic.feeds_of(WEEK), found, found)}

    assert list(rows) == [
        ("THAMES", "JSON events over HTTP"),
        ("HARBOR", "HL7 v2 over MLLP"),
        ("SAKURA", "JSON events over HTTP"),
        ("SAKURA", by_clinic.HISTORY),
    ]
    past, harbor = rows["SAKURA", by_clinic.HISTORY], rows["HARBOR", "HL7 v2 over MLLP"]
    assert (past.visits, past.sent, past.skipped[0] > 0) == ((120, 120), (0, 0), True)
    assert harbor.sent[0] > 100
    assert {(row.lost, row.doubled) for row in rows.values()} == {(0, 0)}


def test_the_table_counts_what_is_lost_and_what_is_doubled() -> None:
    expected, found = facts_of_week(), facts_of_week()
    [sent, other] = [one for one in found.reminders if one[0].startswith("HARBOR") and one[3] == "SENT"][:2]
    del found.reminders[sent]
    found.reminders[other] += 1
    [row] = [row for row in by_clinic.rows(by_clinic.feeds_of(WEEK), expected, found) if row.feed.clinic == "HARBOR"]

    assert (row.lost, row.doubled) == (1, 1)
