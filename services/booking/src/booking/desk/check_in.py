"""What a desk sends to check a patient in, and how it is carried out and answered (R34, 0054)."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.check_ins import store
from booking.check_ins.bodies import WhatWasChecked
from booking.check_ins.domain import CheckInAtDesk
from booking.desk.domain import check_in_of
from booking.desk.intake import DeskIntake
from booking.desk.store import visits_of, whom
from booking.door.bodies import Id, Order, Text, WarningView, read, views
from booking.door.domain import Client
from booking.door.strict_json import canonical_hash
from booking.values import texts
from booking.values.refusals import UNKNOWN_APPOINTMENT, Refused


class CheckInBody(Order):
    """Who checks the patient in, and whether whatever lacks."""

    event_id: Id | None = Field(default=None, description="Or the header Idempotency-Key. Without effect in a dry run.")
    by: Text | None = Field(default=None, description="Who does it, kept with the check-in.")
    reason: Text | None = Field(default=None, description="Kept with the visit.")
    patient: Id | None = Field(
        default=None, description="Who stands there, by the source's id or ours: checked. Left out: whose visit it is."
    )
    override: StrictBool = Field(
        default=False, description="Check in whatever lacks: a right of the client, with by and reason."
    )
    dry_run: StrictBool = Field(default=False, description="Say what would happen, and do nothing.")


class CheckInAnswer(WhatWasChecked):
    """A check-in that was taken, or would be."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "event_id": "arrival-17", "appointment_id": "01a2b3c4-0000-7000-8000-000000000001", "dry_run": False,
                "result": "applied", "original_result": None, "version": 3, "status": "checked-in", "mode": "enforce",
                "checked": [{"kind": "consent", "form": "mri-contrast", "code": "CLEARED"}], "lacking": [],
                "overridden": False, "by": "front desk", "reason": None, "warnings": [],
            }
        }
    )  # fmt: skip

    event_id: str | None
    appointment_id: UUID
    dry_run: bool
    result: str = Field(description="`applied`, or `repeat`: he is checked in already.")
    original_result: str | None = Field(description="Of a repeat of this request: what it was; else null.")
    version: int = Field(description="Of the visit.")
    by: str | None
    reason: str | None
    warnings: list[WarningView] = Field(description="NOT_CLEARED: something lacks, and he was let in.")


async def check_in(
    desk: DeskIntake, client: Client, appointment_id: UUID, value: Any, header: str | None
) -> CheckInAnswer | Refused:
    """Check a patient in, and return the answer, or the refusal of the command, which is counted.

    Args:
        value: The body's JSON.
        header: Idempotency-Key.

    Raises:
        Refused: The request itself cannot be read, or not by this client.
    """
    body = read(CheckInBody, value)
    asked, reason, key = _asked(body, client), _text(body.reason, "reason"), _key(body, header)
    patient = None if body.patient is None else texts.identifier(body.patient, "patient")
    async with desk.reads.acquire() as reading:
        visit = (await visits_of(reading, client, [appointment_id])).get(appointment_id)
        if visit is None:
            raise Refused(UNKNOWN_APPOINTMENT, "no such appointment, or none of this client")
        asked = asked._replace(patient_id=await whom(reading, visit, patient))
    body_sha256 = canonical_hash([str(appointment_id), value])
    command = check_in_of(visit, client, "" if body.dry_run else key, body_sha256, asked, reason)
    if body.dry_run:
        [answer] = await desk.tried([command], client, desk.transactions.clock.now())
    else:
        [answer] = await desk.intake.answer_all([command], client)
    if answer.refusal is not None:
        return answer.refusal
    return await _answer(desk, command, answer, dry_run=body.dry_run)


async def _answer(desk: DeskIntake, command: BookAppointment, answer: EventAnswer, *, dry_run: bool) -> CheckInAnswer:
    recorded, asked = answer.recorded, command.check_in
    assert recorded is not None and answer.result is not None and asked is not None  # noqa: S101, PT018  # it was taken
    visit = recorded.appointment_id
    if answer.check_in is not None:
        checked = store.told(answer.check_in)
    else:
        checked = await store.of_command(desk.reads, visit, command.client, command.key) or _NOTHING
    return CheckInAnswer(
        event_id=command.key or None,
        appointment_id=visit,
        dry_run=dry_run,
        result=answer.result.value,
        original_result=None if recorded.result is answer.result else recorded.result.value,
        version=recorded.version,
        by=asked.by,
        reason=command.reason,
        warnings=views(recorded.warnings),
        **checked,
    )


_NOTHING = {"status": "checked-in", "mode": "observe", "checked": [], "lacking": [], "overridden": False}
"""What was checked for a repeat of what found him in, by upstream, at a clinic that requires nothing."""


def _asked(body: CheckInBody, client: Client) -> CheckInAtDesk:
    if body.override:
        client.check_may_override()
        for name in ("by", "reason"):
            if getattr(body, name) is None:
                raise Refused("MISSING_FIELD", "whoever overrides says who he is and why", name)
    return CheckInAtDesk(_text(body.by, "by"), body.override)


def _key(body: CheckInBody, header: str | None) -> str:
    key = body.event_id or header
    if key is None and not body.dry_run:
        raise Refused("MISSING_FIELD", "give an event_id, or the header Idempotency-Key", "event_id")
    return "" if key is None else texts.identifier(key, "event_id")


def _text(text: str | None, place: str) -> str | None:
    return None if text is None else texts.name(text, place)
