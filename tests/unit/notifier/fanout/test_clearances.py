"""What the topic `clearances` leads to: one message for each visit, schedule and number of days before it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from notifier.fanout.handle.clearances import on_missing
from notifier.fanout.messages import clearances
from notifier.gate.domain.facts import GateFacts, Lack, SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Visit
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from schemas.clearance_notices import CLEARANCE_MISSING, ClearanceMissing
from schemas.clearances import CLEARANCE_CHANGED
from schemas.envelope import Envelope
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from schemas.wire import Undecodable
from tests.support.examples import example
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, STARTS, visit

LIVE = SendingMode(SendingModeName.LIVE)


class MemoryLedger:
    """One visit, and what it lacks now."""

    def __init__(self, *lacks: Lack, **changes: Any) -> None:
        self.entered: list[Notification] = []
        self.visit, self.lacks = visit(**changes), lacks

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        return {one.notification_id for one in self.entered} & set(notification_ids)

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        return {APPOINTMENT: self.visit}

    async def insert(self, notifications: Sequence[Notification], now: object) -> None:
        self.entered += notifications

    async def facts(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: object
    ) -> Mapping[UUID, GateFacts]:
        return {one.notification_id: GateFacts(lacks=self.lacks) for one in asked}

    async def said(self, *_: object) -> Mapping[UUID, Any]:
        return {}

    people = said

    async def nothing(self, *_: object) -> None:
        return None

    deliver_in_app = publish = write = take_turns = nothing


def missing(days: int = 2, generation: int = 1) -> ClearanceMissing:
    return ClearanceMissing(
        appointment_id=APPOINTMENT, patient_id=PATIENT, clinic_id="NORTH", appointment_version=1,
        schedule_gen=generation, days=days, starts_at=STARTS, due=STARTS - timedelta(days=days),
        not_after=STARTS - timedelta(days=days) / 4, caused_by="slot",
    )  # fmt: skip


async def test_a_visit_that_lacks_something_gets_one_message_until_its_deadline() -> None:
    ledger = MemoryLedger(Lack("consent"))

    told = await on_missing(ledger, [missing(), missing()], LIVE, NOW)  # type: ignore[arg-type]

    [one] = ledger.entered
    assert (one.kind, one.state, one.lane) == (Kind.CLEARANCE_MISSING, NotificationState.QUEUED, Channel.SMS)
    assert one.not_after == missing().not_after
    assert told.repeat == [1]
    assert (await on_missing(ledger, [missing()], LIVE, NOW)).repeat == [0]  # type: ignore[arg-type]


async def test_each_number_of_days_and_each_schedule_is_a_message_of_its_own() -> None:
    ledger = MemoryLedger(Lack("consent"))

    await on_missing(ledger, [missing(7), missing(2), missing(2, generation=2)], LIVE, NOW)  # type: ignore[arg-type]

    assert len({one.notification_id for one in ledger.entered}) == 3
    assert [one.reason for one in ledger.entered] == [None, None, Reason.RESCHEDULED]


@pytest.mark.parametrize(
    ("lacks", "changes", "reason"),
    [
        ((), {}, Reason.CLEARED),
        ((Lack("consent"),), {"do_not_contact": True}, Reason.DO_NOT_CONTACT),
        ((Lack("consent"),), {"mobile": None, "email": None}, Reason.NO_CONTACT),
    ],
)
async def test_what_must_not_leave_is_skipped_with_its_reason(
    lacks: tuple[Lack, ...], changes: dict[str, Any], reason: Reason
) -> None:
    ledger = MemoryLedger(*lacks, **changes)

    await on_missing(ledger, [missing()], LIVE, NOW)  # type: ignore[arg-type]

    assert [(one.state, one.reason) for one in ledger.entered] == [(NotificationState.SKIPPED, reason)]


def record(kind: str, value: bytes) -> Any:
    headers = Envelope("1", kind, "attend/booking", "a", NOW).headers()
    return SimpleNamespace(topic="clearances", partition=0, offset=0, key=b"a", value=value, headers=headers)


def test_a_change_of_one_clearance_is_read_and_is_no_message() -> None:
    assert isinstance(clearances(record(CLEARANCE_MISSING, example(CLEARANCE_MISSING))), ClearanceMissing)
    assert clearances(record(CLEARANCE_CHANGED, example(CLEARANCE_CHANGED))) is None


def test_a_type_that_nobody_knows_is_a_dead_letter() -> None:
    with pytest.raises(Undecodable):
        clearances(record("clearance.revoked.v1", b"{}"))
