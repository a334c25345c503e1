"""How `attend why` looks, and how a visit may be named (B1)."""

import io
from typing import Any
from uuid import UUID

import pytest
import typer
from rich.console import Console

from stack.commands.plain import plain
from stack.commands.why_named import meant
from stack.commands.why_view import style, timeline

APPOINTMENT = "01890000-0000-7000-8000-000000000001"
TOLD: dict[str, Any] = {
    "appointment_id": APPOINTMENT, "source": "emr", "source_id": "a-1", "status": "booked", "zone": "Europe/Berlin",
    "answer": {"got": [], "may_have_got": [], "to_come": [], "did_not_get": ["confirmation"],
               "text": "The patient got nothing."},
    "missing": [{"service": "records", "code": "TIMEOUT"}],
    "entries": [
        {"at": "2027-03-01T09:00:00Z", "source": "booking", "what": "visit.booked", "text": "booked",
         "reason": None, "caused_by": "e", "ids": {}},
        {"at": "2027-03-01T09:00:01Z", "source": "notifier", "what": "message.skipped", "text": "not sent: no contact",
         "reason": "NO_CONTACT", "caused_by": "e", "ids": {}},
    ],
}  # fmt: skip


def printed(width: int, told: dict[str, Any] = TOLD) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    for part in timeline(told, width):
        console.print(part)
    return out.getvalue().splitlines()


def test_b1_times_are_of_the_clinics_wall_and_the_last_line_is_the_answer() -> None:
    lines = printed(120)

    assert "2027-03-01 10:00:00" in lines[2]
    assert "NO_CONTACT" in lines[3]
    assert lines[-2] == "records did not answer: TIMEOUT"
    assert lines[-1] == "The patient got nothing."


def test_what_lacks_before_check_in_stands_above_the_answer() -> None:
    lack = {"kind": "consent", "form": "mri", "code": "OLD_FORM", "title": "Consent form"}
    assert printed(120, {**TOLD, "lacking": [lack]})[-2] == "Before check-in the visit lacks: Consent form (old form)"


LET_IN = {"text": "Let in although the visit lacked Payment (missing), by override of Ms Desk (local): poor"}
LACK = {"kind": "financial", "form": None, "code": "MISSING", "title": "Payment"}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"let_in": {**LET_IN, "lacking": [LACK]}, "lacking": [LACK]}, LET_IN["text"]),
        ({"let_in": {**LET_IN, "lacking": [LACK]}, "lacking": []}, LET_IN["text"]),
        (
            {"let_in": {**LET_IN, "lacking": []}, "lacking": [LACK]},
            "The patient is in; the visit lacks now: Payment (missing)",
        ),
        ({"let_in": None, "lacking": [LACK]}, "The patient is in; the visit lacks now: Payment (missing)"),
        ({"let_in": {**LET_IN, "lacking": []}, "lacking": []}, "records did not answer: TIMEOUT"),
    ],
)
def test_of_who_is_in_it_is_said_how_he_came_in_and_not_what_lacks_before(told: dict[str, Any], line: str) -> None:
    assert printed(140, {**TOLD, "status": "checked-in", **told})[-2] == line


def test_b1_in_a_narrow_terminal_the_reason_stands_behind_the_sentence() -> None:
    assert any("not sent: no contact [NO_CONTACT]" in line for line in printed(90))


@pytest.mark.parametrize(
    ("what", "colour"),
    [("call.accepted", "green"), ("call.unknown", "magenta"), ("message.skipped", "yellow"), ("message.failed", "red")],
)
def test_b1_an_outcome_has_its_colour(what: str, colour: str) -> None:
    assert style(what) == colour


def test_b1_an_id_is_taken_as_it_is() -> None:
    assert meant(f" {APPOINTMENT} ").visit == UUID(APPOINTMENT)


@pytest.mark.parametrize("words", ["", "0189", "emr:", ":a-1", "not-an-id", "FILE-27-1", "PATIENT 7"])
def test_b1_what_names_no_visit_is_refused_before_anybody_is_asked(words: str) -> None:
    with pytest.raises(typer.BadParameter):
        meant(words)


def test_words_from_outside_are_shown_and_never_obeyed() -> None:
    assert plain("[red]Ada[/red] \x1b[2J\u202eabc").plain == "[red]Ada[/red] \ufffd[2J\ufffdabc"
