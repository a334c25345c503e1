"""What a clinic's system says in HL7 v2: the script's changes and patients as messages, and the wire they go over."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from stack.demo.changes import Change
from stack.demo.people import Clinic, Patient

APPLICATION, DEPARTMENT = "HARBOR-HIS", "Pier 17"
START, END = b"\x0b", b"\x1c\r"
PATIENCE_S = 60.0

TRIGGERS = {"booked": "S12", "waitlist": "S12", "moved": "S13", "cancelled": "S15", "missed": "S26"}
"""What happened, as the script names it → the event; whatever else changes a visit is S14."""

WORDS = {
    "booked": "Booked", "pending": "Pending", "waitlist": "Waitlist", "cancelled": "Cancelled", "arrived": "Arrived",
    "noshow": "No show",
}  # fmt: skip
"""Status → the word of SCH-25."""

REGISTERED, CHANGED, DELETED = "A28", "A08", "A29"


def of_visit(change: Change, patient: Patient, provider: str | None) -> str:
    """Return the message (SIU) of a change; its times are walls of the clinic.

    Args:
        provider: The clinician's name; None: the system knows no more than the id.
    """
    what = change.event_id.rpartition(":")[2]
    start, minutes = _wall(change.start, change.zone), int(change.length.total_seconds() // 60)
    word = "Confirmed" if change.confirmed and change.status == "booked" else WORDS[change.status]
    schedule = {1: change.appointment, 2: change.appointment, 7: change.service, 9: minutes, 10: "MIN"}
    segments = [
        _head("SIU", TRIGGERS.get(what, "S14"), change.event_id, change.written_at or change.at, change.zone),
        _segment("SCH", schedule | {11: f"^^^{start}", 25: word}),
        _segment("PID", {1: 1, 3: _number(patient), 5: _name(patient) if patient.registered else ""}),
        "RGS|1|A",
        _segment("AIS", {1: 1, 2: "A", 3: f"^{change.service}", 4: start}),
        _segment("AIL", {1: 1, 2: "A", 3: f"^^^{DEPARTMENT}"}),
    ]
    if change.provider:
        segments.append(_segment("AIP", {1: 1, 2: "A", 3: _clinician(change.provider, provider)}))
    return "\r".join(segments)


def of_patient(trigger: str, patient: Patient, at: datetime, clinic: Clinic) -> str:
    """Return the message (ADT) that tells of a patient all that there is to tell."""
    mobile = f"{patient.mobile}^PRS^CP" if patient.mobile else ""
    email = f"^NET^Internet^{patient.email}" if patient.email else ""
    said = {1: 1, 3: _number(patient), 5: _name(patient), 13: "~".join(filter(None, (mobile, email))), 15: "en"}
    return "\r".join(
        (_head("ADT", trigger, f"{patient.id}:{trigger}", at, clinic.zone), f"EVN|{trigger}", _segment("PID", said))
    )


class Feed:
    """One connection over MLLP: messages leave in order, and each is acknowledged."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    async def send(self, messages: Sequence[str]) -> list[str]:
        """Send messages and return the code of each acknowledgement (MSA-1), in order."""
        if not messages:
            return []
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        try:
            writing = asyncio.create_task(self._write(writer, messages))
            async with asyncio.timeout(PATIENCE_S):
                answers = [await reader.readuntil(END) for _ in messages]
                await writing
        finally:
            writer.close()
        return [code_of(answer.removeprefix(START).removesuffix(END).decode()) for answer in answers]

    async def _write(self, writer: asyncio.StreamWriter, messages: Sequence[str]) -> None:
        for message in messages:
            writer.write(START + message.encode() + END)
            await writer.drain()


def code_of(answer: str) -> str:
    """Return the code of an acknowledgement, with that of its error if it has one."""
    found = {segment[:3]: segment.split("|") for segment in answer.split("\r")}
    code, error = found["MSA"][1], found.get("ERR", [])
    why = error[5].partition("^")[0] if len(error) > 5 else ""
    return f"{code} {why}".rstrip()


def _head(kind: str, trigger: str, number: str, at: datetime, zone: str) -> str:
    head = {3: APPLICATION, 5: "ATTEND", 7: _wall(at, zone), 9: f"{kind}^{trigger}", 10: number, 11: "P", 12: "2.5.1"}
    return _segment("MSH", {field - 1: text for field, text in head.items()} | {1: r"^~\&", 17: "UNICODE UTF-8"})


def _segment(name: str, fields: Mapping[int, object]) -> str:
    """Return a segment of these fields by their numbers; in MSH, whose first is the separator, by one less."""
    return "|".join([name, *(str(fields.get(number, "")) for number in range(1, max(fields) + 1))])


def _wall(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%Y%m%d%H%M%S}"


def _number(patient: Patient) -> str:
    return f"{patient.id}^^^^MR"


def _name(patient: Patient) -> str:
    return f"{patient.family_name}^{patient.given_name}"


def _clinician(identifier: str, name: str | None) -> str:
    if name is None:
        return identifier
    title, given, family = name.split(" ", 2)
    return f"{identifier}^{family}^{given}^^^{title}"
