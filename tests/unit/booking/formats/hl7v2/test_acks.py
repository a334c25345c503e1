"""A sender hears what became of its message in its own version, marks and character set."""

from datetime import datetime, timedelta, timezone

import pytest

from booking.formats.hl7v2.acks import AckCode, AckMode, ack, code_for
from booking.formats.hl7v2.segments import Message, read
from booking.values.refusals import Refused

NOW = datetime(2027, 3, 12, 11, 15, tzinfo=timezone(timedelta(hours=1)))
NO_START = Refused("START_REQUIRED", "say when it begins", "SCH-11.4")


def message(
    version: str = "2.5.1", marks: str = r"|^~\&", accept: str = "", application: str = "", charset: str = ""
) -> Message:
    field, component = marks[0], marks[1]
    sides = [f"EPIC{component}1.2", "NORTH", "ATTEND", "X"]
    header = ["MSH" + field + marks[1:], *sides, "20270312", "", f"SIU{component}S12", "77"]
    header += ["T", version, "", "", accept, application, "", charset]
    return read((field.join(header) + "\rSCH" + field + "1\r").encode())


def lines(answered: Message, code: AckCode, refusal: Refused | None = None) -> list[str]:
    *found, last = ack(answered, code, refusal, NOW, "A1").decode().split("\r")
    assert last == ""
    return found


def test_what_is_stored_is_answered_with_both_sides_swapped() -> None:
    assert lines(message(), AckCode.AA) == [
        r"MSH|^~\&|ATTEND|X|EPIC^1.2|NORTH|20270312101500+0000||ACK^S12^ACK|A1|T|2.5.1",
        "MSA|AA|77",
    ]


@pytest.mark.parametrize(
    ("version", "kind", "said", "error"),
    [
        *(
            (version, "ACK", "START_REQUIRED: say when it begins", "ERR|SCH^1^11^101&Required field missing&HL70357")
            for version in ("2.1", "2.2", "2.3", "2.3.1", "", "D")
        ),
        ("2.4", "ACK^S12^ACK", "START_REQUIRED: say when it begins", "ERR|SCH^1^11^101&Required field missing&HL70357"),
        *(
            (
                version,
                "ACK^S12^ACK",
                said,
                "ERR||SCH^1^11^1^4|101^Required field missing^HL70357|E|START_REQUIRED^^L||START_REQUIRED|"
                "START_REQUIRED: say when it begins",
            )
            for version, said in [
                *((old, "START_REQUIRED: say when it begins") for old in ("2.5", "2.5.1", "2.5^FRA^2.5", "2.6")),
                *((new, "") for new in ("2.7", "2.7.1", "2.8", "2.8.2", "2.9")),
            ]
        ),
    ],
)
def test_a_refusal_is_told_as_the_version_has_it(version: str, kind: str, said: str, error: str) -> None:
    header, answer, err = lines(message(version), AckCode.AR, NO_START)

    assert (header.split("|")[8], header.split("|")[11]) == (kind, version or "2.3")
    assert answer == f"MSA|AR|77|{said}".rstrip("|")
    assert err == error


@pytest.mark.parametrize(
    ("code", "place", "condition", "where"),
    [
        ("UNSUPPORTED_MESSAGE", "MSH-9", "200^Unsupported message type", "MSH^1^9"),
        ("UNSUPPORTED_EVENT", "MSH-9.2", "201^Unsupported event code", "MSH^1^9^1^2"),
        ("WRONG_PROCESSING_ID", "MSH-11", "202^Unsupported processing id", "MSH^1^11"),
        ("NO_SCH", "SCH", "100^Segment sequence error", "SCH^1"),
        ("NO_CONTROL_ID", "MSH-10", "101^Required field missing", "MSH^1^10"),
        ("BAD_TIME", "TQ1-7", "102^Data type error", "TQ1^1^7"),
        ("UNKNOWN_STATUS", "SCH-25", "103^Table value not found", "SCH^1^25"),
        ("UNKNOWN_CLINIC", "PV1-3.4.2", "204^Unknown key identifier", "PV1^1^3^1^4^2"),
        ("EVENT_ID_CONFLICT", "", "205^Duplicate key identifier", ""),
        ("KEY_RACE", "appointment.start", "206^Application record locked", "SCH^1^11"),
        ("PATIENT_REQUIRED", "appointment.patient", "101^Required field missing", "PID^1^3"),
        ("CLINIC_REQUIRED", "appointment.clinic", "101^Required field missing", "AIL^1^3"),
        ("NO_CLIENT", "elsewhere", "101^Required field missing", ""),
    ],
)
def test_why_it_is_refused_is_told_by_table_0357_and_where(code: str, place: str, condition: str, where: str) -> None:
    _, _, error = lines(message(), AckCode.AR, Refused(code, "mend it", place))

    assert error.split("|")[1:6] == ["", where, f"{condition}^HL70357", "E", f"{code}^^L"]


@pytest.mark.parametrize("code", [AckCode.AE, AckCode.CE])
def test_what_is_not_stored_may_be_sent_again(code: AckCode) -> None:
    _, answer, error = lines(message(), code)

    assert answer == f"MSA|{code}|77|not stored: send it again"
    assert error.split("|")[3:] == [
        "207^Application internal error^HL70357", "E", "NOT_STORED^^L", "", "NOT_STORED", "not stored: send it again",
    ]  # fmt: skip
    assert lines(message(), code, Refused("UNKNOWN_CLINIC", "x"))[2].split("|")[3].startswith("207^")


@pytest.mark.parametrize("code", AckCode)
def test_every_code_has_an_answer_that_can_be_read(code: AckCode) -> None:
    found = read(ack(message(), code, NO_START, NOW, "A1"))

    assert (found.kind, found.trigger, found.control_id) == ("ACK", "S12", "A1")
    assert (found.at("MSA-1"), found.at("MSA-2")) == (code, "77")
    assert (found.first("ERR") is None) == (code in {"AA", "CA"})
    assert found.segments[0].text(15) == found.segments[0].text(16) == ""


def test_the_answer_has_the_marks_and_the_charset_of_the_message() -> None:
    assert lines(message(marks="*:+!%"), AckCode.AR, Refused("BAD_TIME", "5*3 or 1:2", "TQ1-7"))[1:] == [
        "MSA*AR*77*BAD_TIME!S! 5!F!3 or 1!S!2",
        "ERR**TQ1:1:7*102:Data type error:HL70357*E*BAD_TIME::L**BAD_TIME*BAD_TIME!S! 5!F!3 or 1!S!2",
    ]
    assert lines(message(marks="|^"), AckCode.AR, Refused("BAD_TIME", "a|b\rc", ""))[1].endswith("|BAD_TIME: a b c")
    body = "MSH|^~\\&|Zürich|x|||||SIU^S12|7||2.3||||||8859/1\r".encode("latin-1")
    answered = ack(read(body), AckCode.AA, None, NOW, "A1")
    assert answered == (b"MSH|^~\\&|||Z\xfcrich|x|20270312101500+0000||ACK|A1|P|2.3||||||8859/1\rMSA|AA|7\r")


@pytest.mark.parametrize(
    ("body", "id_", "to"),
    [
        (b"", "", ""),
        (b"\x81\x8d {}", "", ""),
        (b"MSH|^^", "", ""),
        (b"PID|1\rMSH|^~\\&|EPIC|N|||||SIU^S12|7", "", ""),
        (b"MSH|^~\\&|EPIC|N|||||SIU^S12", "", "EPIC"),
        (b"MSH|^~\\&|EPIC|N||||||7\rMSH|", "7", "EPIC"),
        (b"MSH|^~\\&|EPIC|N|||||SIU^S12|7\rPID|\x81", "7", "EPIC"),
    ],
)
def test_bytes_that_are_no_message_are_answered_too(body: bytes, id_: str, to: str) -> None:
    found = read(ack(body, AckCode.AR, Refused("NOT_HL7", "no", "MSH"), NOW, "A1"))

    assert (found.first("MSA").text(1), found.first("MSA").text(2)) == ("AR", id_)  # type: ignore[union-attr]
    assert (found.segments[0].text(5), found.at("ERR-1")) == (to, "MSH")


@pytest.mark.parametrize(
    ("accept", "application", "mode", "answers"),
    [
        ("", "", "auto", ["AA", "AE", "AR"]),
        ("AL", "NE", "auto", ["CA", "CE", "CR"]),
        ("AL", "AL", "auto", ["CA", "CE", "CR"]),
        ("al", "", "auto", ["CA", "CE", "CR"]),
        ("ER", "NE", "auto", [None, "CE", "CR"]),
        ("SU", "NE", "auto", ["CA", None, None]),
        ("NE", "NE", "auto", [None, None, None]),
        ("NE", "AL", "auto", ["AA", "AE", "AR"]),
        ("NE", "ER", "auto", [None, "AE", "AR"]),
        ("", "SU", "auto", ["AA", None, None]),
        ("ER", "SU", "auto", ["AA", "CE", "CR"]),
        ("AL", "NE", "original", ["AA", "AE", "AR"]),
        ("", "", "enhanced", ["CA", "CE", "CR"]),
        ("NE", "", "enhanced", [None, None, None]),
    ],
)
def test_which_answer_a_sender_waits_for(
    accept: str, application: str, mode: AckMode, answers: list[str | None]
) -> None:
    asked = message(accept=accept, application=application)

    assert [code_for(asked, code, mode) for code in (AckCode.AA, AckCode.AE, AckCode.AR)] == answers
