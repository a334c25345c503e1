"""From records of `appointments` to visits: read in C, whole contracts only for what is out of the ordinary.

The lean models name what planning needs and accept only canonical values; anything else is read as the whole
contract, which accepts what the contract accepts and names the fault of the rest.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard

import msgspec

from reminders.planning.domain.schedule import policy_of
from reminders.planning.domain.visit import Policy, Visit
from reminders.planning.lean_models import LeanPolicy, LeanVisit
from reminders.timers.ports import Source
from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.hours import Hours, hours_of
from schemas.model import Contract
from schemas.wire import Undecodable, check_names, decode_typed, event_id

_APPOINTMENTS: dict[str, type[Contract]] = {APPOINTMENT_CHANGED: Appointment}
_CLINIC = re.compile(r"[A-Z0-9]{2,10}")
_ID = re.compile(rb"[!-~]{1,200}")
_TYPE = ("ce_type", APPOINTMENT_CHANGED.encode())
_CANONICAL = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_KINDS = bytes(ord("h" if chr(byte) in "0123456789abcdef" else "-" if chr(byte) == "-" else "x") for byte in range(256))
"""What every byte is in `_CANONICAL`."""


_read = msgspec.json.Decoder(LeanVisit).decode


def read_visit(source: Source) -> tuple[Visit, Policy]:
    """Return the visit in a record of `appointments`, and its policy.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; HEADER_NOT_UTF8; KEY_MISMATCH if the key is not the appointment's
            id, because then it is in the wrong partition.
    """
    check_names(source.headers)
    if _TYPE not in source.headers or source.value is None:
        return _read_whole(source)
    try:
        visit = _read(source.value)
        policy = _policy(bytes(visit.policy), visit.zone)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _read_whole(source)
    key = visit.appointment_id.encode()
    if not (_is_canonical(key) and _is_canonical(visit.patient_id.encode()) and _is_clinic(visit.clinic_id)):
        return _read_whole(source)
    if source.key != key:
        raise Undecodable("KEY_MISMATCH", "key is not the appointment's id")
    return visit, policy


def cause_of(source: Source, visit: Visit) -> tuple[str, bytes]:
    """Return id and domain time of the event in a record: what its effects are caused by, and when (B1).

    Headers that say neither are as good as none: the effects' readers want an id and an instant.
    """
    headers = source.headers
    given: bytes | None
    at: bytes | None
    if len(headers) > 5 and headers[1][0] == "ce_id" and headers[5][0] == "ce_time":  # `Envelope.headers`
        given, at = headers[1][1], headers[5][1]
    else:
        named = dict(headers)
        given, at = named.get("ce_id"), named.get("ce_time")
    return (
        given.decode() if _is_id(given) else str(event_id(visit.appointment_id, visit.version)),
        at if _is_instant(at) else visit.event_time.isoformat().encode(),
    )


def _is_id(given: bytes | None) -> TypeGuard[bytes]:
    return given is not None and _ID.fullmatch(given) is not None


def _is_instant(at: bytes | None) -> TypeGuard[bytes]:
    try:
        return at is not None and datetime.fromisoformat(at.decode("ascii")).tzinfo is not None
    except ValueError:
        return False


def _is_canonical(text: bytes) -> bool:
    """Say whether this is a UUID as every writer of ours writes it."""
    return text.translate(_KINDS) == _CANONICAL


@lru_cache(4096)
def _is_clinic(code: str) -> bool:
    return _CLINIC.fullmatch(code) is not None


@lru_cache(4096)
def _policy(read: bytes, zone: str) -> Policy:
    """Thousands of visits share one policy: it is read once."""
    policy = msgspec.json.decode(read, type=LeanPolicy)
    return policy_of(zone, policy.rules, Hours(policy.window.opens, policy.window.closes))


def _read_whole(source: Source) -> tuple[Visit, Policy]:
    """Read the whole contract, and from what it accepted the visit."""
    appointment: Any = decode_typed(_APPOINTMENTS, tuple(source.headers), source.value)
    assert isinstance(appointment, Appointment)  # noqa: S101  # the only model in the table
    if source.key != str(appointment.appointment_id).encode():
        raise Undecodable("KEY_MISMATCH", "key is not the appointment's id")
    visit = LeanVisit(
        appointment_id=str(appointment.appointment_id),
        version=appointment.version,
        status=appointment.status,
        patient_id=str(appointment.patient_id),
        clinic_id=appointment.clinic_id,
        zone=appointment.zone,
        schedule_gen=appointment.schedule_gen,
        schedule_set_at=appointment.schedule_set_at,
        event_time=appointment.event_time,
        policy=msgspec.Raw(),
        starts_at=appointment.starts_at,
        barred=appointment.barred,
    )
    return visit, policy_of(appointment.zone, appointment.policy.rules, hours_of(appointment.policy.window))
