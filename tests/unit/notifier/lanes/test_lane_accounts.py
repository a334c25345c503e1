"""Several accounts in one lane: what one of them meets is no other's matter (B10)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from notifier.carriers.accounts import Accounts
from notifier.carriers.port import Made
from notifier.gate.domain.chain import Open, Step, next_channel
from notifier.gate.domain.facts import NOTHING_KNOWN
from notifier.lanes.domain.breaker import BreakerState
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, Call, CarrierResult, NotAccepted, Notification, Unsure
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, NOW, STARTS, notification, visit
from tests.unit.notifier.lane_fakes import FakeCarrier, MemoryLedger, NoWatch, lane_over, run_while

WELL: CarrierResult = Accepted("r")


def at(clinic: str, count: int, **changes: object) -> list[Notification]:
    """Return so many reminders of a clinic."""
    return [
        notification(notification_id=uuid4(), appointment_id=uuid4(), clinic_id=clinic, **changes) for _ in range(count)
    ]


class CarrierOfSeveral(FakeCarrier):
    """Answers each clinic's calls as told, all others well; some never."""

    def __init__(self, ledger: MemoryLedger, answers: Mapping[str, CarrierResult | None]) -> None:
        super().__init__(ledger)
        self.by_clinic = answers
        self.called: list[str] = []

    def prepare(self, call: Call) -> Made:
        async def made() -> CarrierResult:
            self.called.append(call.visit.clinic_id)
            answer = self.by_clinic.get(call.visit.clinic_id, WELL)
            if answer is None:
                await asyncio.sleep(600)
            return answer or Unsure("never")

        return made


def all_in(ledger: MemoryLedger, clinic: str, state: NotificationState) -> Callable[[], bool]:
    return lambda: any(one.state is not state for one in ledger.held.values() if one.clinic_id == clinic)


@pytest.mark.parametrize(
    "answer",
    [
        NotAccepted("HTTP_401_20003", fault=Fault.ACCOUNT),
        NotAccepted("HTTP_429", timedelta(seconds=3000), Fault.THROTTLE),
        NotAccepted("ConnectError"),
        Unsure("TIMEOUT"),
        None,
    ],
)
async def test_b10_whatever_one_account_meets_every_message_of_another_leaves(answer: CarrierResult | None) -> None:
    """The lane has four slots, and twenty messages of SOUTH have sooner deadlines."""
    sooner = at("SOUTH", 20, not_after=NOW + timedelta(hours=1))
    ledger = MemoryLedger(*sooner, *at("NORTH", 10))
    carrier = CarrierOfSeveral(ledger, {"SOUTH": answer})
    lane = lane_over(ledger, carrier, slots=4, timeout_s=0.5)

    await run_while(lane, all_in(ledger, "NORTH", NotificationState.ACCEPTED))

    assert lane.breakers["ours"] is BreakerState.CLOSED
    assert carrier.called.count("NORTH") == 10


async def test_an_account_is_shared_by_the_clinics_that_name_the_same() -> None:
    ledger = MemoryLedger(*at("SOUTH", 1), *at("SOUTH2", 8), *at("NORTH", 3))
    refused = NotAccepted("HTTP_401_20003", fault=Fault.ACCOUNT)
    carrier = CarrierOfSeveral(ledger, {"SOUTH": refused, "SOUTH2": refused})
    watch = NoWatch()
    lane = lane_over(ledger, carrier, slots=1, watch=watch)

    await run_while(lane, all_in(ledger, "NORTH", NotificationState.ACCEPTED))

    assert lane.breakers == {"ours": BreakerState.CLOSED, "souths": BreakerState.OPEN, "easts": BreakerState.CLOSED}
    assert watch.faults == [("souths", Fault.ACCOUNT)]
    assert len(carrier.called) == 4


async def test_a_pause_is_the_accounts_that_was_asked_for_patience() -> None:
    ledger = MemoryLedger(*at("SOUTH", 1), *at("NORTH", 1))
    carrier = CarrierOfSeveral(ledger, {"SOUTH": NotAccepted("HTTP_429", timedelta(seconds=40), Fault.THROTTLE)})

    await run_while(lane_over(ledger, carrier), lambda: not ledger.pauses)

    assert ledger.pauses == [("souths", 40.0)]


async def test_a_visit_that_changed_its_clinic_is_called_for_by_its_new_clinics_account() -> None:
    """The message was entered for NORTH; the account that may call is asked anew, and the right one makes the call."""
    [moved] = at("NORTH", 1)
    ledger = MemoryLedger(moved)
    ledger.moves_to = {moved.appointment_id: "SOUTH"}
    carrier = CarrierOfSeveral(ledger, {})

    await run_while(lane_over(ledger, carrier), lambda: not carrier.called)

    [held] = ledger.held.values()
    assert (held.clinic_id, held.attempts, carrier.called) == ("SOUTH", 1, ["SOUTH"])
    assert ledger.accounts_called == ["souths"]


async def test_a_visit_that_moved_to_a_clinic_whose_account_may_not_be_called_is_not_called_for() -> None:
    """Claimed for NORTH's account, which may be called; its visit is SOUTH's by now, whose account is refused."""
    [souths], [moved] = at("SOUTH", 1), at("NORTH", 1)
    ledger = MemoryLedger(souths)
    carrier = CarrierOfSeveral(ledger, {"SOUTH": NotAccepted("HTTP_401", fault=Fault.ACCOUNT)})
    lane = lane_over(ledger, carrier)
    await run_while(lane, lambda: lane.breakers["souths"] is BreakerState.CLOSED)

    ledger.moves_to = {moved.appointment_id: "SOUTH"}
    ledger.held = {moved.notification_id: moved}
    await run_while(lane, lambda: ledger.held[moved.notification_id].next_attempt_at == NOW)

    after = ledger.held[moved.notification_id]
    assert (after.state, after.clinic_id, after.attempts) == (NotificationState.QUEUED, "SOUTH", 0)


def test_the_installations_account_is_of_every_clinic_without_its_own() -> None:
    accounts = Accounts.made_of("a", [("NORTH", "a"), ("SOUTH", "b"), ("EAST", "b")])

    assert [accounts.of(clinic) for clinic in ("NORTH", "SOUTH", "EAST", "ELSEWHERE", None)] == [
        "a",
        "b",
        "b",
        "a",
        "a",
    ]
    assert accounts.every == ("a", "b")
    assert accounts == replace(accounts, own={"SOUTH": "b", "EAST": "b"})


@pytest.mark.parametrize(
    ("answer", "email", "stays"),
    [
        (NotAccepted("HTTP_401", fault=Fault.ACCOUNT), None, True),
        (NotAccepted("HTTP_401", fault=Fault.ACCOUNT), EMAIL, False),
        (NotAccepted("ConnectError"), None, False),
    ],
)
async def test_while_our_account_is_refused_a_message_without_another_channel_waits_beyond_its_budget(
    answer: CarrierResult, email: str | None, stays: bool
) -> None:
    [asking] = at("NORTH", 1)
    ledger = MemoryLedger(asking)
    ledger.visit = replace(ledger.visit, email=email)
    lane = lane_over(ledger, FakeCarrier(ledger, answer=answer), failures=1)
    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)

    [spent] = at("NORTH", 1, step_began_at=NOW - timedelta(minutes=31), step_attempts=9)
    ledger.held = {spent.notification_id: spent}
    await run_while(lane, lambda: ledger.held[spent.notification_id] == spent)

    after = ledger.held[spent.notification_id]
    assert (after.state, after.steps) == (
        (NotificationState.QUEUED, ()) if stays else (after.state, (Step(Channel.SMS, Reason.NOT_ACCEPTED),))
    )


@pytest.mark.parametrize(
    ("changes", "steps", "last"),
    [
        ({}, (), False),
        ({"email": None}, (), True),
        ({}, (Step(Channel.EMAIL, Reason.REFUSED),), True),
        ({}, (Step(Channel.EMAIL, Reason.OUTSIDE_WINDOW),), False),
    ],
)
def test_a_channel_is_the_last_if_no_other_has_an_address_and_was_not_closed(
    changes: dict[str, str | None], steps: tuple[Step, ...], last: bool
) -> None:
    found = next_channel(Kind.REMINDER, steps, visit(**changes), NOTHING_KNOWN, STARTS, NOW)

    assert isinstance(found, Open)
    assert found.last is last
