"""Which of two words about a clearance counts."""

from datetime import timedelta
from uuid import UUID

import pytest

from booking.clearances.domain.clearance import ClearanceResult, decide
from booking.clearances.domain.kinds import State
from booking.values.refusals import Refused
from tests.unit.booking.clearances.made import DAY, HOUR, NOW, consent, held, word

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def test_the_first_word_is_applied_and_the_same_again_changes_nothing() -> None:
    first = decide({}, consent(), NOW)
    again = decide(held(consent()), consent(), NOW + HOUR)
    assert (first.result, first.held.version) == (ClearanceResult.APPLIED, 1)
    assert (again.result, again.held.version) == (ClearanceResult.REPEAT, 1)


def test_what_was_said_for_another_patient_is_neither_repeated_nor_later_but_counted() -> None:
    found = held(consent(), consent(State.WITHDRAWN, form="surgery"))
    mine = decide(found, consent(said_at=NOW - HOUR), NOW + HOUR, UUID(int=7))
    assert (mine.result, mine.held.version, mine.held.patient_id) == (ClearanceResult.APPLIED, 3, UUID(int=7))


def test_the_version_counts_what_changed_over_all_kinds_of_the_visit() -> None:
    found = held(word(), consent(), consent(State.WITHDRAWN))
    assert [one.version for one in found.values()] == [1, 3]


def test_what_was_said_earlier_is_stale_whenever_it_comes() -> None:
    late = decide(held(consent(State.WITHDRAWN, said_at=NOW - HOUR)), consent(said_at=NOW - 2 * HOUR), NOW + DAY)
    assert (late.result, late.held.state) == (ClearanceResult.STALE, State.WITHDRAWN)
    assert [warned.code for warned in late.warnings] == ["STALE"]


def test_what_says_no_time_stands_at_its_arrival_and_clocks_may_differ() -> None:
    found = held(consent())
    slow = decide(found, consent(State.WITHDRAWN, said_at=NOW - 2 * SECOND), NOW + SECOND)
    old = decide(found, consent(State.WITHDRAWN, said_at=NOW - HOUR), NOW + SECOND)
    assert (slow.result, old.result) == (ClearanceResult.APPLIED, ClearanceResult.STALE)


def test_a_clock_that_is_slow_does_not_give_again_what_was_taken_back() -> None:
    found = held(consent(), consent(State.WITHDRAWN))
    given = decide(found, consent(said_at=NOW - 4 * MINUTE), NOW + MINUTE)
    assert (given.result, given.held.state) == (ClearanceResult.STALE, State.WITHDRAWN)


def test_what_is_taken_back_by_a_slow_clock_stands_no_earlier_than_what_it_takes() -> None:
    slow = decide(held(consent()), consent(State.WITHDRAWN, said_at=NOW - 4 * MINUTE), NOW + MINUTE).held
    given = decide({("consent", "mri"): slow}, consent(said_at=NOW - 3 * MINUTE), NOW + 2 * MINUTE)
    assert (slow.state, given.result) == (State.WITHDRAWN, ClearanceResult.STALE)


def test_a_time_of_the_future_does_not_make_the_true_word_that_follows_look_old() -> None:
    first = decide({}, consent(said_at=NOW + DAY), NOW)
    then = decide({("consent", "mri"): first.held}, consent(State.WITHDRAWN, said_at=NOW + HOUR), NOW + HOUR)
    assert [warned.code for warned in first.warnings] == ["FUTURE_TIME"]
    assert then.result is ClearanceResult.APPLIED


def test_a_repeat_that_was_said_later_keeps_what_was_said_between_stale() -> None:
    found = held(consent(said_at=NOW - 3 * HOUR))
    again = decide(found, consent(said_at=NOW - HOUR), NOW)
    between = decide({("consent", "mri"): again.held}, consent(State.WITHDRAWN, said_at=NOW - 2 * HOUR), NOW)
    assert (again.result, between.result) == (ClearanceResult.REPEAT, ClearanceResult.STALE)


def test_a_repeat_that_says_no_time_stands_at_its_own_arrival() -> None:
    found = held(consent(), consent(State.WITHDRAWN), at=NOW - 4 * HOUR)
    again = decide(found, consent(State.WITHDRAWN), NOW)
    between = decide({("consent", "mri"): again.held}, consent(said_at=NOW - HOUR), NOW + HOUR)
    assert (again.result, again.held.version, between.result) == (ClearanceResult.REPEAT, 2, ClearanceResult.STALE)


def test_a_repeat_that_was_said_earlier_moves_nothing_back() -> None:
    again = decide(held(consent(State.WITHDRAWN)), consent(State.WITHDRAWN, said_at=NOW - MINUTE), NOW + HOUR)
    assert (again.result, again.held.stands_at) == (ClearanceResult.REPEAT, NOW)


def test_a_withdrawal_keeps_what_was_signed_and_says_since_when() -> None:
    withdrawn = decide(held(consent()), consent(State.WITHDRAWN, signed_at=None, signed_by=None), NOW + HOUR).held
    assert (withdrawn.signed_at, withdrawn.withdrawn_at) == (NOW - DAY, NOW + HOUR)


def test_a_withdrawal_that_names_no_form_takes_the_only_one_back() -> None:
    taken = decide(held(consent()), consent(State.WITHDRAWN, form=None), NOW).held
    assert (taken.form, taken.state) == ("mri", State.WITHDRAWN)


def test_a_withdrawal_that_names_no_form_takes_back_the_one_that_clears() -> None:
    found = held(consent(State.PENDING, form=None), consent(), consent(State.REFUSED, form="surgery"))
    assert decide(found, consent(State.WITHDRAWN, form=None), NOW).held.form == "mri"


@pytest.mark.parametrize("other", ["surgery", None])
def test_a_withdrawal_that_names_no_form_of_several_is_refused_and_not_guessed(other: str | None) -> None:
    with pytest.raises(Refused) as refused:
        decide(held(consent(), consent(form=other)), consent(State.WITHDRAWN, form=None), NOW)
    assert (refused.value.code, refused.value.place) == ("MISSING_FIELD", "form")
