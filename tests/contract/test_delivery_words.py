"""`unknown` beside SENT or accepted is explained wherever an API shows it (D17)."""

import pytest
from pydantic import BaseModel

from notifier.ledger.bodies import AttemptView, NotificationView
from reminders.projector.pages import Entry, ReminderView


@pytest.mark.parametrize("shown", [AttemptView, NotificationView, Entry, ReminderView])
def test_d17_what_unknown_means_is_in_the_description_of_each_answer_that_has_it(shown: type[BaseModel]) -> None:
    described = shown.model_json_schema()["properties"]["delivery_state"]["description"]

    assert "`unknown`" in described
    assert "does not mean that anything went wrong" in described
