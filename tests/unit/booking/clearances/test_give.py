"""Words about clearances, taken in batches: each is answered for itself, and the same again has no second effect."""

from typing import Any
from uuid import UUID

import pytest

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.kinds import State
from booking.clearances.domain.policy import Requirement
from booking.clearances.handle import ClearanceAnswer, give
from booking.door.domain import Client
from schemas.appointments import Status
from tests.unit.booking.clearances.fakes import MemoryClearances
from tests.unit.booking.clearances.made import NOW, VISIT, consent, policy, word

DESK = Client("desk", ("local",), may_clear=True)
CONSENT = policy(Requirement("consent", "mri"))


async def said(store: MemoryClearances, *words: GiveClearance, client: Client = DESK) -> list[ClearanceAnswer]:
    """Return the answers to these words, numbered."""
    numbered = [one if one.key != "e-1" else one._replace(key=f"e-{n}") for n, one in enumerate(words)]
    return await give(store, numbered, {client.client_id: client}, NOW)


def codes(answers: list[ClearanceAnswer]) -> list[str | None]:
    """Return what became of each."""
    return [str(one.refusal.code) if one.refusal else str(one.result) for one in answers]


async def test_each_word_of_a_batch_is_answered_for_itself_and_what_changed_is_told() -> None:
    store = MemoryClearances(CONSENT)
    answers = await said(store, word(), word(amount_minor=1), consent(), word(), consent(State.WITHDRAWN))
    assert codes(answers) == ["applied", "NOT_OF_THIS_KIND", "applied", "repeat", "applied"]
    assert store.told == [(1, True), (2, True), (3, True)]
    assert [w.result.value for w in store.words] == ["applied", "applied", "repeat", "applied"]


async def test_the_same_event_again_has_no_second_effect_and_is_answered_as_then() -> None:
    store = MemoryClearances()
    first = consent()._replace(key="c-1", body_sha256=b"1")
    back = consent(State.WITHDRAWN)._replace(key="c-2", body_sha256=b"2")
    assert codes(await said(store, first, first)) == ["applied", "repeat"]
    await said(store, back)
    (again,) = await said(store, first)
    assert (codes([again]), again.taken and again.taken.version) == (["repeat"], 1)
    assert codes(await said(store, first._replace(body_sha256=b"3"))) == ["EVENT_ID_CONFLICT"]
    assert len(store.words) == 2


async def test_the_same_event_of_another_visit_is_a_conflict_and_no_repeat() -> None:
    here, there = MemoryClearances(), MemoryClearances(visit=VISIT._replace(appointment_id=UUID(int=99)))
    await said(here, word())
    there.words = here.words
    assert codes(await said(there, word()._replace(visit=UUID(int=99)))) == ["EVENT_ID_CONFLICT"]


ODD: list[tuple[GiveClearance, Client, str]] = [
    (word(), Client("desk", ("local",)), "MAY_NOT_CLEAR"),
    (word(), Client("desk", ("other",), may_clear=True), "UNKNOWN_APPOINTMENT"),
    (word(), Client("desk", ("local",), ("EYE",), may_clear=True), "UNKNOWN_APPOINTMENT"),
    (word()._replace(visit=("local", "a-2")), DESK, "UNKNOWN_APPOINTMENT"),
    (word()._replace(visit=("local", "a-1")), DESK, "applied"),
    (word(patient="p-1"), DESK, "applied"),
    (word(patient=str(VISIT.patient_id)), DESK, "applied"),
    (word(patient="p-2"), DESK, "CONSENT_OF_ANOTHER"),
]


@pytest.mark.parametrize(("command", "client", "code"), ODD)
async def test_who_may_say_what_of_which_visit(command: GiveClearance, client: Client, code: str) -> None:
    assert codes(await said(MemoryClearances(), command, client=client)) == [code]


async def test_a_version_of_a_form_that_the_clinic_never_named_is_unknown() -> None:
    store = MemoryClearances(policy(Requirement("consent", "mri", ("1",))))
    assert codes(await said(store, consent(form_version="2"), consent(form_version="1"))) == [
        "UNKNOWN_FORM_VERSION", "applied",
    ]  # fmt: skip


FLAGS: list[tuple[tuple[Any, ...], Status, bool]] = [
    ((consent(), consent(State.WITHDRAWN)), Status.BOOKED, True),
    ((consent(State.PENDING),), Status.BOOKED, False),
    ((consent(State.WITHDRAWN), consent()), Status.BOOKED, False),
    ((consent(State.WITHDRAWN),), Status.CANCELLED, False),
    ((consent(), consent(State.WITHDRAWN)), Status.FULFILLED, False),
    ((consent(), consent(State.WITHDRAWN)), Status.NOSHOW, False),
    ((consent(), consent(State.PENDING)), Status.BOOKED, True),
]


@pytest.mark.parametrize(("words", "status", "is_flagged"), FLAGS)
async def test_a_visit_is_on_the_work_list_while_something_was_taken_back(
    words: tuple[GiveClearance, ...], status: Status, is_flagged: bool
) -> None:
    store = MemoryClearances(CONSENT, VISIT._replace(status=status))
    for number, one in enumerate(words):
        await said(store, one._replace(key=f"w-{number}"))
    assert bool(store.flagged) == is_flagged
