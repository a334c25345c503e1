"""A source's profile: every knob, what it is where nobody says, and what it is for.

Every default takes what the field is known to send, so that `{}` is a profile. The page of knobs
and the JSON schema are made from here.
"""

from typing import Annotated, Literal

from pydantic import Field

from booking.profiles.csv_knobs import CsvProfile
from booking.profiles.knobs import (
    LONGEST_LIST,
    Clinic,
    Country,
    Encoding,
    Extra,
    Knobs,
    Language,
    Meaning,
    Path,
    Paths,
    Text,
    Texts,
    Trigger,
    Word,
    Zone,
)
from schemas.appointments import IngestMode

__all__ = ["DEFAULT", "AckKnobs", "CsvProfile", "Extra", "Hl7Profile", "Match", "Meaning", "PatientKnobs", "Profile"]
__all__ += ["ProviderKnobs", "TimeKnobs", "Word"]

MOST_WORDS = 500
"""Entries of one table."""


class Match(Knobs):
    """Whose messages these are, where a connection or client speaks for several sources."""

    sending_application: Texts = Field(default=(), description="MSH-3.1 of its messages, any of these; none: any.")
    sending_facility: Texts = Field(default=(), description="MSH-4.1 of its messages, any of these; none: any.")


class PatientKnobs(Knobs):
    """Which of a message's identifiers name the patient."""

    fields: Paths = Field(default=("PID-3", "PID-2"), description="Where his identifiers stand, best first.")
    authorities: Texts = Field(
        default=(),
        description="Assigning authorities (PID-3.4) that are taken, best first; none: any. Others name nobody.",
    )
    types: Annotated[tuple[Annotated[str, Field(max_length=20)], ...], Field(max_length=LONGEST_LIST)] = Field(
        default=("MR", "MRN", "PI", "NH", "NN", "NHS", ""),
        description="Identifier types (PID-3.5) that name him, best first; the empty one: without a type.",
    )


class TimeKnobs(Knobs):
    """Which of a message's times is the visit's, and how they are read."""

    start: Paths = Field(
        default=("TQ1-7", "SCH-11.4", "AIS-4", "AIL-6", "AIP-6", "AIG-8"),
        description="Where the start stands, most trusted first.",
    )
    end: Paths = Field(default=("TQ1-8", "SCH-11.5"), description="Where the end stands, most trusted first.")
    duration: Paths = Field(
        default=("TQ1-6", "TQ1-13", "SCH-9", "AIS-7", "SCH-11.3"),
        description="Where the length stands; its unit is in the field after, or the second component.",
    )
    default_minutes: int = Field(
        default=30, ge=1, le=1_440, description="Length of a visit whose end and length are not told."
    )
    date_only: Literal["refuse", "midnight"] = Field(
        default="refuse", description="A start that is a day without an hour: refused, or taken as 00:00."
    )
    gap: Literal["later", "refuse"] = Field(
        default="later",
        description="A local time that the clocks jump over: as much later as they jump, with a warning, or refused.",
    )
    several_tq1: Literal["earliest", "refuse"] = Field(
        default="refuse",
        description="Several TQ1, or SCH-11 that repeats, with other times: the earliest is the visit's, or refused.",
    )


class ProviderKnobs(Knobs):
    """Who of those named is the visit's clinician."""

    fields: Paths = Field(default=("AIP-3", "AIG-3", "PV1-7"), description="Where the clinician stands, best first.")
    resource_kinds: Texts = Field(
        default=("D", "P", "MD", "PROVIDER", "DOCTOR", "PHYSICIAN"),
        description="Kinds of AIG (AIG-4, any component) that are persons, in any case; other AIG are things.",
    )


class AckKnobs(Knobs):
    """How messages are answered."""

    mode: Literal["auto", "original", "enhanced"] = Field(
        default="auto", description="Acknowledgement mode; `auto`: enhanced where MSH-15 or MSH-16 asks for it."
    )
    refused_as: Literal["AR", "AA"] = Field(
        default="AR",
        description="Answer to what is refused for good. `AA`: for senders that stop their feed at any other.",
    )


class Hl7Profile(Knobs):
    """Its messages in HL7 v2."""

    match: Match = Field(default=Match(), description="Whose messages these are.")
    processing: Texts = Field(default=("P", "T", "D"), description="MSH-11.1 that is taken; others are answered AR.")
    charset: Encoding | None = Field(default=None, description="Encoding, whatever MSH-18 says; none: what it says.")
    events: dict[Trigger, Meaning] = Field(
        default={}, max_length=MOST_WORDS, description="Trigger → what it means here, over the table of triggers."
    )
    words: dict[Text, Word] = Field(
        default={}, max_length=MOST_WORDS, description="Its own status word, in any case → its class."
    )
    status: Paths = Field(default=("SCH-25.1", "SCH-25.2", "SCH-25.3"), description="Where the status word stands.")
    no_show_by_clock: bool = Field(
        default=True, description="Whether its no-show may be a clock's: taken, and nothing is sent for it."
    )
    appointment: Paths = Field(
        default=("SCH-2", "SCH-1"), description="Where the visit's names stand, best first: filler's, placer's."
    )
    patient: PatientKnobs = Field(default=PatientKnobs(), description="Who the patient is.")
    times: TimeKnobs = Field(default=TimeKnobs(), description="When the visit is.")
    provider: ProviderKnobs = Field(default=ProviderKnobs(), description="Who the clinician is.")
    place: Paths = Field(
        default=("AIL-3.4", "PV1-3.4", "RGS-3.1", "AIL-3.1", "PV1-3.9", "MSH-4"),
        description="What may stand for the clinic, best first.",
    )
    clinics: dict[Text, Clinic] = Field(
        default={}, max_length=MOST_WORDS, description="What stands there → the clinic's code."
    )
    service: Paths = Field(
        default=("AIS-3.2", "AIS-3.1", "SCH-8.2", "SCH-8.1", "SCH-7.2", "SCH-7.1"),
        description="Where the type of service stands, best first.",
    )
    extra: dict[Extra, Path] = Field(
        default={},
        description="Field of ours → where this source writes it, as `mobile: Z01-1`; before the usual place.",
    )
    ack: AckKnobs = Field(default=AckKnobs(), description="In which words it is answered.")


class Profile(Knobs):
    """What one source means by what it sends."""

    zone: Zone | None = Field(
        default=None,
        description="IANA or Windows zone of times without offset. None: that of its default clinic; of a "
        "file's row or event that of its own clinic. Without any, such times are refused, NAIVE_TIME.",
    )
    country: Country | None = Field(
        default=None, description="ISO 3166 code by which national phone numbers are read where the clinic says none."
    )
    language: Language | None = Field(
        default=None, description="Language (BCP 47, as `de` or `pt-BR`) of patients whose language is not told."
    )
    clinic: Clinic | None = Field(
        default=None, description="Code of the clinic of messages that name no clinic that is known."
    )
    mode: IngestMode = Field(
        default=IngestMode.LIVE, description="How its events are taken where they do not say: live, or as history."
    )
    hl7v2: Hl7Profile = Field(default=Hl7Profile(), description="How its messages in HL7 v2 are read.")
    csv: CsvProfile | None = Field(default=None, description="Its files of separated values; none: it has none.")


DEFAULT = Profile()
"""The profile of a source of which nothing was said."""
