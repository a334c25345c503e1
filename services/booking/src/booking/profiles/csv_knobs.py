"""A source's files of separated values: how they are written, and which column is what."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from booking.profiles.knobs import Encoding, Knobs, Text, Texts, Word
from booking.values.refusals import Refused


class Column(StrEnum):
    """What a column may hold."""

    APPOINTMENT_ID = "appointment_id"
    STATUS = "status"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    START = "start"
    START_DATE = "start_date"
    START_TIME = "start_time"
    END = "end"
    END_TIME = "end_time"
    DURATION = "duration"
    CLINIC = "clinic"
    SERVICE_TYPE = "service_type"
    PROVIDER_ID = "provider_id"
    PROVIDER_NAME = "provider_name"
    PATIENT_ID = "patient_id"
    PATIENT_NAME = "patient_name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    MOBILE = "mobile"
    MAY_TEXT = "may_text"
    DO_NOT_TEXT = "do_not_text"
    LANDLINE = "landline"
    EMAIL = "email"
    MAY_EMAIL = "may_email"
    DO_NOT_EMAIL = "do_not_email"
    CONSENT = "consent"
    DO_NOT_CONTACT = "do_not_contact"
    LANGUAGE = "language"
    CHANGED_AT = "changed_at"


def _date_format(written: str) -> str:
    sample = datetime(2027, 3, 12, 15, 30)  # noqa: DTZ001  # a wall's
    try:
        good = "%" in written and datetime.strptime(sample.strftime(written), written) is not None  # noqa: DTZ007
    except ValueError:
        good = False
    if not good:
        raise Refused("BAD_DATE_FORMAT", "a format of strptime such as %d/%m/%Y %H:%M", "")
    return written


DateFormat = Annotated[Text, AfterValidator(_date_format)]
_DELIMITER = r"^(auto|[^\"\r\n0-9A-Za-z])$"
PATTERNS: Mapping[str, str] = {_DELIMITER: "auto, or one character that is no letter, digit or quote"}
"""Pattern of a text → how it is written, in words."""
Delimiter = Annotated[str, StringConstraints(pattern=_DELIMITER)]
Number = Annotated[int, Field(ge=1, le=1_000)]


class CsvProfile(Knobs):
    """Its files of separated values."""

    delimiter: Delimiter = Field(
        default="auto", description="The character between values; `auto`: found among comma, semicolon, tab and bar."
    )
    encoding: Encoding | Literal["auto"] = Field(
        default="auto", description="Encoding; `auto`: what its first bytes say, else utf-8, else windows-1252."
    )
    header: bool = Field(default=True, description="Whether the first line names the columns.")
    columns: dict[Column, Text | Number] = Field(
        default={}, description="What we read → the column: its name, or its number from 1."
    )
    date_format: Annotated[tuple[DateFormat, ...], Field(max_length=20)] = Field(
        default=(),
        description="Formats of strptime of dates and times, tried in turn; none: what means one day alone.",
    )
    duration_unit: Literal["auto", "minutes", "seconds"] = Field(
        default="auto",
        description="Unit of `duration`; `auto`: minutes, above 480 seconds, unless it is written there.",
    )
    default_minutes: int = Field(
        default=30, ge=1, le=1_440, description="Length of a visit whose end and length are not told."
    )
    words: dict[Text, Word] = Field(
        default={}, max_length=500, description="Its own status word, in any case → its class."
    )
    true_words: Texts = Field(
        default=("1", "y", "yes", "true", "t", "x"), description="What says yes in a column of yes and no, in any case."
    )
    false_words: Texts = Field(
        default=("0", "n", "no", "false", "f"), description="What says no there, in any case; where nothing is, too."
    )
    id: Annotated[tuple[Text | Number, ...], Field(max_length=10)] = Field(
        default=(),
        description="Columns that together name the visit where it has no id; none: hash of patient, start and place.",
    )
