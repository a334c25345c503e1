"""Where each field of a command came from, for whoever asks that a message be explained (0063)."""

from typing import NamedTuple


class Took(NamedTuple):
    """One value, and where it was found.

    Attributes:
        field: Of the command, `person.…` of what it says of its patient.
        place: Where in the input, as a path; empty: it stands nowhere in it.
        knob: The key of the source's profile by which it was found there; empty: none decides.
        rule: By which rule it became what it is, in words; never the input.
    """

    field: str
    place: str
    knob: str = ""
    rule: str = ""


type Trail = list[Took]
"""In the order in which the values were found."""
