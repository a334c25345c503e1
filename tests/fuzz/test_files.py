"""A hundred thousand spoiled files of each kind, those of SAMPLES too if they are there: none breaks a reader."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from booking.files.bodies import bodies
from booking.files.kinds import Kind, cut_as, kind_of
from booking.formats.calendars.format import ICalendar
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.lines.format import LinesOfJson
from booking.formats.plain.format import PlainJson
from booking.formats.port import Format, Hints, parsed_by
from booking.formats.separated.format import SeparatedValues
from booking.profiles.csv_knobs import CsvProfile
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW
from tests.support.hl7v2 import mutated

SAMPLES = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
HOW_MANY = 100_000
SEED = 20270312
HINTS = replace(Hints(LOCAL, NOW), profiles=Profiles.fixed({"local": Profile(zone="Europe/London")}))

PIECES = (
    *(b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b"\t", b":", b"=", b"{", b"}", b"[", b"null", b"-1", b"9" * 30),
    *(b"\xe2\x80\xae", b"\\u0000", b"99991231T235959", b"00010101T000000", b"P1000000000D", b"TZID=", b"\xff\xfe"),
    *(b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"END:VCALENDAR\r\n", b"RECURRENCE-ID:", b"RRULE:", b'"event_id":'),
)
CSV = b"AppointmentId,MRN,StartDateTime,ApptLength,ApptStatus\nv1,p1,2027-03-12 10:00,30,booked\nv2,p2,,,\n"
NDJSON = b'{"appointment":{"id":"v","status":"booked","patient":{"id":"p"},"start":"2027-03-12T10:00:00Z"}}\n'
ICS = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:v-1\r\nSEQUENCE:0\r\nDTSTAMP:20270301T090000Z\r\n"
    b"DTSTART;TZID=Europe/London:20270727T153000\r\nDURATION:PT20M\r\nLOCATION:EYE\r\nRECURRENCE-ID:20270727T153000Z"
    b"\r\nATTENDEE;CN=Ada Test:mailto:ada@example.org\r\nCATEGORIES:Check\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
FORMATS: dict[str, tuple[Format, bytes]] = {
    "csv": (SeparatedValues(), CSV),
    "ndjson": (LinesOfJson(PlainJson(), FhirR4()), NDJSON),
    "icalendar": (ICalendar(), ICS),
}


@pytest.mark.fuzz
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_thousand_spoiled_files(name: str) -> None:
    read_by, own = FORMATS[name]
    whole = [own, *(file.read_bytes() for file in sorted((SAMPLES / name).glob("*")))]
    random, found = Random(SEED), Counter[str]()
    for number in range(HOW_MANY):
        body = mutated(whole[number % len(whole)], random, PIECES)
        try:
            found.update(fates(read_by, body))
            cut(body)
        except Exception as error:
            raise AssertionError(f"file {number} of seed {SEED}: {body!r}") from error
    assert found["taken"] > HOW_MANY / 50, found
    assert found["refused"] > HOW_MANY / 10, found


def fates(read_by: Format, body: bytes) -> list[str]:
    try:
        commands = parsed_by(read_by.parse, body, HINTS).commands
    except Refused:
        return ["refused"]
    return ["refused" if isinstance(one, Refused) else "taken" for one in commands]


def cut(body: bytes) -> None:
    """Cut it as a file, whose chunks end anywhere."""
    middle = len(body) // 2
    try:
        kind: Kind = kind_of(body)
        found = cut_as(kind, iter((body[:middle], body[middle:])), body, CsvProfile(), [])
    except Refused:
        return
    list(bodies(found.records, found.lane_of, 2))
