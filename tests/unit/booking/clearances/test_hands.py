"""A word that names no patient counts for him whose visit it was as it was said, and for nobody else."""

from datetime import datetime
from uuid import UUID

import pytest

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.hands import Hand, whose
from booking.clearances.domain.kinds import State
from booking.clearances.domain.policy import Requirement
from booking.clearances.handle import give
from booking.door.domain import Client
from tests.unit.booking.clearances.fakes import MERGED, MemoryClearances
from tests.unit.booking.clearances.made import DAY, HOUR, NOW, VISIT, consent, policy, word

DESK = Client("desk", ("local",), may_clear=True)
FIRST, SECOND = UUID(int=8), VISIT.patient_id
BEFORE, AFTER = NOW - 3 * HOUR, NOW - HOUR
GIVEN_AT = NOW - 2 * HOUR


def store() -> MemoryClearances:
    """Return the store of a visit that was given to its patient two hours ago."""
    found = MemoryClearances(policy(Requirement("consent", "mri")), VISIT._replace(version=2))
    found.was, found.since = [Hand(FIRST)], GIVEN_AT
    return found


async def said(found: MemoryClearances, command: GiveClearance, now: datetime = NOW) -> str:
    """Return what became of a word."""
    [answer] = await give(found, [command], {"desk": DESK}, now)
    return str(answer.refusal.code) if answer.refusal else str(answer.result)


ANOTHERS = "CONSENT_OF_ANOTHER"
WORDS = [
    ("paid before", word(said_at=BEFORE), ANOTHERS),
    ("paid a second before", word(said_at=GIVEN_AT - (NOW - GIVEN_AT) / 7200), ANOTHERS),
    ("paid as it was given", word(said_at=GIVEN_AT), "applied"),
    ("paid after", word(said_at=AFTER), "applied"),
    ("paid, at no time that is told", word(), "applied"),
    ("paid, by a clock that is days ahead", word(said_at=NOW + DAY), "applied"),
    ("asked for before", word(state=State.PENDING, said_at=BEFORE), ANOTHERS),
    ("signed before, told after", consent(signed_at=BEFORE, said_at=AFTER), ANOTHERS),
    ("signed before, told at no time", consent(signed_at=BEFORE), ANOTHERS),
    ("signed after", consent(signed_at=AFTER), "applied"),
    ("signed before, by the present one", consent(signed_at=BEFORE, patient="p-1"), "applied"),
    ("paid before, by the present one", word(said_at=BEFORE, patient=str(SECOND)), "applied"),
    ("paid before, by him under a name that was merged", word(said_at=BEFORE, patient=str(MERGED)), "applied"),
    ("paid after, by the first one", word(said_at=AFTER, patient=str(FIRST)), ANOTHERS),
    ("withdrawn before", consent(State.WITHDRAWN, said_at=BEFORE), ANOTHERS),
    ("withdrawn before by its own time", consent(State.WITHDRAWN, withdrawn_at=BEFORE), ANOTHERS),
    ("withdrawn after, signed before", consent(State.WITHDRAWN, signed_at=BEFORE, withdrawn_at=AFTER), "applied"),
    ("refused before", word(state=State.REFUSED, said_at=BEFORE), ANOTHERS),
]


@pytest.mark.parametrize(("command", "became"), [one[1:] for one in WORDS], ids=[one[0] for one in WORDS])
async def test_a_word_without_a_patient_is_his_whose_visit_it_was(command: GiveClearance, became: str) -> None:
    found = store()
    assert await said(found, command) == became
    assert [one.said.patient_id for one in found.words] == [SECOND] * (became == "applied")


async def test_a_refusal_says_the_way_out() -> None:
    [answer] = await give(store(), [word(said_at=BEFORE)], {"desk": DESK}, NOW)
    assert answer.refusal is not None
    assert (answer.refusal.place, "name him" in answer.refusal.message) == ("patient", True)


BACK = [
    ("that names nobody", {"said_at": BEFORE}),
    ("that names him", {"patient": str(FIRST)}),
]


@pytest.mark.parametrize("told", [one[1] for one in BACK], ids=[one[0] for one in BACK])
async def test_a_withdrawal_takes_back_what_he_gave_whose_visit_it_was(told: dict[str, object]) -> None:
    """He may get the visit back, and his consent must not clear it then. It is nothing of the present patient's."""
    found = MemoryClearances(policy(Requirement("consent", "mri")), VISIT._replace(patient_id=FIRST))
    assert await said(found, consent(), BEFORE - HOUR) == "applied"
    found.visit, found.was, found.since = store().visit, store().was, GIVEN_AT

    back = consent(State.WITHDRAWN, **told)._replace(key="e-2")
    assert await said(found, back) == "applied"

    assert [(w.said.state, w.said.patient_id, w.takes_away) for w in found.words[1:]] == [
        (State.WITHDRAWN, FIRST, False)
    ]
    assert not found.flagged


HANDS = [Hand(FIRST), Hand(SECOND, GIVEN_AT), Hand(FIRST, NOW)]


@pytest.mark.parametrize(
    ("at", "his"), [(BEFORE, FIRST), (GIVEN_AT, SECOND), (AFTER, SECOND), (NOW, FIRST), (NOW + DAY, FIRST)]
)
def test_whose_a_visit_was(at: datetime, his: UUID) -> None:
    assert whose(HANDS, at) == his
