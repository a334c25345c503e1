"""Each knob of a profile that speaks of a visit or its patient changes what is read of a message: none is idle."""

from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import Extra, Profile
from booking.values.refusals import Refused
from tests.support.booking.builders import LOCAL, NOW

MESSAGE = "\r".join(
    [
        "MSH|^~\\&|APP|FAC|||20270301101500||SIU^S12|m1|P|2.5",
        "SCH|pl1|fl1|||||Check^Eye check|||||^^^20270712100000^20270712103000|||||||||||||Reserved",
        "TQ1|||||||20270712100000|20270712103000",
        "PID|1|old7|7^^^NHS^NH~8^^^RNJ^MR||Doe^Ann",
        "PV1|1|O|W1^^^SITE|||||1^Who",
        "RGS|1",
        "AIP|1||204^Foster^Amy||||20270712110000",
        "AIL|1||R1^^^NORTH",
        "Z01|fra|ZWARD|20270712120000",
    ]
)

KNOBS: list[dict[str, Any]] = [
    {"processing": ["T"]},
    {"events": {"S12": "cancelled"}},
    {"words": {"Reserved": "waitlist"}},
    {"status": ["MSH-11"], "words": {"P": "arrived"}},
    {"appointment": ["SCH-1"]},
    {"patient": {"fields": ["PID-2"]}},
    {"patient": {"authorities": ["NHS"]}},
    {"patient": {"types": ["NH"]}},
    {"times": {"start": ["AIP-6"]}},
    {"times": {"end": ["Z01-3"]}},
    {"provider": {"fields": ["PV1-7"]}},
    {"place": ["Z01-2"], "clinics": {"ZWARD": "EAR"}},
    {"clinics": {"NORTH": "EYE"}},
    {"service": ["SCH-7.1"]},
]


def read(hl7v2: dict[str, Any], **top: Any) -> BookAppointment | Refused:
    """Return what is read of the message by a profile in London that says this besides."""
    profile = Profile.model_validate({"zone": "Europe/London", "hl7v2": hl7v2, **top})
    hints = Hints(LOCAL, NOW, "local", profiles=Profiles.fixed({"local": profile}))
    try:
        (found,) = Hl7V2().parse(MESSAGE.encode(), hints).commands
    except Refused as refusal:
        return refusal
    return found


def test_the_message_is_read_by_the_default_profile() -> None:
    found = read({})

    assert isinstance(found, BookAppointment)
    assert found == read({})


@pytest.mark.parametrize("hl7v2", KNOBS, ids=str)
def test_each_knob_changes_what_is_read(hl7v2: dict[str, Any]) -> None:
    assert read(hl7v2) != read({})


@pytest.mark.parametrize("extra", Extra)
def test_each_field_of_ours_is_taken_from_a_place_of_the_sources_own(extra: Extra) -> None:
    assert read({"extra": {extra.value: "Z01-1"}}) != read({})


@pytest.mark.parametrize(
    "top",
    [{"zone": "Asia/Tokyo"}, {"clinic": "EAR"}, {"mode": "backfill"}, {"language": "de"}, {"country": "GB"}],
    ids=str,
)
def test_each_knob_of_every_format_is_asked_by_this_one(top: dict[str, Any]) -> None:
    assert read({}, **top) != read({})
