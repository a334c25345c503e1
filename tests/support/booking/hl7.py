"""Messages of HL7 v2 for tests: one of scheduling, of which each segment can be said otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from tests.support.booking.builders import LOCAL, NOW

SEGMENTS: Mapping[str, str] = {
    "SCH": "SCH|P1|F1|||||CHECK^Check-up||30|min|^^30^20270312100000+0000^20270312103000+0000||||||||||||||{word}",
    "TQ1": "",
    "PID": "PID|1||77^^^EYE^MR||Meier^Anna||19800101|F|||||07700 900123^PRS^CP||en",
    "PV1": "",
    "RGS": "RGS|1|A",
    "AIS": "",
    "AIG": "",
    "AIL": "",
    "AIP": "AIP|1|A|204^Who^Harriet^^^Dr|D^Doctor",
}


def header(trigger: str = "S12", number: str = "1", at: str = "20270301090000+0000", kind: str = "SIU") -> str:
    """Return MSH of a message."""
    return rf"MSH|^~\&|RIS|EYE|ATTEND||{at}||{kind}^{trigger}|{number}|P|2.5.1"


def siu(
    trigger: str = "S12",
    word: str = "Booked",
    number: str = "1",
    at: str = "20270301090000+0000",
    after: Sequence[str] = (),
    **segments: str,
) -> bytes:
    """Return a message of scheduling.

    Args:
        at: MSH-7.
        after: Further segments at its end.
        segments: By name; an empty one is left out. `{word}` stands for the status word.
    """
    found = [text.replace("{word}", word) for text in {**SEGMENTS, **segments}.values() if text]
    return "\r".join([header(trigger, number, at), *found, *after, ""]).encode()


def schedule(start: str = "20270312100000+0000", ids: str = "P1|F1", word: str = "{word}") -> str:
    """Return SCH of a visit at another time, or of another number."""
    return f"SCH|{ids}|||||CHECK^Check-up||30|min|^^30^{start}||||||||||||||{word}"


def order(body: bytes, client: Client = LOCAL, **profile: Any) -> BookAppointment:
    """Return the command in a message, by a profile of its source."""
    profiles = Profiles.fixed({"local": Profile.model_validate(profile)})
    (found,) = Hl7V2().parse(body, Hints(client, NOW, profiles=profiles)).commands
    assert isinstance(found, BookAppointment)
    return found
