"""The reports of one callback are applied one after the other, each to what the ones before it left (G6)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.receipts.domain import Carrier, Made, Receipt, Reported
from notifier.receipts.handle import Heard, Kept, Moved, Noted, hear
from schemas.notifications import Channel, DeliveryState
from tests.support.notifier.builders import FIRST, NOTIFICATION, NOW, SECOND, sending

LATER = NOW + timedelta(minutes=1)
ACCEPTED = sending(state=NotificationState.ACCEPTED, version=1, accepted_at=NOW)


class Ledger:
    """One message and its two calls by SMS, as a transaction sees them; it keeps what is written.

    Args:
        held: The message.
        reverse: The store returns what it kept in another order than it came in.
    """

    def __init__(self, held: Notification, *, reverse: bool = False) -> None:
        self._held, self._step = held, -1 if reverse else 1
        self.moved: dict[UUID, Moved] = {}
        self.written: list[Notification] = []
        self.published: list[Notification] = []
        self.noted: list[Noted] = []
        self.stopped: list[UUID] = []
        self.also: list[Made] = []
        self.others: list[Notification] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Ledger"]:
        yield self

    async def keep(self, reports: Sequence[Receipt], now: datetime) -> Sequence[Kept]:
        return [Kept(number, one) for number, one in enumerate(reports)][:: self._step]

    async def waiting(self, limit: int, since: datetime) -> Sequence[Kept]:
        raise AssertionError("nothing waits here")

    async def lock(self, reports: Sequence[Kept]) -> Mapping[UUID, Notification]:
        return {self._held.notification_id: self._held, **{one.notification_id: one for one in self.others}}

    async def made(self, reports: Sequence[Kept]) -> Mapping[int, Sequence[Made]]:
        known = {
            FIRST: [Made(FIRST, NOTIFICATION, Channel.SMS, None, DeliveryState.UNKNOWN), *self.also],
            SECOND: [Made(SECOND, NOTIFICATION, Channel.SMS, None, DeliveryState.UNKNOWN)],
        }
        return {one.receipt_id: known[one.report.attempt_id] for one in reports if one.report.attempt_id in known}

    async def move(self, attempts: Sequence[Moved]) -> None:
        self.moved |= {one.attempt_id: one for one in attempts}

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.written += notifications

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.published += notifications

    async def note(self, noted: Sequence[Noted], now: datetime) -> None:
        self.noted += noted

    async def link(self, users: Sequence[tuple[str, UUID]], now: datetime) -> None:
        assert not users

    async def stop(self, attempts: Sequence[UUID], now: datetime) -> None:
        self.stopped += attempts

    async def give_up(self, receipt_id: int, trouble: str, now: datetime) -> None:
        raise AssertionError("nothing is given up here")

    async def unmatched(self) -> int:
        return 0


def said(status: Reported, attempt_id: UUID = FIRST, reference: str | None = None) -> Receipt:
    return Receipt(Carrier.TWILIO, f"{attempt_id}/{status}/{reference}", status, attempt_id, reference)


async def heard(ledger: Ledger, *reports: Receipt) -> Heard:
    return await hear(ledger, reports, LATER)


async def test_each_report_finds_the_call_as_the_ones_before_it_left_it() -> None:
    ledger = Ledger(ACCEPTED)

    await heard(ledger, said(Reported.DELIVERED), said(Reported.READ), said(Reported.DELIVERED, reference="SM1"))

    assert ledger.moved[FIRST].delivery_state is DeliveryState.READ
    assert [one.changed for one in ledger.noted] == [True, True, False]


async def test_they_are_taken_in_the_order_they_were_kept_in_and_the_message_is_written_once() -> None:
    ledger = Ledger(ACCEPTED, reverse=True)

    told = await heard(ledger, said(Reported.UNDELIVERED), said(Reported.DELIVERED))

    assert [one.delivery_state for one in ledger.published] == [DeliveryState.UNDELIVERED, DeliveryState.DELIVERED]
    assert [one.version for one in ledger.published] == [2, 3]
    assert ledger.written == [told.told[-1]]
    assert ledger.written[0].state is NotificationState.ACCEPTED


async def test_the_reference_that_one_of_them_gives_is_kept() -> None:
    ledger = Ledger(ACCEPTED)

    await heard(ledger, said(Reported.DELIVERED, reference="SM1"), said(Reported.READ))

    assert ledger.moved[FIRST].reference == "SM1"


async def test_g5_of_two_calls_only_the_one_by_which_the_message_is_accepted_may_be_the_accepted_one() -> None:
    ledger = Ledger(sending(state=NotificationState.UNKNOWN, attempt_id=SECOND, attempts=2))

    await heard(ledger, said(Reported.DELIVERED, FIRST), said(Reported.ACCEPTED, SECOND))

    assert {attempt_id: one.accepted for attempt_id, one in ledger.moved.items()} == {FIRST: True, SECOND: False}


@pytest.mark.parametrize(
    ("code", "stopped"),
    [("TWILIO_21610", True), ("META_131050", True), ("TWILIO_30005", False), ("TWILIO_121610", False), (None, False)],
)
async def test_a_report_that_its_reader_said_stop_to_the_carrier_stops_what_is_sent_to_him(
    code: str | None, stopped: bool
) -> None:
    ledger = Ledger(sending())

    await heard(ledger, replace(said(Reported.UNDELIVERED), code=code))

    assert ledger.stopped == ([FIRST] if stopped else [])


async def test_a_report_of_no_call_of_ours_is_kept_and_nothing_is_noted_of_it() -> None:
    ledger = Ledger(replace(ACCEPTED, version=7))

    told = await heard(ledger, said(Reported.READ, UUID(int=9)))

    assert (told.new, told.applied, told.told, ledger.noted, ledger.written) == (1, 0, (), [], [])


@pytest.mark.parametrize("status", [Reported.DELIVERED, Reported.UNDELIVERED])
async def test_a_report_is_of_all_visits_that_the_call_told_of_and_each_has_an_outcome_of_its_own(
    status: Reported,
) -> None:
    ledger = Ledger(ACCEPTED)
    other = replace(ACCEPTED, notification_id=UUID(int=77), attempt_id=UUID(int=78))
    ledger.others = [other]
    ledger.also = [Made(UUID(int=78), other.notification_id, Channel.SMS, None, DeliveryState.UNKNOWN, is_lead=False)]

    told = await heard(ledger, said(status, reference="SM1"))

    assert {one.notification_id for one in ledger.published} == {NOTIFICATION, other.notification_id}
    assert {one.delivery_state for one in ledger.published} == {status.delivery_state}
    assert [one.made.attempt_id for one in ledger.noted] == [FIRST]
    assert {one.attempt_id: one.reference for one in ledger.moved.values()} == {FIRST: "SM1", UUID(int=78): None}
    assert (told.new, told.applied) == (1, 1)
