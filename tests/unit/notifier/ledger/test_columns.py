"""The columns of the ledger, of which every statement over whole messages is made."""

from dataclasses import fields

from notifier.ledger.columns import CHANGING, COLUMNS, COPIED, INSERTED, KEY, WRITTEN, arrays, listed
from notifier.ledger.domain.notification import Notification
from notifier.ledger.statements import INSERT, WRITE


def test_every_field_of_a_message_is_a_column_once() -> None:
    assert sorted(column.name for column in COLUMNS) == sorted(field.name for field in fields(Notification))


def test_what_makes_a_message_what_it_is_is_given_at_first_and_never_changes() -> None:
    fixed = {column.name for column in COLUMNS if not column.changes}

    assert fixed == {
        "notification_id", "recipient", "appointment_id", "schedule_gen", "reminder_id", "caused_by", "ordinal",
    }  # fmt: skip
    assert fixed <= {column.name for column in INSERTED}
    assert {column.name for column in INSERTED} - {column.name for column in COPIED} == {"steps"}
    assert (KEY.name, WRITTEN) == ("notification_id", (KEY, *CHANGING))


def test_a_statement_has_a_parameter_for_each_column_and_its_own_after_them() -> None:
    assert listed(COLUMNS[:2]) == "notification_id, kind"
    steps = next(column for column in COLUMNS if column.name == "steps")
    assert arrays((KEY, steps)) == "$1::uuid[], $2::text[]::jsonb[]"
    assert f"${len(INSERTED) + 1}, ${len(INSERTED) + 1}" in INSERT
    assert f"changed_at = ${len(WRITTEN) + 1}," in WRITE
    assert f"${len(WRITTEN) + 2}::interval" in WRITE
