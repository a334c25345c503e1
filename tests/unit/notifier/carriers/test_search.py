"""Which message of the carrier's list an attempt of unknown outcome became (G5)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.carriers.twilio.domain import Listed, Unknown, found
from tests.support.notifier.builders import APPOINTMENT, NOTIFICATION, NOW

UNKNOWN = Unknown(NOTIFICATION, APPOINTMENT, b"", NOW, alone=True)
TAKEN = Listed("SM1", "delivered", NOW + timedelta(seconds=3))


def test_the_only_message_of_that_time_is_it() -> None:
    earlier = Listed("SM0", "delivered", NOW - timedelta(hours=1))
    later = Listed("SM2", "sent", NOW + timedelta(minutes=5))

    assert found(UNKNOWN, [later, TAKEN, earlier], known=()) == TAKEN


@pytest.mark.parametrize("seconds", [-31, 96])
def test_a_message_of_another_time_is_not(seconds: int) -> None:
    assert found(UNKNOWN, [replace(TAKEN, created_at=NOW + timedelta(seconds=seconds))], known=()) is None


def test_one_that_the_ledger_knows_belongs_to_another_attempt() -> None:
    assert found(UNKNOWN, [TAKEN], known={"SM1"}) is None
    assert found(UNKNOWN, [TAKEN, replace(TAKEN, reference="SM2")], known={"SM1"}) == replace(TAKEN, reference="SM2")


def test_two_that_come_into_question_settle_nothing() -> None:
    assert found(UNKNOWN, [TAKEN, replace(TAKEN, reference="SM2")], known=()) is None


def test_two_attempts_that_come_into_question_settle_nothing() -> None:
    assert found(replace(UNKNOWN, alone=False), [TAKEN], known=()) is None


def test_one_whose_time_cannot_be_read_comes_into_question_and_is_never_it() -> None:
    undated = replace(TAKEN, reference="SM2", created_at=None)

    assert found(UNKNOWN, [undated], known=()) is None
    assert found(UNKNOWN, [undated, TAKEN], known=()) is None
    assert found(UNKNOWN, [undated, TAKEN], known={"SM2"}) == TAKEN


def test_nothing_found_settles_nothing() -> None:
    assert found(UNKNOWN, [], known=()) is None
