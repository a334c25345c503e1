"""What a message of scheduling asks for: each field from where it may stand, and what is refused (0059)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.unset import UNSET
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import HOUR, LOCAL, NOW, START
from tests.support.booking.hl7 import order, schedule, siu

HALF = timedelta(minutes=30)
DATED = "SCH|P1|F1|||||CHECK^Check-up||||^^^202703121000"  # neither offset nor length
LONDON = {"zone": "Europe/London"}


def codes(found: BookAppointment) -> list[str]:
    return [one.code for one in found.warnings]


def test_a_whole_message_books_and_describes() -> None:
    found = order(siu())
    assert (found.appointment, found.other_names, found.status) == ("filler|F1", ("placer|P1",), Status.BOOKED)
    assert (found.starts_at, found.ends_at, found.occurred_at) == (START, START + HALF, NOW)
    assert (found.patient, found.provider, found.provider_name) == ("EYE|77", "204", "Dr Harriet Who")
    assert (found.service_type, found.confirmed, found.mode) == ("Check-up", UNSET, IngestMode.LIVE)
    assert found.person is not None
    assert (found.person.given_name, found.person.family_name, found.person.language) == ("Anna", "Meier", "en")
    assert found.person.own.mobiles == ("07700 900123",)
    assert codes(found) == []


CASES: dict[str, tuple[bytes, dict[str, Any], dict[str, Any]]] = {
    # names
    "a filler with an assigner": (siu(SCH=schedule(ids="P1|F1^NS")), {}, {"appointment": "filler|NS|F1"}),
    "an assigner that is the number": (siu(SCH=schedule(ids="P1^P1|F1^F1")), {}, {"appointment": "filler|F1"}),
    "a placer alone": (siu(SCH=schedule(ids="P1|")), {}, {"appointment": "placer|P1", "other_names": ()}),
    "the placer's first": (
        siu(), {"hl7v2": {"appointment": ["SCH-1", "SCH-2"]}},
        {"appointment": "placer|P1", "other_names": ("filler|F1",)},
    ),
    "one of a series": (
        siu(SCH=schedule(ids="P1|F1").replace("|F1|", "|F1|2")), {},
        {"appointment": "filler|F1#2", "other_names": ("placer|P1#2",)},
    ),
    "an occurrence that is no number": (
        siu(SCH=schedule(ids="P1|F1").replace("|F1|", "|F1|P1")), {}, {"appointment": "filler|F1"}
    ),
    "the same SCH twice": (siu(SCH=f"{schedule()}\r{schedule()}"), {}, {"starts_at": START}),
    "an authority that the profile names": (
        siu(PID="PID|1||1^^^A^MR~2^^^B^MR"), {"hl7v2": {"patient": {"authorities": ["B"]}}}, {"patient": "B|2"},
    ),
    "the best type first": (siu(PID="PID|1||1^^^A^PI~2^^^B^MR"), {}, {"patient": "B|2", "patient_names": ("A|1",)}),
    "neither authority nor type": (siu(PID="PID|1||42"), {}, {"patient": "42", "patient_names": ()}),
    "an authority that is an OID alone": (siu(PID="PID|1||42^^^&1.2.3&ISO"), {}, {"patient": "1.2.3|42"}),
    "numbers that are taken away": (siu(PID='PID|1||""^^^A^MR~7^^^B^MR'), {}, {"patient": "B|7", "patient_names": ()}),
    "a number that is no more": (siu(PID="PID|1||1^^^A^MR^^^20270228~2^^^B^PI"), {}, {"patient": "B|2"}),
    "social security names nobody": (siu(PID="PID|1||1^^^USSSA^SS~2^^^B^PI"), {}, {"patient_names": ()}),
    "an NHS number in PID-2": (
        siu(PID="PID|1|9999999999^^^NHS|N1"), {}, {"patient": "N1", "patient_names": ("NHS|9999999999",)}
    ),
    "PID-2 where PID-3 has one": (siu(PID="PID|1|5^^^X|N1"), {}, {"patient": "N1", "patient_names": ()}),
    "PID-2 alone": (siu(PID="PID|1|5^^^X"), {}, {"patient": "X|5"}),
    "a number that everybody has names nobody": (
        siu(PID="PID|1||0000000000^^^NHS^NH~UNKNOWN^^^A^MR~7^^^B^PI"), {}, {"patient": "B|7", "patient_names": ()}
    ),
    "and nobody is named by it alone": (siu(PID="PID|1||000-00^^^A^MR"), {}, {"patient": None}),
    "the first number of a count is one": (siu(PID="PID|1||0^^^A^MR"), {}, {"patient": "A|0"}),
    "so is the first of a count's first count": (siu(PID="PID|1||0-0^^^A^MR"), {}, {"patient": "A|0-0"}),
    "no patient at all": (siu("S15", PID=""), {}, {"patient": None, "person": None, "status": Status.CANCELLED}),
    # times
    "TQ1 before SCH-11": (
        siu(TQ1="TQ1|||||||20270312110000+0000|20270312114500+0000"), {},
        {"starts_at": START + HOUR, "ends_at": START + HOUR + timedelta(minutes=45)},
    ),
    "an order of its own": (
        siu(TQ1="TQ1|||||||20270312110000+0000"), {"hl7v2": {"times": {"start": ["SCH-11.4"]}}}, {"starts_at": START},
    ),
    "a zone of the profile": (siu(SCH=DATED), LONDON, {"starts_at": START, "ends_at": START + HALF}),
    "summer time of the profile's zone": (
        siu(SCH=DATED.replace("0312", "0712")), LONDON, {"starts_at": datetime(2027, 7, 12, 9, tzinfo=UTC)}
    ),
    "the offset of MSH-7 is not borrowed": (
        siu(SCH=DATED, at="20270301090000-0500"), LONDON, {"starts_at": START, "occurred_at": NOW + 5 * HOUR},
    ),
    "a resource's time": (
        siu(SCH="SCH|P1|F1", AIL="AIL|1|A|R1|||20270312100000+0000|||40|MIN"), {}, {"starts_at": START}
    ),
    "a date alone, as midnight": (
        siu(SCH=DATED.replace("202703121000", "20270312")), {**LONDON, "hl7v2": {"times": {"date_only": "midnight"}}},
        {"starts_at": datetime(2027, 3, 12, tzinfo=UTC)},
    ),
    "a start that is taken away, and a resource's": (
        siu(SCH='SCH|P1|F1|||||||||""', AIS="AIS|1|A|C^Check|20270312100000+0000"), {}, {"starts_at": START}
    ),
    "a start that is taken away": (siu("S14", SCH='SCH|P1|F1|||||||||""'), {}, {"starts_at": None}),
    "60 s": (siu(SCH=schedule().replace("30|min", "60|s")), {}, {"ends_at": START + timedelta(seconds=60)}),
    "900 without a unit": (siu(SCH=schedule().replace("30|min", "900|")), {}, {"ends_at": START + HALF / 2}),
    "45 without a unit": (siu(SCH=schedule().replace("30|min", "45|")), {}, {"ends_at": START + timedelta(minutes=45)}),
    "1 ^hour": (siu(SCH=schedule().replace("30|min", "1|^hour")), {}, {"ends_at": START + HOUR}),
    "1 Std.": (siu(SCH=schedule().replace("30|min", "1|Std.")), {}, {"ends_at": START + HOUR}),
    "45 of a unit that nobody knows": (
        siu(SCH=schedule().replace("30|min", "45|slots")), {}, {"ends_at": START + timedelta(minutes=45)}
    ),
    "a length within SCH-11": (
        siu(SCH=schedule().replace("30|min|^^30", "||^^M45")), {}, {"ends_at": START + timedelta(minutes=45)}
    ),
    "a length in TQ1-13": (
        siu(SCH="SCH|P1|F1", TQ1="TQ1|1||||||20270312100000+0000||||||45^min"), {},
        {"ends_at": START + timedelta(minutes=45)},
    ),
    "0 minutes beside a resource's": (
        siu(SCH=schedule().replace("30|min", "0|min"), AIS="AIS|1|A|C^Check|||| 20|MIN"), {},
        {"ends_at": START + timedelta(minutes=20)},
    ),
    "an end years later": (
        siu(SCH=schedule("20270312100000+0000^20280312100000+0000")), {}, {"ends_at": START + HALF}
    ),
    "no length of a changed visit": (siu("S14", SCH=DATED), LONDON, {"ends_at": UNSET}),
    "the usual length is the profile's": (
        siu(SCH=DATED), {**LONDON, "hl7v2": {"times": {"default_minutes": 60}}}, {"ends_at": START + HOUR}
    ),
    "no time of a cancelled visit": (
        siu("S15", SCH="SCH|ID123"), {}, {"starts_at": UNSET, "appointment": "placer|ID123"}
    ),
    "the earliest of several": (
        siu(SCH="SCH|P1|F1", TQ1="TQ1|1||||||20270312110000+0000\rTQ1|2||||||20270312100000+0000"),
        {"hl7v2": {"times": {"several_tq1": "earliest"}}}, {"starts_at": START},
    ),
    "one time twice": (
        siu(SCH="SCH|P1|F1", TQ1="TQ1|1||||||20270312110000+0100\rTQ1|2||||||20270312100000+0000"), {},
        {"starts_at": START},
    ),
    "MSH-7 that is none": (siu(at="yesterday"), {}, {"occurred_at": None}),
    # words
    "confirmed": (siu("S14", "Confirmed"), {}, {"confirmed": True}),
    "a trigger with another meaning": (
        siu("S13"), {"hl7v2": {"events": {"S13": "cancelled"}}}, {"status": Status.CANCELLED}
    ),
    "a booking makes a visit": (siu(), {}, {"follows": False}),
    "a broadcast makes one": (siu("S27"), {}, {"follows": False}),
    "a move is of one that is known": (siu("S13"), {}, {"follows": True}),
    "so is what cancels it": (siu("S15", ""), {}, {"follows": True}),
    "a trigger of its own": (siu("S99"), {"hl7v2": {"events": {"S99": "booked"}}}, {"status": Status.BOOKED}),
    "a word of its own": (siu("S14", "4"), {"hl7v2": {"words": {"4": "complete"}}}, {"status": Status.FULFILLED}),
    "a no-show may be a clock's": (siu("S26", ""), {}, {"status": Status.NOSHOW, "mode": IngestMode.BACKFILL}),
    "a person's no-show": (siu("S26", ""), {"hl7v2": {"no_show_by_clock": False}}, {"mode": IngestMode.LIVE}),
    "a practice's own word that he cancelled": (
        siu("S14", "Cancelled by Patient"), {}, {"status": Status.CANCELLED}
    ),
    "N/S": (siu("S14", "N/S"), {}, {"status": Status.NOSHOW}),
    "what is held back": (siu("S13", "Cancelled"), {}, {"status": Status.BOOKED, "agrees": False}),
    "what agrees": (siu("S14"), {}, {"agrees": True}),
    "a source of history": (siu(), {"mode": "backfill"}, {"mode": IngestMode.BACKFILL}),
    "a reason": (siu("S15", SCH="SCH|P1|F1||||W^Weather"), {}, {"reason": "Weather"}),
    "no reason of a booking": (siu(SCH="SCH|P1|F1||||Sch|||30|min|^^^20270312100000+0000"), {}, {"reason": None}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_field_is_read_where_it_stands(case: str) -> None:
    body, profile, expected = CASES[case]
    found = order(body, **profile)
    assert {name: getattr(found, name) for name in expected} == expected


WARNED: dict[str, tuple[bytes, dict[str, Any], list[str]]] = {
    "they disagree": (siu("S15", "Booked"), {}, ["WORD_DISAGREES"]),
    "they disagree so that it is held": (siu("S13", "Cancelled"), {}, ["WORD_DISAGREES", "HELD_BACK"]),
    "held, of history": (siu("S13", "Cancelled"), {"mode": "backfill"}, ["WORD_DISAGREES"]),
    "a word of no class": (siu("S14", "4"), {}, ["UNKNOWN_WORD"]),
    "a time that is passed over": (siu(TQ1="TQ1|||||||soon"), {}, ["DETAIL_DROPPED"]),
    "a time of no cancelled visit": (siu("S15", SCH=DATED), {}, ["DETAIL_DROPPED"]),
    "an hour that is shown twice": (siu(SCH=DATED.replace("202703121000", "202710310130")), LONDON, ["DOUBLED_HOUR"]),
    "an hour that is skipped": (siu(SCH=DATED.replace("202703121000", "202703280130")), LONDON, ["SKIPPED_HOUR"]),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_odd_is_said_and_taken(case: str) -> None:
    body, profile, expected = WARNED[case]
    assert codes(order(body, **profile)) == expected


REFUSED: dict[str, tuple[bytes, dict[str, Any], str, str]] = {
    "no SCH": (siu(SCH=""), {}, "NO_SCH", "SCH"),
    "no number": (siu(SCH="SCH|||||||CHECK"), {}, "NO_APPOINTMENT_ID", "SCH-2"),
    "a number that cannot be kept": (siu(SCH=f"SCH||{'9' * 300}"), {}, "NO_APPOINTMENT_ID", "SCH-2"),
    "two patients": (siu(PID="PID|1||1^^^A^MR\rPID|2||2^^^A^MR"), {}, "SEVERAL_PATIENTS", "PID"),
    "a naive time, and no zone": (siu(SCH=DATED), {}, "NAIVE_TIME", "SCH-11.4"),
    "a date alone": (siu(SCH=DATED.replace("202703121000", "20270312")), LONDON, "BAD_TIME", "SCH-11.4"),
    "a skipped hour, by the profile": (
        siu(SCH=DATED.replace("202703121000", "202703280130")), {**LONDON, "hl7v2": {"times": {"gap": "refuse"}}},
        "START_IN_SPRING_GAP", "SCH-11.4",
    ),
    "several times": (
        siu(TQ1="TQ1|1||||||20270312100000+0000\rTQ1|2||||||20270312110000+0000"), {}, "SEVERAL_TIMES", "TQ1-7"
    ),
    "several times, of one of a series": (
        siu(SCH=schedule(ids="P1|F1").replace("|F1|", "|F1|2"),
            TQ1="TQ1|1||||||20270312100000+0000\rTQ1|2||||||20270312110000+0000"), {}, "SEVERAL_TIMES", "TQ1-7"
    ),
    "several times within SCH-11": (
        siu(SCH=schedule("20270312100000+0000~^^^20270313100000+0000")), {}, "SEVERAL_TIMES", "SCH-11.4"
    ),
    "two visits": (
        siu(SCH=f"SCH|P1|F1\r{schedule(ids='P2|F2')}"), {}, "SEVERAL_APPOINTMENTS", "SCH"
    ),
    "one visit at its old time and its new one": (
        siu("S13", SCH=f"{schedule()}\r{schedule('20270313100000+0000')}"), {}, "SEVERAL_APPOINTMENTS", "SCH"
    ),
    "a slot is blocked": (siu("S23"), {}, "IGNORED_MESSAGE", ""),
    "a slot is opened": (siu("S24"), {}, "IGNORED_MESSAGE", ""),
    "a booking of nobody": (siu("S12", "Blocked", PID=""), {}, "IGNORED_MESSAGE", ""),
    "a trigger of which nothing is known": (siu("S25"), {}, "UNSUPPORTED_EVENT", "MSH-9.2"),
    "no scheduling": (siu().replace(b"SIU^S12", b"ORM^O01"), {}, "UNSUPPORTED_MESSAGE", "MSH-9.1"),
    "a test message, by the profile": (
        siu().replace(b"|P|2.5", b"|T|2.5"), {"hl7v2": {"processing": ["P"]}}, "WRONG_PROCESSING_ID", "MSH-11",
    ),
    "no HL7": (b"{}", {}, "NOT_HL7", "MSH"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_leaves_in_doubt_which_visit_whose_or_when_is_refused_by_its_place(case: str) -> None:
    body, profile, code, place = REFUSED[case]
    with pytest.raises(Refused) as refused:
        order(body, **profile)
    assert (refused.value.code, refused.value.place) == (code, place)


IN_OSLO = {"clinic_zones": {"EYE": "Europe/Oslo"}}


@pytest.mark.parametrize(
    ("schedule_of", "profile", "clinic", "starts_at", "read_in"),
    [
        (DATED, {}, "EYE", START - HOUR, "Europe/Oslo"),
        (DATED, {"clinic": "EYE"}, None, START - HOUR, "Europe/Oslo"),
        (DATED, LONDON, "EYE", START, None),
        (schedule(), {}, "EYE", START, None),
    ],
)
def test_a_time_without_offset_is_that_of_the_default_clinic_and_the_command_says_so(
    schedule_of: str, profile: dict[str, Any], clinic: str | None, starts_at: datetime, read_in: str | None
) -> None:
    profiles = Profiles.fixed({"local": Profile.model_validate(profile)}, **IN_OSLO)
    client = replace(LOCAL, default_clinic=clinic)
    (found,) = Hl7V2().parse(siu(SCH=schedule_of), Hints(client, NOW, profiles=profiles)).commands
    assert isinstance(found, BookAppointment)
    assert (found.starts_at, found.read_in) == (starts_at, read_in)


def test_one_patient_described_twice_is_one() -> None:
    found = order(siu(PID="PID|1||1^^^A^MR\rPID|2||1^^^A^MR||Meier"))
    assert found.patient == "A|1"


def test_the_same_number_for_something_else_is_another_event_and_a_resend_the_same() -> None:
    first, again, other = order(siu()), order(siu()), order(siu(SCH=schedule("20270312110000+0000")))
    assert first.key == again.key != other.key
    assert first.key.startswith("1:")
    assert Hl7V2().event_id(siu()) == first.key


def test_whose_it_is_is_told_by_its_sender_where_a_client_speaks_for_several() -> None:
    both = replace(LOCAL, sources=("a", "b"))
    profile = Profile.model_validate({"hl7v2": {"match": {"sending_application": ["RIS"]}}})
    profiles = Profiles.fixed({"b": profile})
    other = Profile.model_validate({"hl7v2": {"match": {"sending_application": ["LIS"]}}})
    profiles.hold({"a": (1, other), "b": (1, profile)}, {}, {})
    (found,) = Hl7V2().parse(siu(), Hints(both, NOW, profiles=profiles)).commands
    assert isinstance(found, BookAppointment)
    assert found.source == "b"
    with pytest.raises(Refused, match="SOURCE_REQUIRED"):
        Hl7V2().parse(siu(), Hints(both, NOW))


def test_a_batch_is_answered_message_by_message() -> None:
    body = b"BHS|^~\\&\r" + siu() + siu(SCH="") + b"BTS|2\r"
    parsed = Hl7V2().parse(body, Hints(LOCAL, NOW))
    assert parsed.is_batch
    assert [getattr(one, "code", "taken") for one in parsed.commands] == ["taken", "NO_SCH"]
