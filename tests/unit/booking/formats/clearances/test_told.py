"""A batch of other systems' clearances: each is answered for itself, in places that its sender knows."""

import pytest

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.kinds import State
from booking.door.domain import Client
from booking.formats.clearances.handle import give_told
from booking.formats.clearances.http import CODES
from booking.formats.clearances.plain import place_of
from booking.formats.clearances.told import ToldClearance
from booking.values.refusals import Refused
from tests.unit.booking.clearances.fakes import MemoryClearances
from tests.unit.booking.clearances.made import NOW, VISIT

SENDER = Client("local", ("local",), may_clear=True)


def told(key: str, *visits: str, patient: str | None = None, amount: int | None = None) -> ToldClearance:
    command = GiveClearance(
        "local", key, key.encode(), ("local", visits[0]), "financial", State.CLEARED, patient,
        amount_minor=amount, currency=None if amount is None else "GBP",
    )  # fmt: skip
    return ToldClearance(command, "local", visits, () if patient is None else (patient,), place_of)


async def given(*several: ToldClearance, client: Client = SENDER) -> list[tuple[str, str, str]]:
    """Return key, result or code, and place of each answer."""
    answers = await give_told(MemoryClearances(), several, {"local": client}, NOW)
    return [
        (a.key, a.refusal.code if a.refusal else str(a.result), a.refusal.place if a.refusal else "") for a in answers
    ]


async def test_each_is_answered_in_its_place_and_none_keeps_another_from_being_taken() -> None:
    several = (
        told("1", "a-9"),
        told("2", "Appointment/a-1"),
        told("3", "a-1", patient="bob"),
        told("4", "https://h/Appointment/a-1", "Appointment/a-1", patient="Patient/p-1", amount=5),
        told("5", "a-1", amount=-5),
    )
    assert await given(*several) == [
        ("1", "UNKNOWN_APPOINTMENT", "appointment.id"),
        ("2", "applied", ""),
        ("3", "CONSENT_OF_ANOTHER", "clearance.patient"),
        ("4", "applied", ""),
        ("5", "NEGATIVE_AMOUNT", "clearance.amount_minor"),
    ]


async def test_a_patient_may_be_named_by_our_own_id() -> None:
    assert await given(told("1", "a-1", patient=str(VISIT.patient_id))) == [("1", "applied", "")]


@pytest.mark.parametrize(
    ("client", "code"),
    [
        (Client("local", ("local",)), "MAY_NOT_CLEAR"),
        (Client("local", ("local",), ("OTHER",), may_clear=True), "UNKNOWN_APPOINTMENT"),
    ],
)
async def test_g9_a_client_clears_visits_that_it_sees_if_it_may(client: Client, code: str) -> None:
    assert [one[1] for one in await given(told("1", "a-1"), client=client)] == [code]


@pytest.mark.parametrize("status", [403, 404, 409, 422])
def test_a_refusal_is_described_under_the_status_that_it_is_answered_with(status: int) -> None:
    assert {code: Refused(code, "").status for code in CODES[status]} == dict.fromkeys(CODES[status], status)
