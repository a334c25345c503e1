"""Whose word it is: a visit's, a patient's, or both, as `attend why` takes it (B1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import typer

from chassis.process.errors import AttendError
from stack.commands.service_api import PREFIX, Booking

_FILE = re.compile(r"(FILE-\d{4}-\d{6,})(-.+)?", re.IGNORECASE)
_PAGE = 1_000


@dataclass(frozen=True)
class Whose:
    """A patient as somebody names him: by his id here, by a source's, or by the number of his file."""

    patient: str
    source: str | None = None

    def visits(self, booking: Booking) -> Iterator[dict[str, Any]]:
        """Give his visits as booking tells them, the soonest first.

        Raises:
            AttendError: UNKNOWN_PATIENT, NO_ANSWER.
        """
        after = None
        while True:
            told = booking.ask(
                "GET", "/v1/appointments", patient=self.patient, source=self.source, limit=_PAGE, after=after
            )
            yield from told["items"]
            if not (after := told["next_after"]):
                return


@dataclass(frozen=True)
class Meant:
    """What a word may be.

    Attributes:
        visit: The visit's id, which may be a patient's instead if `patient` is the same.
        patient: None if the word can be no patient's.
    """

    visit: UUID | None
    patient: Whose | None


def meant(word: str) -> Meant:
    """Return what somebody names.

    Raises:
        AttendError: UNKNOWN_APPOINTMENT: neither a visit nor a patient; SEVERAL_APPOINTMENTS, NO_ANSWER.
        typer.BadParameter: No id, no beginning of one, no SOURCE:ID and no file's number.
    """
    text = word.strip()
    try:
        return Meant(UUID(text), Whose(str(UUID(text))))
    except ValueError:
        pass
    if file := _FILE.fullmatch(text):
        return Meant(None, Whose(_of_file(file[1].upper())))
    source, colon, source_id = text.partition(":")
    if colon and source and source_id:
        return _by_source(text, source, source_id)
    if not PREFIX.fullmatch(text):
        raise typer.BadParameter("neither an id, nor 8 characters of a visit's, nor SOURCE:ID, nor a file's number")
    return Meant(_beginning(text, Booking.here()), None)


def visit_named(word: str, booking: Booking) -> UUID:
    """Return the id of the visit that somebody names, as whoever asks booking sees it.

    Raises:
        AttendError: UNKNOWN_APPOINTMENT, SEVERAL_APPOINTMENTS, FOREIGN_SOURCE, NO_ANSWER.
        typer.BadParameter: No id, no beginning of one and no SOURCE:ID.
    """
    text = word.strip()
    try:
        return UUID(text)
    except ValueError:
        pass
    source, colon, source_id = text.partition(":")
    if colon and source and source_id:
        return UUID(booking.ask("GET", "/v1/appointments", source=source, id=source_id)["appointment_id"])
    if not PREFIX.fullmatch(text):
        raise typer.BadParameter("neither a visit's id, nor 8 characters of it, nor SOURCE:ID")
    return _beginning(text, booking)


def _by_source(text: str, source: str, source_id: str) -> Meant:
    booking = Booking.here()
    whose = Whose(source_id, source)
    visit = _unless(
        "UNKNOWN_APPOINTMENT",
        lambda: UUID(booking.ask("GET", "/v1/appointments", source=source, id=source_id)["appointment_id"]),
    )
    visits = _unless("UNKNOWN_PATIENT", lambda: next(whose.visits(booking), {}))
    if visit is None and visits is None:
        raise AttendError("UNKNOWN_APPOINTMENT", f"{text} is neither a visit nor a patient of that source")
    return Meant(visit, None if visits is None else whose)


def _unless[T](code: str, ask: Any) -> T | None:
    """Return the answer; None if it is this refusal."""
    try:
        found: T = ask()
    except AttendError as error:
        if error.code != code:
            raise
        return None
    return found


def _of_file(number: str) -> str:
    """Return the id of the patient whose main file has this number."""
    return str(Booking.here().ask("GET", f"/v1/patients/{number}")["patient_id"])


def _beginning(text: str, booking: Booking) -> UUID:
    told: dict[str, Any] = booking.ask("GET", "/v1/appointments", prefix=quote(text, safe="-"))
    found = [item["appointment_id"] for item in told["items"]]
    if not found:
        raise AttendError("UNKNOWN_APPOINTMENT", f"no appointment's id begins with {text}")
    if len(found) > 1:
        each = "".join(f"\n  {one}" for one in found)
        raise AttendError("SEVERAL_APPOINTMENTS", f"{text} is the beginning of several:{each}")
    return UUID(found[0])
