"""How a clinic's day looks, and what its desk did with it (0049)."""

import io
from typing import Any, cast

import pytest
import typer
from rich.console import Console

from stack.commands import day_view as view
from stack.commands.day import Desk, order
from stack.commands.service_api import Booking


def printed(*parts: Any, width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    for part in parts:
        console.print(part, markup=False)
    return out.getvalue()


def visit(number: int, **given: Any) -> dict[str, Any]:
    return {
        "appointment_id": f"id-{number}", "starts_local": f"2027-03-12T1{number}:00:00", "source_id": f"v-{number}",
        "status": "booked", "patient_id": f"p-{number}", "patient_name": "Ann Onymous",
        "patient_mobile": "+447700900123", "patient_withheld": None, "provider_id": "dr", "provider_name": "Dr Who",
        "service_type": "Check", **given,
    }  # fmt: skip


def result(number: int, **given: Any) -> dict[str, Any]:
    return {
        "appointment_id": f"id-{number}", "starts_local": f"2027-03-12T1{number}:00:00", "source_id": f"v-{number}",
        "patient_id": f"p-{number}", "new_starts_local": None, "result": "applied", "reminders_cancelled": 2,
        "told": ["patient", "provider"], "code": None, "detail": None, **given,
    }  # fmt: skip


def told(*results: dict[str, Any], act: str = "cancel", next_after: int | None = None) -> dict[str, Any]:
    return {
        "act": act, "visits": 3, "results": list(results), "next_after": next_after,
        "totals": {
            "applied": sum(one["result"] == "applied" for one in results), "repeat": 0,
            "refused": sum(one["result"] is None for one in results),
            "reminders_cancelled": sum(one["reminders_cancelled"] or 0 for one in results),
            "patients_told": len({one["patient_id"] for one in results if one["told"]}), "providers_told": 1,
        },
    }  # fmt: skip


ARRIVED = result(2, result=None, reminders_cancelled=None, told=[], code="ALREADY_BEGUN", detail="the visit is arrived")


def test_a_day_is_shown_with_names_that_do_what_they_are() -> None:
    hidden = visit(1, patient_name=None, patient_mobile=None, patient_withheld="FOREIGN_PATIENT", provider_name=None)
    shown = printed(view.visits([visit(0, patient_name="[red]Ann"), hidden]), width=200)

    assert "10:00  [red]Ann" in shown
    assert "(FOREIGN_PATIENT)" in shown
    assert view.counted([visit(0), visit(1, status="arrived"), visit(1)]) == (
        "3 visits of 2 patients: 2 booked, 1 arrived."
    )


def test_nothing_is_cut_on_a_narrow_terminal() -> None:
    shown = printed(view.order(told(result(0), ARRIVED), [visit(0)]), width=60)

    assert "\u2026" not in shown


def test_what_would_be_and_what_was_are_sentences_with_counts() -> None:
    asked = {"clinic": "EYE", "day": "2027-03-12"}

    assert view.would(told(result(0), ARRIVED), asked) == (
        "EYE on 2027-03-12, nothing is changed yet: 1 visit cancelled, 1 left as they are; 2 reminders taken back; "
        "1 patient and 1 provider to be told."
    )
    assert view.summary(told(result(0), result(1)), 3, 0.42).endswith(
        "2 patients and 1 provider to be told. 3 calls, 0.4 s."
    )
    assert view.not_done(told(result(0))) == []
    assert "v-2" in printed(*view.not_done(told(result(0), ARRIVED)), width=200)


def test_a_move_shows_where_to() -> None:
    moved = result(0, new_starts_local="2027-03-15T10:00:00")

    assert "2027-03-15 10:00" in printed(view.order(told(moved, act="move"), []), width=200)


def test_pages_are_one_answer_and_a_patient_on_two_of_them_is_one() -> None:
    first, second = told(result(0), next_after=1), told(result(1, patient_id="p-0"), ARRIVED)

    whole = view.together(view.together({}, first), second)

    assert len(whole["results"]) == 3
    assert whole["next_after"] is None
    assert whole["totals"] == {
        "applied": 2, "repeat": 0, "refused": 1, "reminders_cancelled": 4, "patients_told": 1, "providers_told": 1,
    }  # fmt: skip


class NoVisits:
    """Booking, which finds none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, method: str, path: str, _body: object = None, **_query: Any) -> Any:
        self.asked.append(f"{method} {path}")
        return {**told(act=path.rpartition("/")[2]), "visits": 0}


NOT_AS_ASKED = "No visit that is as asked lies ahead at EYE on 2027-03-12."


@pytest.mark.parametrize(
    ("act", "which", "said"),
    [
        ("cancel", {}, "No visit lies ahead at EYE on 2027-03-12. Nothing is cancelled."),
        ("move", {"to_day": "2027-03-15"}, "No visit lies ahead at EYE on 2027-03-12. Nothing is moved."),
        ("cancel", {"reason": "ill", "by": "x"}, "No visit lies ahead at EYE on 2027-03-12. Nothing is cancelled."),
        ("cancel", {"provider": "dr"}, f"{NOT_AS_ASKED} Nothing is cancelled."),
        ("move", {"status": ["booked"], "by_minutes": 30}, f"{NOT_AS_ASKED} Nothing is moved."),
        ("cancel", {"source": "pms", "reason": "ill", "by": "x"}, f"{NOT_AS_ASKED} Nothing is cancelled."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", [{"dry_run": True, "yes": False}, {"dry_run": False, "yes": False},
                                 {"dry_run": False, "yes": True}])  # fmt: skip
def test_an_order_that_finds_no_visit_says_so_asks_nothing_and_is_no_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    act: str, which: dict[str, Any], said: str, how: dict[str, bool],
) -> None:  # fmt: skip
    booking = NoVisits()
    monkeypatch.setenv("COLUMNS", "200")

    code = 0
    try:
        of = {"clinic": "EYE", "day": "2027-03-12", **which}
        order(Desk(cast("Booking", booking)), act, of, None, **how, as_json=False)
    except typer.Exit as ended:
        code = ended.exit_code

    assert (code, capsys.readouterr().out.strip()) == (0, said)
    assert booking.asked == [f"POST /v1/appointments/{act}"]
