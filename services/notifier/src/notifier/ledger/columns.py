"""The columns of the table `notification`, once: what is read, inserted, copied and written back follows from them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column; it has the name of the field of `Notification`.

    Attributes:
        type: What a statement is given for it, as an array's elements.
        given_at_first: Whether a new row is given it; the others begin as the table says.
    """

    name: str
    type: str
    given_at_first: bool = True
    changes: bool = True


COLUMNS = (
    Column("notification_id", "uuid", changes=False),
    Column("kind", "text"),
    Column("recipient", "text", changes=False),
    Column("appointment_id", "uuid", changes=False),
    Column("schedule_gen", "int", changes=False),
    Column("reminder_id", "uuid", changes=False),
    Column("caused_by", "text", changes=False),
    Column("state", "text"),
    Column("lane", "text"),
    Column("not_after", "timestamptz"),
    Column("next_attempt_at", "timestamptz"),
    Column("version", "int"),
    Column("attempts", "int", given_at_first=False),
    Column("attempt_id", "uuid", given_at_first=False),
    Column("reason", "text"),
    Column("clinic_id", "text"),
    Column("ordinal", "int", changes=False),
    Column("steps", "jsonb"),
    Column("step_began_at", "timestamptz", given_at_first=False),
    Column("step_attempts", "int", given_at_first=False),
    Column("accepted_at", "timestamptz"),
    Column("delivery_state", "text", given_at_first=False),
    Column("replaces", "uuid"),
    Column("recipient_id", "uuid"),
    Column("said_starts_at", "timestamptz"),
    Column("said_at", "timestamptz"),
)
KEY = COLUMNS[0]
INSERTED = tuple(column for column in COLUMNS if column.given_at_first)
COPIED = tuple(column for column in INSERTED if column.type != "jsonb")
"""What jsonb keeps out of a COPY begins as the table says too."""
CHANGING = tuple(column for column in COLUMNS if column.changes)
WRITTEN = (KEY, *CHANGING)


def listed(columns: tuple[Column, ...]) -> str:
    """Return the names as a statement lists them."""
    return ", ".join(column.name for column in columns)


def arrays(columns: tuple[Column, ...]) -> str:
    """Return the parameters from `$1` on, each the array of a column; an array of jsonb comes as texts."""
    types = ("text[]::jsonb" if column.type == "jsonb" else column.type for column in columns)
    return ", ".join(f"${number}::{each}[]" for number, each in enumerate(types, 1))
