"""A time of HL7 v2 is an instant, in whatever precision it is written, or is refused with its place."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from booking.formats.hl7v2.dtm import day, instant
from booking.values.refusals import Refused
from booking.values.warned import Warned

LONDON = ZoneInfo("Europe/London")
SYDNEY = ZoneInfo("Australia/Sydney")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def of(written: str, zone: ZoneInfo | None = LONDON) -> str:
    return instant(written, zone, "TQ1-7").isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2027031210", "2027-03-12T10:00:00Z"),
        ("202703121015", "2027-03-12T10:15:00Z"),
        ("20270312101530", "2027-03-12T10:15:30Z"),
        ("2027031210153000", "2027-03-12T10:15:30Z"),
        ("2027071210153000-0500", "2027-07-12T15:15:30Z"),
        ("20270312101530.5", "2027-03-12T10:15:30.500000Z"),
        ("20270312101530.1234", "2027-03-12T10:15:30.123400Z"),
        ("20270312101530.1234567", "2027-03-12T10:15:30.123456Z"),
        ("202707121015", "2027-07-12T09:15:00Z"),  # summer
        ("202707121015+0000", "2027-07-12T10:15:00Z"),
        ("202707121015-0500", "2027-07-12T15:15:00Z"),
        ("2027071210+0545", "2027-07-12T04:15:00Z"),
        ("20270712101500.00+01", "2027-07-12T09:15:00Z"),
        ("20270712101500+01:00", "2027-07-12T09:15:00Z"),
        ("20270712101500Z", "2027-07-12T10:15:00Z"),
        ("202109141120+0215", "2021-09-14T09:05:00Z"),
        ("202703122400", "2027-03-13T00:00:00Z"),
        ("2027123124", "2028-01-01T00:00:00Z"),
        ("202707312400-0500", "2027-08-01T05:00:00Z"),
        ("^202703121015", "2027-03-12T10:15:00Z"),
        ("202703121015^S", "2027-03-12T10:15:00Z"),
        ("202703121015^20270312101530", "2027-03-12T10:15:00Z"),
        (" 202703121015 ", "2027-03-12T10:15:00Z"),
        ("2027-03-12T10:15", "2027-03-12T10:15:00Z"),
        ("2027-07-12 10:15:00.25+02:00", "2027-07-12T08:15:00.250000Z"),
        ("202802291015", "2028-02-29T10:15:00Z"),
    ],
)
def test_every_precision_with_and_without_an_offset(written: str, at: str) -> None:
    assert of(written) == at


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((wrong, "BAD_TIME") for wrong in ("", "^", '""', "NOW", "2027", "202703", "20270312", "20270312+0100")),
        *((wrong, "BAD_TIME") for wrong in ("202702301015", "202702291015", "202713011015", "202700101015")),
        *((wrong, "BAD_TIME") for wrong in ("202703122401", "202703122500", "202703121060", "202703122400.5")),
        *(
            (wrong, "BAD_TIME")
            for wrong in (
                "2027031210153001",
                "20270312101530000",
                "20270312101",
                "2027031210155",
                "202703121015+2",
                "202703121015+1960",
            )
        ),
        *(
            (wrong, "BAD_TIME")
            for wrong in (
                "202703121015+0160",
                "202703121015+1900",
                "202612-0500",
                "202703121\N{FULLWIDTH DIGIT TWO}15",
                "2027-0312 10",
            )
        ),
        *((wrong, "TIME_OUT_OF_RANGE") for wrong in ("189912311015", "220001011015", "999912312359", "000101010000")),
    ],
)
def test_what_is_no_time_is_refused_with_its_place(written: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        of(written)

    assert (refused.value.code, refused.value.place) == (code, "TQ1-7")


def test_a_time_without_an_offset_needs_a_zone() -> None:
    with pytest.raises(Refused, match="NAIVE_TIME"):
        of("202703121015", None)
    assert of("202703121015+0100", None) == "2027-03-12T09:15:00Z"
    assert of("202703121015", SYDNEY) == "2027-03-11T23:15:00Z"


def test_a_day_alone_is_midnight_only_if_the_profile_says_so() -> None:
    assert instant("20270712", LONDON, "", date_only="midnight") == datetime(2027, 7, 11, 23, tzinfo=UTC)
    for imprecise in ("2027", "202707"):
        with pytest.raises(Refused, match="BAD_TIME"):
            instant(imprecise, LONDON, "", date_only="midnight")


@pytest.mark.parametrize(
    ("written", "zone", "at"),
    [
        ("202703280130", LONDON, "2027-03-28T01:30:00Z"),  # the wall shows 02:30
        ("202710030215", LORD_HOWE, "2027-10-02T15:45:00Z"),  # a jump of half an hour: it shows 02:45
    ],
)
def test_an_hour_that_is_skipped_is_as_much_later_or_refused(written: str, zone: ZoneInfo, at: str) -> None:
    warnings: list[Warned] = []

    found = instant(written, zone, "SCH-11.4", warnings=warnings)

    assert found == datetime.fromisoformat(at)
    assert warnings == [("SKIPPED_HOUR", "SCH-11.4", "")]
    with pytest.raises(Refused, match="START_IN_SPRING_GAP"):
        instant(written, zone, "SCH-11.4", gap="refuse")
    assert of(written + "+0000") == f"{written[:4]}-{written[4:6]}-{written[6:8]}T{written[8:10]}:{written[10:]}:00Z"


def test_of_an_hour_that_comes_twice_the_first_is_meant_and_said() -> None:
    warnings: list[Warned] = []

    assert instant("202710310130", LONDON, "TQ1-7", warnings=warnings) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert warnings == [("DOUBLED_HOUR", "TQ1-7", "")]
    assert instant("202710310230", LONDON, "TQ1-7", warnings=warnings) == datetime(2027, 10, 31, 2, 30, tzinfo=UTC)
    assert instant("202710310130+0000", LONDON, "", warnings=warnings) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    assert len(warnings) == 1


@pytest.mark.parametrize("written", ["19870102", "198701021530", "19870102000000+0100", "1987-01-02", "19870102^D"])
def test_a_day_is_read_whatever_follows_it(written: str) -> None:
    assert day(written) == date(1987, 1, 2)


@pytest.mark.parametrize(
    ("written", "code"),
    [("1987", "BAD_DAY"), ("198701", "BAD_DAY"), ("19870230", "BAD_DAY"), ("", "BAD_DAY"), ("02/01/1987", "BAD_DAY"),
     ("18870102", "TIME_OUT_OF_RANGE"), ("00000000", "TIME_OUT_OF_RANGE")],
)  # fmt: skip
def test_what_is_no_day_is_refused_with_its_place(written: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        day(written, "PID-7")

    assert (refused.value.code, refused.value.place) == (code, "PID-7")
