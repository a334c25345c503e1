"""A refusal names also the fields that were not read, wherever it was decided (0047)."""

from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.values.refusals import Refused
from booking.values.warned import DETAIL_DROPPED, NO_KEY, UNKNOWN_FIELD, Details, Warned, beside
from tests.support.booking.builders import batch, change, command

STRAT = Warned(UNKNOWN_FIELD, "appointment.strat", "there is no such field, so it was not read; did you mean start?")
RESON = Warned(UNKNOWN_FIELD, "reson", "there is no such field, so it was not read; did you mean reason?")


def named(refusal: Refused) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in refusal.also]


def test_only_what_was_not_read_is_named_since_nothing_of_the_rest_was_taken() -> None:
    warnings = (Warned(DETAIL_DROPPED, "reason"), STRAT, Warned(NO_KEY), RESON)
    refusal = beside(Refused("START_REQUIRED", "it has none", "appointment.start"), warnings)
    assert (refusal.code, refusal.message, refusal.place) == ("START_REQUIRED", "it has none", "appointment.start")
    assert named(refusal) == [(UNKNOWN_FIELD, "appointment.strat"), (UNKNOWN_FIELD, "reson")]


def test_a_refusal_that_names_a_field_does_not_name_it_twice() -> None:
    first = Refused(UNKNOWN_FIELD, RESON.detail, RESON.place, [Refused("BAD_EMAIL", "no address", "email")])
    once = beside(first, (STRAT, RESON))
    assert named(once) == [("BAD_EMAIL", "email"), (UNKNOWN_FIELD, "appointment.strat")]
    assert beside(once, (STRAT, RESON)) is once


def test_one_line_has_the_message_and_what_else_is_wrong_with_its_place() -> None:
    refusal = beside(Refused("START_REQUIRED", "it has none", "appointment.start"), (STRAT,))
    assert refusal.in_words == f"it has none; also appointment.strat: {STRAT.detail}"
    assert Refused("X", "one", also=[Refused("Y", "two")]).in_words == "one; also two"


def test_what_a_reader_noted_is_named_when_it_refuses() -> None:
    details = Details([STRAT])

    def read() -> None:
        with details.beside_refusals():
            details.warnings.append(RESON)
            raise Refused("NO_PATIENT", "nobody")

    with pytest.raises(Refused) as caught:
        read()
    assert named(caught.value) == [(UNKNOWN_FIELD, "appointment.strat"), (UNKNOWN_FIELD, "reson")]


REFUSED: dict[str, tuple[BookAppointment, str]] = {
    "a start that is misspelt": (change("e2", patient="ann", clinic="EYE", warnings=(STRAT,)), "START_REQUIRED"),
    "a clinic of nobody": (command("e2", clinic="NOWHERE", warnings=(STRAT,)), "UNKNOWN_CLINIC"),
    "a patient who lacks": (command("e2", patient=None, warnings=(STRAT,)), "PATIENT_REQUIRED"),
    "another body under the id": (command("e1", service_type="Other", warnings=(STRAT,)), "EVENT_ID_CONFLICT"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_whatever_refuses_an_event_in_its_batch_names_what_was_not_read(what: str) -> None:
    asked, code = REFUSED[what]
    book = batch()
    book.take(command("e1", appointment="v2"))
    refusal = book.take(asked).refusal
    assert refusal is not None
    assert (refusal.code, named(refusal)) == (code, [(UNKNOWN_FIELD, "appointment.strat")])


def test_an_event_that_has_no_unknown_field_is_refused_as_before() -> None:
    answer: Any = batch().take(command(clinic="NOWHERE"))
    assert answer.refusal.also == ()
