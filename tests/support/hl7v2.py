"""Messages of HL7 v2 as tests spoil them, and all that can be asked of one."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from booking.formats.hl7v2.acks import AckCode, ack, code_for
from booking.formats.hl7v2.batches import split
from booking.formats.hl7v2.dtm import day, instant
from booking.formats.hl7v2.segments import Message, read
from booking.values.refusals import Refused

NOW = datetime(2027, 3, 12, 10, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")

MESSAGES = tuple(
    "\r".join(lines).encode(codec)
    for codec, lines in (
        (
            "utf-8",
            (
                r"MSH|^~\&|EPIC|NORTH^1|ATTEND|X|202703121015.1+0100||SIU^S12^SIU_S12|17|P|2.5.1|||AL|NE||UTF-8",
                "SCH|1|2^NS||||R^Reason|||30|min|^^30^202703281015^20270328104500+0000||||||||||||||Booked^^0278",
                "TQ1|1||||||202710310130-0500|2027103124",
                r'PID|1|7|8^^^NHS&1.2&ISO^NH~""^^^^MR||Müller^Zoë^^Dr||19870230|F|||1 Rd\.br\X||071^PRN^CP~""^NET^^a@b',
                r"NTE|1||C:\scan\17 \F\ \XC3BC\ \T\ \H\bold\N\ ",
                "RGS|1|A",
                "AIS|1|A|OV^Office visit|20270328101500",
                "AIL|1|A|OPD^^^NORTH|C|||+0215",
            ),
        ),
        (
            "latin-1",
            (
                "FHS*:+!%*LAB",
                "BHS*:+!%*LAB",
                "MSH*:+!%*Zürich*N*****ADT:A08*18**2.3******8859/1",
                "EVN*A08*1987-01-02",
                "PID*1**7:::N%1:NH+8**Möller:Jörg*!X41!*2027",
                "MSH*:+!%*Zürich*N*****ADT:A40*19*T*2.8",
                "MRG*7*8",
                "BTS*2",
                "FTS*1",
            ),
        ),
    )
)

PIECES = (
    *(b"|", b"^", b"~", b"\\", b"&", b"#", b'""', b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x1c\r", b"\x1b$B", b" "),
    *(b"MSH", b"\rMSH|^~\\&|", b"FHS|", b"BTS|9", b"\\X", b"\\X41\\", b"\\.br\\", b"\\E\\", b"\xef\xbb\xbf", b"\xfc"),
    *(b"8859/1", b"UNICODE UTF-8", b"~ISO IR87", b"BIG-5", b"GB 18030-2000", b"2.4", b"2.9", b"AL", b"NE", b"\x81"),
    *(b"+0100", b"-9999", b"00000000", b"99999999999999999999", b"20270328013000", b"\xd9\xa3", b"\xff\xfe"),
    *("\N{FULLWIDTH DIGIT TWO}".encode(), b"M\0S\0H\0"),
)  # fmt: skip


def mutated(body: bytes, random: Random, pieces: Sequence[bytes] = PIECES) -> bytes:
    """Return a body spoiled in one to six places: cut, repeated, moved, overwritten, with odd `pieces` put in."""
    for _ in range(random.randint(1, 6)):
        start = random.randint(0, len(body))
        end = min(len(body), start + random.choice((0, 1, 1, 2, 5, 20, 200)))
        part = body[start:end]
        match random.randrange(5):
            case 0:
                body = body[:start] + body[end:]
            case 1:
                body = body[:start] + part + body[start:]
            case 2:
                at = random.randint(0, len(body))
                body = body[:at] + part + body[at:]
            case 3:
                body = body[:start] + random.randbytes(len(part)) + body[end:]
            case _:
                body = body[:start] + random.choice(pieces) + body[end:]
    return body


def asked_everything(body: bytes) -> tuple[int, int]:
    """Ask of a body all that the reader can say; return how many messages were read and how many refused.

    Each is acknowledged, and the acknowledgement is read again.
    """
    taken = refused = 0
    with suppress(Refused):
        for one in split(body):
            try:
                message = read(one)
            except Refused as refusal:
                refused += 1
                acknowledged(one, refusal)
            else:
                taken += 1
                read_through(message)
                acknowledged(message, None)
    return taken, refused


def acknowledged(message: Message | bytes, refusal: Refused | None) -> None:
    """Acknowledge a message, and read what was answered."""
    answered = read(ack(message, AckCode.AR if refusal else AckCode.AA, refusal, NOW, "A1"))
    assert (answered.kind, answered.control_id, len(answered.all("MSA"))) == ("ACK", "A1", 1)
    if isinstance(message, Message):
        code_for(message, AckCode.AA)
        if message.control_id.isascii() and message.control_id.isprintable():
            # else how it is read again depends on what else is in the bytes
            assert answered.at("MSA-2") == message.control_id


def read_through(message: Message) -> None:
    """Read every field, as a text, as what is said, as a time, and as a day."""
    for segment in message.segments:
        for field in range(32):
            for repetition in range(min(segment.repetitions(field), 3)):
                components = segment.components(field, repetition)
                assert components == [segment.text(field, at + 1, 1, repetition) for at in range(len(components))]
                written = segment.said(field, 1, repetition)
                if isinstance(written, str):
                    with suppress(Refused):
                        instant(written, ZONE, "TQ1-7", date_only="midnight")
                    with suppress(Refused):
                        day(written)
