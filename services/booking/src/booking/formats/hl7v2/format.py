"""HL7 v2 behind the port: a message of scheduling or of patients, or a batch of them."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.formats.hl7v2 import appointment, batches
from booking.formats.hl7v2.people_messages import ADMINISTRATION, MERGES, merges, registration
from booking.formats.hl7v2.segments import Message, read
from booking.formats.port import Asked, Hints, Meant, Parsed
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.trail import Trail

MEDIA_TYPES = ("application/hl7-v2", "x-application/hl7-v2+er7", "application/hl7-v2+er7")
"""HAPI's convention for HL7 over HTTP, the name that FHIR's guides give it, and the registered form of that."""

SCHEDULING = "SIU"
_MOST_OF_CONTROL_ID = 100

_EXAMPLE = "\r".join(
    (
        r"MSH|^~\&|RIS|EYE|ATTEND||20270301090000+0000||SIU^S12^SIU_S12|4711|P|2.5.1",
        "SCH|P-1|F-1|||||CHECK^Check-up||30|min|^^30^20270312100000+0000^20270312103000+0000||||||||||||||Booked",
        "PID|1||77^^^EYE^MR||Meier^Anna||19800101|F|||||07700 900123^PRS^CP",
        "RGS|1|A",
        "AIP|1|A|204^Who^Harriet^^^Dr|D^Doctor",
        "",
    )
)


class Hl7V2:
    """`port.Format` of HL7 v2: a message of scheduling (SIU) or of patients (ADT), or several in one body."""

    media_types = MEDIA_TYPES
    topic_content_types = MEDIA_TYPES
    openapi: Mapping[str, Any] = {"schema": {"type": "string", "example": _EXAMPLE}}

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`: each message of a batch is answered for itself."""
        whole = batches.opened(body)
        if len(whole.messages) == 1 and not whole.warnings:
            return Parsed([asked(whole.messages[0], hints)])
        inside = replace(hints, key=None)
        return Parsed([_or_refusal(one, inside) for one in whole.messages], is_batch=True, warnings=whole.warnings)

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`."""
        return key_of(read(body))


def asked(body: bytes, hints: Hints) -> BookAppointment | Registration | ToldMerges:
    """Return what one message asks for.

    Raises:
        Refused: It is none that is taken here.
    """
    trail = hints.trail()
    message, meant = opened(read(body), hints)
    return asked_by(message, meant, hints, trail)


def opened(message: Message, hints: Hints) -> tuple[Message, Meant]:
    """Return a message in the encoding that its source's profile says, and what that source means by it.

    Raises:
        Refused: See `Hints.meant`.
    """
    meant = hints.meant(sender=(message.application, message.facility))
    charset = meant.profile.hl7v2.charset
    return message if charset is None else read(message.raw, charset), meant


def asked_by(
    message: Message, meant: Meant, hints: Hints, trail: Trail | None = None
) -> BookAppointment | Registration | ToldMerges:
    """Return what a message asks for, of a visit or of patients alone.

    Raises:
        Refused: See `command_of`, `people_messages`.
    """
    if message.kind != ADMINISTRATION:
        return command_of(message, meant, hints, trail)
    if message.trigger in MERGES:
        return merges(message, meant, hints, trail)
    return registration(message, meant, hints, trail)


def command_of(message: Message, meant: Meant, hints: Hints, trail: Trail | None = None) -> BookAppointment:
    """Return the command that a message stands for.

    Args:
        trail: Takes where its values came from; None: nobody asked.

    Raises:
        Refused: UNSUPPORTED_MESSAGE, WRONG_PROCESSING_ID; see `appointment.command`.
    """
    if message.kind != SCHEDULING:
        text = "messages of scheduling (SIU) and of patients (ADT) are taken; others say nothing of visits"
        raise Refused("UNSUPPORTED_MESSAGE", text, "MSH-9.1")
    if message.processing and message.processing not in meant.profile.hl7v2.processing:
        raise Refused("WRONG_PROCESSING_ID", "the source's profile takes no messages of this kind", "MSH-11")
    ingress = appointment.Ingress(
        client=hints.client.client_id,
        source=meant.source,
        key=hints.key or key_of(message),
        body_sha256=sha256(message.raw).digest(),
        zone=meant.zone_at(),
        now=hints.now,
        clinic=meant.clinic,
        trail=trail,
    )
    return appointment.command(message, meant.profile, ingress)


def key_of(message: Message) -> str:
    """Return which event a message is: the same number with another sender, trigger or body is another event."""
    parts = (message.application, message.facility, message.control_id, message.trigger)
    digest = sha256("\0".join(parts).encode() + b"\0" + message.raw).hexdigest()[:32]
    named = f"{message.control_id[:_MOST_OF_CONTROL_ID].strip()}:{digest}"
    try:
        return texts.identifier(named, "MSH-10")
    except Refused:
        return digest


def _or_refusal(body: bytes, hints: Hints) -> Asked:
    try:
        return asked(body, hints)
    except Refused as refusal:
        return refusal
