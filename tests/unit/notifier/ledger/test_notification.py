"""A row of the ledger, changed."""

from dataclasses import fields, replace

import pytest

from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import notification


def test_a_row_changed_in_some_fields_is_what_replace_would_make() -> None:
    held = notification(reason=Reason.LIMIT)
    changes = {"kind": Kind.MOVED, "state": NotificationState.SKIPPED, "version": 4, "reason": None}

    assert held.but(**changes) == replace(held, **changes)  # type: ignore[arg-type]  # the test's own names
    assert held.but() == held
    assert {field.name for field in fields(Notification)} == set(Notification.__slots__)


def test_a_field_that_it_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        notification().but(reasons=None)
