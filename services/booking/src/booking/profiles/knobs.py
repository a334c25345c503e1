"""What knobs are made of: words, paths into a message, and the checks that a name is one that is known."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from booking.values import contacts, identity, times
from booking.values.refusals import Refused

LONGEST_LIST = 64
"""Values of one knob."""


class Knobs(BaseModel):
    """Part of a profile. A key that it does not have is refused: a misspelt knob would be a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False, validate_default=True)


class Word(StrEnum):
    """What class a status word of a source is of; the words of HL7 table 0278, and two that it lacks."""

    PENDING = "pending"
    WAITLIST = "waitlist"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    STARTED = "started"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    NO_SHOW = "no-show"
    BLOCKED = "blocked"


class Meaning(StrEnum):
    """What a trigger event tells of a visit."""

    BOOKED = "booked"
    MOVED = "moved"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    DELETED = "deleted"
    RESOURCES = "resources"
    NO_SHOW = "no-show"
    IGNORED = "ignored"


class Extra(StrEnum):
    """What of a patient or visit may stand at a place of the source's own."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    MOBILE = "mobile"
    LANDLINE = "landline"
    EMAIL = "email"
    LANGUAGE = "language"
    SERVICE_TYPE = "service_type"
    CLINIC = "clinic"


def _zone(name: str) -> str:
    times.zone_of(name, "")
    return name


def _country(code: str) -> str:
    return contacts.country(code, "")


def _clinic(code: str) -> str:
    return identity.clinic_code(code, "")


def _encoding(name: str) -> str:
    try:
        "A".encode(name).decode(name)
    except (LookupError, ValueError):  # none of that name, or none of text
        raise Refused("UNKNOWN_ENCODING", "an encoding such as utf-8, windows-1252 or iso-8859-1", "") from None
    return name


_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_PATH = r"^[A-Z][A-Z0-9]{2}-[1-9]\d{0,2}(\.[1-9]\d?){0,2}$"
_TRIGGER = r"^[A-Z]\d{2}$"
PATTERNS: Mapping[str, str] = {
    _LANGUAGE: "a language such as de or pt-BR",
    _PATH: "a place such as PID-3, SCH-11.4 or PID-3.4.1: segment, field, component, sub-component",
    _TRIGGER: "a trigger event such as S12",
}
"""Pattern of a text → how it is written, in words."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Zone = Annotated[Text, AfterValidator(_zone)]
Country = Annotated[Text, AfterValidator(_country)]
Language = Annotated[str, StringConstraints(pattern=_LANGUAGE, max_length=35)]
Clinic = Annotated[Text, AfterValidator(_clinic)]
Encoding = Annotated[Text, AfterValidator(_encoding)]
Path = Annotated[str, StringConstraints(pattern=_PATH)]
"""A place in a message: segment, field, and component and sub-component if meant, as `SCH-11.4`."""
Paths = Annotated[tuple[Path, ...], Field(max_length=LONGEST_LIST)]
Texts = Annotated[tuple[Text, ...], Field(max_length=LONGEST_LIST)]
Trigger = Annotated[str, StringConstraints(pattern=_TRIGGER)]
"""A trigger event, as `S12`."""
