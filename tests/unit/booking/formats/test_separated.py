"""Rows of separated values become commands, by the source's profile and by the names that columns usually have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.port import Hints
from booking.formats.separated.format import SeparatedValues
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.unset import UNSET
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import LOCAL, NOW

HEADER = "appointment_id,patient_id,start,duration,status\n"
OWN = {
    "columns": {"patient_id": 1, "given_name": 2, "start_date": 3, "start_time": 4, "status": 5, "clinic": 6},
    "header": False,
    "date_format": ["%d/%m/%Y", "%I:%M %p"],
    "words": {"Abgesagt": "cancelled", "DA": "arrived"},
}


def read(text: str | bytes, **csv: Any) -> list[BookAppointment | Refused]:
    """Return what is read of a file whose source's walls are London's."""
    profile = Profile.model_validate({"zone": "Europe/London", "country": "GB", "csv": csv or None})
    hints = replace(Hints(LOCAL, NOW), profiles=Profiles.fixed({"local": profile}))
    commands = SeparatedValues().parse(text if isinstance(text, bytes) else text.encode(), hints).commands
    return [one for one in commands if isinstance(one, BookAppointment | Refused)]


def one(text: str | bytes, **csv: Any) -> BookAppointment:
    (found,) = read(text, **csv)
    assert isinstance(found, BookAppointment), found
    return found


@pytest.mark.parametrize(
    ("row", "status", "start", "minutes"),
    [
        ("v1,p1,2027-07-27T15:30:00Z,20,booked", Status.BOOKED, 15, 20),
        ("v1,p1,2027-07-27 15:30,,", Status.BOOKED, 14, 30),
        ("v1,p1,20270727 153000,45,Rescheduled", Status.BOOKED, 14, 45),
        ('v1,p1,2027-07-27T15:30,"1,5",No-Show', Status.NOSHOW, 14, 1.5),
        ("v1,p1,2027-07-27T15:30+02:00,30,KEPT", Status.FULFILLED, 13, 30),
    ],
)
def test_a_row_of_usual_columns_is_read_without_a_profile(row: str, status: Status, start: int, minutes: float) -> None:
    found = one(HEADER + row)

    assert (found.appointment, found.patient, found.status) == ("v1", "p1", status)
    starts_at = datetime(2027, 7, 27, start, 30, tzinfo=UTC)
    assert (found.starts_at, found.ends_at) == (starts_at, starts_at + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("row", "code", "place"),
    [
        ("v1,p1,05/06/2027 15:30,20,booked", "BAD_TIME", "start"),
        ("v1,p1,2027-07-27,20,booked", "BAD_TIME", "start"),
        ("v1,p1,when,20,kept", "BAD_TIME", "start"),
        ("v1,p1,2027-07-27T15:30,20,perhaps", "UNKNOWN_STATUS", "status"),
        ("v1,,2027-07-27T15:30,20,booked", "PATIENT_REQUIRED", "patient_id"),
        ("v1,p1,,20,booked", "START_REQUIRED", "start"),
        (",,,,", "EMPTY_ROW", ""),
        ("v\x071,p1,2027-07-27T15:30,20,booked", "CONTROL_CHARACTER", "appointment_id"),
        ("v1,p1,9999-12-31T00:00,20,booked", "TIME_OUT_OF_RANGE", "start"),
        ("v1,p1,2027-07-27T15:30,20,blocked", "IGNORED_MESSAGE", "status"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_column_and_the_next_row_is_taken(
    row: str, code: str, place: str
) -> None:
    refused, taken = read(f"{HEADER}{row}\nv2,p2,2027-07-27T16:00,20,booked\n")

    assert isinstance(refused, Refused)
    assert (refused.code, refused.place) == (code, place)
    assert isinstance(taken, BookAppointment)
    assert taken.appointment == "v2"


@pytest.mark.parametrize(
    ("row", "status", "patient"),
    [
        ("7,Ann,27/07/2027,03:30 PM,abgesagt,EYE", Status.CANCELLED, "7"),
        ("7,Ann,27/07/2027,03:30 PM,DA,EYE", Status.ARRIVED, "7"),
        ("7;Ann;27/07/2027;03:30 PM;booked;EYE", Status.BOOKED, "7"),
        ("7\tAnn\t27/07/2027\t03:30 PM\t\tEYE", Status.BOOKED, "7"),
        ('"7","Ann","27/07/2027","03:30 PM","confirmed","EYE"', Status.BOOKED, "7"),
    ],
)
def test_columns_by_number_formats_and_words_are_the_profiles(row: str, status: Status, patient: str) -> None:
    found = one(row, **OWN)

    assert (found.status, found.patient, found.clinic) == (status, patient, "EYE")
    assert found.starts_at == datetime(2027, 7, 27, 14, 30, tzinfo=UTC)
    assert found.person is not None
    assert found.person.given_name == "Ann"
    assert found.confirmed is (True if "confirmed" in row else UNSET)
    assert found.appointment.startswith("row|")


def test_a_visit_without_an_id_keeps_its_name_whatever_else_changes_in_its_row() -> None:
    names = {
        one(row, **OWN).appointment for row in ("7,Ann,27/07/2027,03:30 PM,,EYE", "7,Anna,27/07/2027,03:30 PM,DA,EYE")
    }
    moved = one("7,Ann,27/07/2027,03:45 PM,,EYE", **OWN).appointment

    assert len(names) == 1
    assert moved not in names


def test_the_same_row_is_the_same_event_wherever_it_stands_and_another_is_another() -> None:
    row = "v1,p1,2027-07-27T15:30,20,booked\n"
    first, again = read(HEADER + row + row)
    other = one(HEADER + row.replace(",20,", ",25,"))

    assert isinstance(first, BookAppointment)
    assert isinstance(again, BookAppointment)
    assert first.key == again.key != other.key


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("0", Status.BOOKED),
        ("1", Status.CANCELLED),
        ("Yes", Status.CANCELLED),
        ("", Status.BOOKED),
        ("2", Status.NOSHOW),
    ],
)
def test_a_column_of_yes_and_no_cancels_and_its_other_values_are_words(flag: str, expected: Status) -> None:
    text = f"id,pat,when,gone\nv1,p1,2027-07-27T15:30,{flag}"
    columns = {"appointment_id": "ID", "patient_id": "pat", "start": "when", "cancelled": "gone"}

    assert one(text, columns=columns, words={"2": "no-show"}).status is expected


def test_a_no_show_is_history_for_it_may_be_a_clocks() -> None:
    found = one(HEADER + "v1,p1,2027-07-27T15:30,20,noshow")

    assert found.mode is IngestMode.BACKFILL


def test_a_row_that_says_no_status_leaves_that_of_a_visit_which_stands() -> None:
    found = one(HEADER + "v1,p1,2027-07-27T15:30,20,")

    assert Status.CANCELLED in found.keeps
    assert Status.PENDING not in found.keeps
    assert one(HEADER + "v1,p1,2027-07-27T15:30,20,booked").keeps == ()


@pytest.mark.parametrize(
    "body",
    [
        "given_name,mobile,start\nJosé,07700900123,2027-07-27T15:30\n".encode("windows-1252"),
        "given_name,mobile,start\nJosé,07700900123,2027-07-27T15:30\n".encode(),
        "\ufeffgiven_name;mobile;start\r\nJosé;07700900123;2027-07-27T15:30\r\n".encode(),
        "given_name\tmobile\tstart\nJosé\t07700900123\t2027-07-27T15:30\n".encode("utf-16"),
        'given_name|mobile|start\r"José"|07700900123|2027-07-27T15:30\r'.encode(),
    ],
)
def test_bytes_are_read_in_their_encoding_and_a_patient_without_an_id_is_named_by_what_is_said_of_him(
    body: bytes,
) -> None:
    found = one(body)

    assert found.person is not None
    assert found.person.given_name == "José"
    assert found.person.own.mobiles == ("07700900123",)
    assert found.patient is not None
    assert found.patient.startswith("person|")
    assert "0770" not in found.patient


@pytest.mark.parametrize(
    ("text", "csv", "code"),
    [
        ("a,b,c\n1,2,3", {}, "NO_COLUMNS"),
        ("a,b,c\n1,2,3", {"columns": {"start": "when"}}, "UNKNOWN_COLUMN"),
        ("", {}, "EMPTY_BODY"),
        ("sep=;\n", {}, "EMPTY_BODY"),
        (HEADER + "v1,p1,x,20,b\n" * 1001, {}, "BATCH_TOO_LARGE"),
        (HEADER + '"' + "x" * 40_000, {}, "BAD_CSV"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_as_a_whole(text: str, csv: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text, **csv)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("written", "instant", "warning"),
    [("2027-03-28 01:30", (3, 28, 1), "SKIPPED_HOUR"), ("2027-10-31 01:30", (10, 31, 0), "DOUBLED_HOUR")],
)
def test_an_hour_that_is_skipped_is_later_and_of_a_doubled_one_the_first_is_meant(
    written: str, instant: tuple[int, int, int], warning: str
) -> None:
    found = one(f"{HEADER}v1,p1,{written},20,booked")

    assert found.starts_at == datetime(2027, *instant, 30, tzinfo=UTC)
    assert [(one.code, one.place) for one in found.warnings] == [(warning, "start")]
