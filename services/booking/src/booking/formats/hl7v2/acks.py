"""Acknowledgements: what became of a message, in the shape, the marks and the character set of its sender."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Literal

from booking.formats.hl7v2.escapes import Encoding
from booking.formats.hl7v2.segments import Message, Segment, header_of, path_of
from booking.values.refusals import Refused

AckMode = Literal["auto", "original", "enhanced"]


class AckCode(StrEnum):
    """What becomes of a message: it is stored, its sender may send it again, or it will never do.

    The first three are of original mode, the last three the accept acknowledgement of enhanced mode.
    """

    AA = "AA"
    AE = "AE"
    AR = "AR"
    CA = "CA"
    CE = "CE"
    CR = "CR"


_ACCEPT: Final = {AckCode.AA: AckCode.CA, AckCode.AE: AckCode.CE, AckCode.AR: AckCode.CR}
_TAKEN: Final = frozenset({AckCode.AA, AckCode.CA})

_WORDS = {
    "100": "Segment sequence error", "101": "Required field missing", "102": "Data type error",
    "103": "Table value not found", "200": "Unsupported message type", "201": "Unsupported event code",
    "202": "Unsupported processing id", "203": "Unsupported version id", "204": "Unknown key identifier",
    "205": "Duplicate key identifier", "206": "Application record locked", "207": "Application internal error",
}  # fmt: skip
"""Table 0357."""

_CONDITIONS = {
    "NOT_HL7": "100", "BAD_SEPARATORS": "100", "SEVERAL_MESSAGES": "100", "NO_SCH": "100", "SEVERAL_PATIENTS": "100",
    "SEVERAL_APPOINTMENTS": "100",
    "UNSUPPORTED_MESSAGE": "200", "UNSUPPORTED_EVENT": "201", "WRONG_PROCESSING_ID": "202",
    "EVENT_ID_CONFLICT": "205", "SAME_PATIENT": "205", "IDENTITY_CONFLICT": "205", "UNKNOWN_PATIENT": "204",
    "KEY_RACE": "206", "IDENTITY_RACE": "206",
    "UNKNOWN_STATUS": "103", "UNKNOWN_MODE": "103",
}  # fmt: skip
_LACKS = re.compile("NO_.*|.*_REQUIRED|MISSING.*|NAIVE_TIME")


_FIELDS = {
    "appointment.id": "SCH-2", "appointment.start": "SCH-11", "appointment.patient": "PID-3",
    "appointment.clinic": "AIL-3", "appointment.provider": "AIP-3",
}  # fmt: skip
"""Where a sender looks for what every format calls by our name."""


def code_for(message: Message, code: AckCode, mode: AckMode = "auto") -> AckCode | None:
    """Return which answer a sender waits for; None if it wants none.

    In original mode it is the code itself. In enhanced mode, which `auto` finds where MSH-15 or MSH-16 is valued, it is
    the accept acknowledgement if MSH-15 asks for one, else the application's if MSH-16 does. An application's answer
    after an accept's would go over a connection of its own; none is made.

    Args:
        code: AA, AE or AR.
        mode: Of the profile: `original` is for senders that value MSH-15 and wait for AA all the same.
    """
    header = message.segments[0]
    accept, application = header.text(15).upper(), header.text(16).upper()
    if mode == "original" or (mode == "auto" and not accept and not application):
        return code
    if mode == "enhanced" and not accept:
        accept = "AL"
    if _wants(accept, code):
        return _ACCEPT[code]
    return code if _wants(application, code) else None


def _wants(condition: str, code: AckCode) -> bool:
    """Table 0155: always, on success, on errors, or never."""
    return condition == "AL" or condition == ("SU" if code in _TAKEN else "ER")


def ack(message: Message | bytes, code: AckCode, refusal: Refused | None, now: datetime, own_control_id: str) -> bytes:
    """Return the acknowledgement of a message, or of bytes that are none.

    Args:
        refusal: Why it is not taken, if that is known. Its message and its place are told, and never what was sent.
        own_control_id: MSH-10 of the acknowledgement.
    """
    header = message.segments[0] if isinstance(message, Message) else header_of(message)
    encoding = header.encoding
    version = _version(header)
    trigger = message.trigger if isinstance(message, Message) else header.text(9, 2)
    segments = [
        _header(header, trigger, version, now, own_control_id),
        _answer(header, code, refusal, version),
        *([] if code in _TAKEN else [_error(code, refusal, version, encoding)]),
    ]
    lines = [encoding.field.join(fields).rstrip(encoding.field) for fields in segments]
    return ("\r".join(lines) + "\r").encode(encoding.codec, "replace")


def _version(header: Segment) -> tuple[int, ...]:
    found = re.match(r"2\.(\d{1,2})", header.text(12), re.ASCII)
    return (2, int(found[1])) if found else (2, 3)


def _header(header: Segment, trigger: str, version: tuple[int, ...], now: datetime, own_id: str) -> list[str]:
    encoding = header.encoding
    kind = (
        ["ACK", _escaped(trigger, encoding), "ACK"] if trigger and version >= (2, 4) and encoding.component else ["ACK"]
    )
    marks = "".join(encoding[1:6])
    return [
        "MSH", marks, header.written(5), header.written(6), header.written(3), header.written(4),
        now.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000"), "", encoding.component.join(kind),
        _escaped(own_id, encoding), header.written(11) or "P", header.written(12) or "2.3", "", "", "", "", "",
        header.written(18),
    ]  # fmt: skip


def _answer(header: Segment, code: AckCode, refusal: Refused | None, version: tuple[int, ...]) -> list[str]:
    """MSA-3, the text, was withdrawn in 2.7."""
    text = _escaped(_text(code, refusal), header.encoding) if version < (2, 7) and code not in _TAKEN else ""
    return ["MSA", code, header.written(10), text]


def _error(code: AckCode, refusal: Refused | None, version: tuple[int, ...], encoding: Encoding) -> list[str]:
    """Before 2.5 all is in ERR-1, with the condition in its fourth component; then a field has each."""
    condition = _condition(code, refusal)
    where = list(_location(refusal))
    if version < (2, 5):
        said = (encoding.sub or " ").join((condition, _WORDS[condition], "HL70357"))
        return ["ERR", encoding.component.join([*[*where, "", "", ""][:3], said])]
    said = encoding.component.join((condition, _WORDS[condition], "HL70357"))
    own = encoding.component.join((_own(code, refusal), "", "L"))
    own_text = _escaped(_text(code, refusal), encoding)
    return ["ERR", "", encoding.component.join(where), said, "E", own, "", _own(code, refusal), own_text]


def _location(refusal: Refused | None) -> Iterator[str]:
    """Yield segment, which of its name, field, repetition, component and sub-component, as far as they are known."""
    place = refusal.place if refusal is not None else ""
    place = _FIELDS.get(place, place)
    if re.fullmatch("[A-Z][A-Z0-9]{2}", place):
        yield from (place, "1")
        return
    try:
        path = path_of(place)
    except ValueError:
        return
    yield from (path.segment, "1", str(path.field))
    if place.count(".") > 0:
        yield from ("1", str(path.component))
    if place.count(".") > 1:
        yield str(path.sub)


def _condition(code: AckCode, refusal: Refused | None) -> str:
    if refusal is None or code in {AckCode.AE, AckCode.CE}:
        return "207"
    if (found := _CONDITIONS.get(refusal.code)) is not None:
        return found
    if _LACKS.fullmatch(refusal.code):
        return "101"
    return "204" if refusal.code.startswith("UNKNOWN_") else "102"


def _own(code: AckCode, refusal: Refused | None) -> str:
    return refusal.code if refusal is not None else "NOT_STORED" if code in {AckCode.AE, AckCode.CE} else "NOT_TAKEN"


def _text(code: AckCode, refusal: Refused | None) -> str:
    if refusal is None:
        return "not stored: send it again" if code in {AckCode.AE, AckCode.CE} else "not taken"
    return f"{refusal.code}: {refusal.message}"


def _escaped(text: str, encoding: Encoding) -> str:
    """Return a text in which no mark of the message stands for itself, nor a character that ends it."""
    marks = {encoding.field: "F", encoding.component: "S", encoding.repetition: "R", encoding.sub: "T"}
    marks[encoding.escape] = "E"
    meant = {
        mark: f"{encoding.escape}{letter}{encoding.escape}" if encoding.escape else " "
        for mark, letter in marks.items()
        if mark
    }
    return "".join(meant.get(sign, sign) if sign.isprintable() else " " for sign in text)
