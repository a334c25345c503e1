"""What a patient's short answer means, and which visit it is about (D36, B11)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notifier.replies.domain import Meaning, Messaged, PatientReply, Verdict, Why, read, resolve
from notifier.values.kinds import KINDS, Category
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, PEPPERS, STARTS

OTHER = UUID("01890000-0000-7000-8000-000000000099")
(CODE,) = PEPPERS.codes(APPOINTMENT, 1)


def messaged(**changes: Any) -> Messaged:
    told = Messaged(APPOINTMENT, PATIENT, "NORTH", Status.BOOKED, STARTS, 1, 1, reachable=True, replies=True, codes=())
    codes = PEPPERS.codes(changes.get("appointment_id", APPOINTMENT), 1)
    return replace(told, **{"codes": codes, **changes})


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOPALL", "Stop all", "UNSUBSCRIBE", "END", "Quit!", "Revoke", "opt-out", "STOPP",
     "Abmelden", "AFMELDEN", "ARRÊT", "Arret", "\u200bSTOP\u200b", "\uff33\uff34\uff2f\uff30", '"stop"'],
)  # fmt: skip
def test_stop_and_its_kin_stop_in_every_language(text: str) -> None:
    assert read(text) == PatientReply(Meaning.STOP)


def test_a_bare_cancel_stops_and_is_looked_at_by_staff_and_cancels_no_visit() -> None:
    assert read("CANCEL") == PatientReply(Meaning.STOP, ambiguous=True)


@pytest.mark.parametrize("text", ["stop sending me to dr who", "please stop", "I will stop by at 9", "", "👍", "c?d"])
def test_a_sentence_is_for_staff(text: str) -> None:
    assert read(text).meaning is Meaning.OTHER


@pytest.mark.parametrize("text", ["START", "unstop", "Anmelden"])
def test_start_takes_it_back(text: str) -> None:
    assert read(text).meaning is Meaning.START


@pytest.mark.parametrize(("text", "code"), [("C", None), ("yes", None), ("Ja!", None), ("C 4711", "4711"),
                                            ("c4711", "4711"), ("Y #4711", "4711")])  # fmt: skip
def test_confirming(text: str, code: str | None) -> None:
    assert read(text) == PatientReply(Meaning.CONFIRM, code)


@pytest.mark.parametrize(("text", "code"), [("X", None), ("x 4711", "4711"), ("X4711.", "4711"),
                                            ("cancel 4711", "4711"), ("Absagen 4711", "4711")])  # fmt: skip
def test_cancelling(text: str, code: str | None) -> None:
    assert read(text) == PatientReply(Meaning.CANCEL, code)


def test_what_the_carrier_has_acted_on_is_acted_on_here_whatever_the_words_say() -> None:
    assert read("yes", Meaning.START) == PatientReply(Meaning.START)
    assert read("basta", Meaning.STOP) == PatientReply(Meaning.STOP)


def test_a_long_text_is_read_in_no_time_and_is_for_staff() -> None:
    assert read("x" * 1_000_000 + " 4711").meaning is Meaning.OTHER


def test_the_only_visit_ahead_is_confirmed_without_a_code() -> None:
    past = messaged(appointment_id=OTHER, starts_at=NOW - timedelta(hours=1))

    assert resolve(PatientReply(Meaning.CONFIRM), [past, messaged()], NOW) == Verdict(messaged())


def test_of_two_visits_ahead_the_code_names_one() -> None:
    both = [messaged(), messaged(appointment_id=OTHER)]

    assert resolve(PatientReply(Meaning.CONFIRM), both, NOW) == Verdict(why=Why.SEVERAL_VISITS)
    assert resolve(PatientReply(Meaning.CONFIRM, CODE), both, NOW) == Verdict(messaged())


def test_a_visit_is_cancelled_by_its_code_alone() -> None:
    assert resolve(PatientReply(Meaning.CANCEL), [messaged()], NOW) == Verdict(messaged(), Why.NO_CODE)
    both = [messaged(), messaged(appointment_id=OTHER)]
    assert resolve(PatientReply(Meaning.CANCEL), both, NOW) == Verdict(why=Why.NO_CODE)
    assert (
        resolve(PatientReply(Meaning.CANCEL, f"{(int(CODE) + 1) % 10_000:04d}"), [messaged()], NOW).why
        is Why.WRONG_CODE
    )
    assert resolve(PatientReply(Meaning.CANCEL, CODE), [messaged()], NOW) == Verdict(messaged())


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.CANCELLED}, {"status": Status.ARRIVED}, {"starts_at": NOW}, {"starts_at": None},
     {"schedule_gen": 2}, {"reachable": False}],
)  # fmt: skip
@pytest.mark.parametrize("answer", [PatientReply(Meaning.CONFIRM), PatientReply(Meaning.CANCEL, CODE)])
def test_a_visit_that_is_over_moved_or_whose_patient_has_another_number_is_for_staff(
    changes: dict[str, Any], answer: PatientReply
) -> None:
    assert resolve(answer, [messaged(**changes)], NOW) == Verdict(why=Why.NO_VISIT)


def test_at_a_clinic_that_wants_no_machine_to_act_it_is_for_staff() -> None:
    off = messaged(replies=False)

    assert resolve(PatientReply(Meaning.CONFIRM), [off], NOW) == Verdict(off, Why.REPLIES_OFF)
    assert resolve(PatientReply(Meaning.CANCEL, CODE), [off], NOW) == Verdict(off, Why.REPLIES_OFF)


def test_the_code_is_four_digits_and_another_one_after_a_move() -> None:
    assert len(CODE) == 4
    assert CODE.isdecimal()
    assert PEPPERS.codes(APPOINTMENT, 2) != (CODE,)


def test_every_kind_to_a_patient_has_a_category_and_those_to_providers_none() -> None:
    assert {kind for kind in Kind if KINDS[kind].category is None} == {
        k for k in Kind if k.value.startswith("provider")
    }
    assert KINDS[Kind.REMINDER].category is Category.REMINDERS
