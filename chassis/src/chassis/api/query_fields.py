"""What the routes of every service may be asked with: instants, and a line of text such as who does something."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints

from chassis.api.page_cursor import FIRST, LAST

Moment = Annotated[AwareDatetime, Field(ge=FIRST, le=LAST)]
"""An instant that PostgreSQL and every zone can tell."""


def _without_pattern(schema: dict[str, Any]) -> None:
    """Leave the pattern out of the description: few of those who read one know Unicode's classes."""
    schema.pop("pattern", None)


_PRINTS = r"^[^\p{C}\p{Zl}\p{Zp}]*$"

Line = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=80, pattern=_PRINTS),
    Field(json_schema_extra=_without_pattern),
]
"""A name or a label that a person gives, as a log, a terminal or a list may show it.

Each character prints: there is no NUL, which the database does not take, no escape that a terminal would obey, no
second line, and no mark that turns the direction of writing.
"""

By = Annotated[Line, Field(description="Who does it, for the log.", examples=["A. Abara"])]
"""Who does something."""
