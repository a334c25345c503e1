"""Why something is refused: a code for programs, a place, and never the value itself."""

from collections.abc import Sequence

IDENTITY_CONFLICT = "IDENTITY_CONFLICT"
NOT_CLEARED = "NOT_CLEARED"
NOT_REGISTERED = "NOT_REGISTERED"
ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"

CONFLICTS = frozenset(
    {"EVENT_ID_CONFLICT", "SEQUENCE_CONFLICT", "MAIN_FILE_TAKEN", "MAIN_FILE_FIXED", "CLINIC_ZONE_FIXED"}
    | {"ALREADY_CANCELLED", "ALREADY_BEGUN", "CHANGED_MEANWHILE"}
    | {NOT_CLEARED, ILLEGAL_TRANSITION, "VISIT_CANCELLED", "KIND_SHAPE_FIXED"}
    | {"IDENTIFIER_TAKEN", "MERGED_AWAY", NOT_REGISTERED, "SAME_PATIENT", IDENTITY_CONFLICT}
)
"""Refusals that a later state of things could lift: HTTP 409."""

FOREIGN = frozenset(
    {"FOREIGN_SOURCE", "FOREIGN_CLINIC", "FOREIGN_PATIENT"}
    | {"MAY_NOT_REGISTER", "MAY_NOT_SET_POLICY", "MAY_NOT_MANAGE_CLINICS", "MAY_NOT_CLEAR", "MAY_NOT_OVERRIDE"}
)
"""Refusals for want of a right: HTTP 403. They never say whether the thing exists (G9)."""

TOO_LARGE = frozenset({"BATCH_TOO_LARGE", "BODY_TOO_LARGE"})
"""Refusals of more than the door takes at once: HTTP 413."""

VERSION_CHANGED = "VERSION_CHANGED"
"""Refusal of what was decided on another version than the one held: HTTP 412."""

UNKNOWN_CLINIC = "UNKNOWN_CLINIC"
UNKNOWN_APPOINTMENT = "UNKNOWN_APPOINTMENT"
IGNORED_MESSAGE = "IGNORED_MESSAGE"
"""Of nobody's visit: nothing is wrong, and nothing is to be done."""


class Refused(ValueError):
    """A command that is not accepted as it stands.

    Attributes:
        code: UPPER_SNAKE, stable.
        message: What is wrong and the way out; never the input.
        place: Where in the input, as a path such as `appointment.start`; empty for the whole.
        also: What else of the same input is refused, where that was looked for, and which fields were not read.
    """

    def __init__(self, code: str, message: str, place: str = "", also: Sequence["Refused"] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.place = place
        self.also = also

    @property
    def in_words(self) -> str:
        """The message with what else is wrong and where, in one line."""
        return "; also ".join((self.message, *(f"{one.place}: {one.message}".removeprefix(": ") for one in self.also)))

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        if self.code == UNKNOWN_APPOINTMENT:
            return 404
        if self.code in CONFLICTS:
            return 409
        if self.code in TOO_LARGE:
            return 413
        if self.code == VERSION_CHANGED:
            return 412
        return 403 if self.code in FOREIGN else 422


def check_version(wanted: int | None, held: int) -> None:
    """Refuse what was decided on another version than the one held.

    Args:
        wanted: None: whatever is held may be changed.
        held: 0 where nothing is.
    """
    if wanted not in {None, held}:
        message = f"version {held} is there, not {wanted}: read it and decide again"
        raise Refused(VERSION_CHANGED, message, "header.if-match")
